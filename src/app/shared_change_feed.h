// The change feed for two: the port has room for one listener to commits, but the index and the outbox relay both need
// to hear of them.
#pragma once

#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "capture/change.h"

namespace novafeed {

// Takes the place of `feed`'s one listener. Thread-safe.
class SharedChangeFeed final : public ChangeFeed {
 public:
  // `feed` outlives this; `first` is called after each commit, before the subscriber of OnCommit.
  SharedChangeFeed(ChangeFeed* feed, std::function<void()> first) : feed_(feed), first_(std::move(first)) {
    feed_->OnCommit([this] { Announce(); });
  }
  ~SharedChangeFeed() override { feed_->OnCommit(nullptr); }
  SharedChangeFeed(const SharedChangeFeed&) = delete;
  SharedChangeFeed& operator=(const SharedChangeFeed&) = delete;

  std::vector<Change> Read(std::int64_t after, std::size_t limit) override { return feed_->Read(after, limit); }
  std::int64_t QuietThrough(std::int64_t after) override { return feed_->QuietThrough(after); }
  std::int64_t End() override { return feed_->End(); }
  std::int64_t ReadState(const std::function<void(const std::vector<Change>&)>& take) override {
    return feed_->ReadState(take);
  }
  void OnCommit(std::function<void()> notify) override {
    const std::scoped_lock lock(mutex_);
    second_ = std::move(notify);
  }

 private:
  void Announce() {
    first_();
    const std::scoped_lock lock(mutex_);
    if (second_) second_();
  }

  ChangeFeed* const feed_;
  const std::function<void()> first_;
  std::mutex mutex_;  // held while second_ runs, so that it does not run any more once OnCommit(nullptr) returned
  std::function<void()> second_;
};

}  // namespace novafeed
