// How far somebody has taken in the log: the index, or the warehouse.
#pragma once

#include <cstdint>
#include <functional>
#include <future>

#include "base/time.h"
#include "stream/position.h"

namespace novafeed {

// Port. Implemented by whoever follows the log. Thread-safe; nothing here waits.
class LogProgress {
 public:
  virtual ~LogProgress() = default;

  // What an answer made now surely takes into account.
  virtual Position Applied() const = 0;

  // Calls `done(true)` once `wanted` is applied (at once where it is), or `done(false)` after `timeout_ms` of real time
  // or when the follower stops. `done` runs on the caller's or the follower's thread.
  virtual void WaitFor(const Position& wanted, std::int64_t timeout_ms, std::function<void(bool)> done) = 0;

  // The counters in an answer made now are at least this fresh.
  virtual TimeMs CountersAsOf() const = 0;
};

// WaitFor, blocking: whether `wanted` was applied within that time.
inline bool Await(LogProgress* progress, const Position& wanted, std::int64_t timeout_ms) {
  std::promise<bool> reached;
  progress->WaitFor(wanted, timeout_ms, [&reached](bool done) { reached.set_value(done); });
  return reached.get_future().get();
}

}  // namespace novafeed
