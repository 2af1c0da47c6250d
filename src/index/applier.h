// The one writer of the index: a thread that follows both streams of the log, and lets callers wait for a position.
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
#include "stream/position.h"

namespace novafeed {

class IndexApplier {
 public:
  // All outlive the applier. Start() begins to follow the log from the index's position.
  IndexApplier(const Clock* clock, FeedIndex* index, ChangeFeed* changes, EventLog* events, Metrics* metrics);
  ~IndexApplier();  // stops
  void Start();
  void Stop();

  // Calls `done(true)` once the index has applied `wanted` (at once where it has), or `done(false)` after
  // `timeout_ms` of real time or on Stop. From any thread; `done` runs on the caller's or the applier's thread.
  void WaitFor(const Position& wanted, std::int64_t timeout_ms, std::function<void(bool)> done);

  // The counters in an answer made now are at least this fresh.
  TimeMs CountersAsOf() const;

  // Sets the metric of the index's lag from what it is now; called now and then by the wiring, so that it also grows
  // while the applier is stuck.
  void ReportLag() const;

  // Wakes the applier (the clock was moved, or the log grew).
  void Wake();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace novafeed
