// A circuit breaker: refuses calls to what keeps failing, and lets one through now and then to see whether it is back.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string_view>

namespace novafeed {

// Thread-safe. Time is given by the caller, and only goes forward. Whoever was allowed a call says how it ended: by one
// of Succeeded, Failed, Abandoned.
class CircuitBreaker {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  enum class State : std::uint8_t {
    kClosed,    // all calls go
    kOpen,      // none goes
    kHalfOpen,  // one goes, and decides
  };

  // Opens after `failures` calls in a row failed, for `open_for`.
  CircuitBreaker(int failures, std::chrono::milliseconds open_for) : failures_(failures), open_for_(open_for) {}

  bool Allow(TimePoint now);
  void Succeeded();
  void Failed(TimePoint now);
  // The call was not made after all, and says nothing.
  void Abandoned();
  State state() const;

 private:
  void Open(TimePoint now);

  const int failures_;
  const std::chrono::milliseconds open_for_;
  mutable std::mutex mutex_;
  State state_ = State::kClosed;
  int failed_ = 0;       // in a row, while closed
  TimePoint try_again_;  // while it is not closed: when the next call may go
};

// "closed", "open", "half_open"
std::string_view BreakerStateName(CircuitBreaker::State state);

}  // namespace novafeed
