// For tests: the progress of an index that the test itself feeds.
#pragma once

#include <cstdint>
#include <functional>

#include "index/feed_index.h"
#include "stream/log_progress.h"

namespace novafeed::testing {

class TestProgress final : public LogProgress {
 public:
  TestProgress(const FeedIndex* index, TimeMs counters_as_of) : counters_as_of(counters_as_of), index_(index) {}
  Position Applied() const override { return index_->position(); }
  void WaitFor(const Position& wanted, std::int64_t /*timeout_ms*/, std::function<void(bool)> done) override {
    done(Reached(wanted, Applied()));
  }
  TimeMs CountersAsOf() const override { return counters_as_of; }

  TimeMs counters_as_of;

 private:
  const FeedIndex* index_;
};

}  // namespace novafeed::testing
