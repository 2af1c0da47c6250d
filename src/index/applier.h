// The one writer of the index: a thread that follows both streams of the log, and lets callers wait for a position (a
// second thread gives them up in time, whatever the log does).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "capture/change.h"
#include "index/feed_index.h"
#include "stream/event_log.h"
#include "stream/log_progress.h"
#include "stream/position.h"

namespace novafeed {

class IndexApplier final : public LogProgress {
 public:
  // All outlive the applier. Start() begins to follow the log from the index's position.
  IndexApplier(const Clock* clock, FeedIndex* index, ChangeFeed* changes, EventLog* events, Metrics* metrics);
  ~IndexApplier() override;  // stops
  void Start();
  void Stop();

  Position Applied() const override;
  void WaitFor(const Position& wanted, std::int64_t timeout_ms, std::function<void(bool)> done) override;
  // Now, where everything that was announced is applied. In a log that others write, too: the time up to which it was
  // surely read, changes and events; 0 until that is known.
  TimeMs CountersAsOf() const override;

  // Whether the log has forgotten what comes next for the index: it stands still until one that was booted anew takes
  // over (FeedIndex::TakeOver).
  bool IsCutOff() const;

  // Sets the metric of the index's lag from what it is now, and says in the log when it is more than 5 s
  // ("index_behind", every 10 s: how long ago all changes and all events were in) and when that ends; called now and
  // then by the wiring, one call at a time, so that this also goes on while the applier is stuck.
  void ReportLag() const;

  // Wakes the applier (the clock was moved, or the log grew).
  void Wake();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace novafeed
