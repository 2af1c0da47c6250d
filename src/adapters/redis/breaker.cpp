#include "adapters/redis/breaker.h"

namespace novafeed {

bool CircuitBreaker::Allow(TimePoint now) {
  const std::scoped_lock lock(mutex_);
  if (state_ == State::kClosed) return true;
  if (now < try_again_) return false;
  state_ = State::kHalfOpen;
  try_again_ = now + open_for_;  // for another, should this one never say how it ended
  return true;
}

void CircuitBreaker::Succeeded() {
  const std::scoped_lock lock(mutex_);
  // A call that began before it opened proves nothing of now.
  if (state_ == State::kOpen) return;
  state_ = State::kClosed;
  failed_ = 0;
}

void CircuitBreaker::Failed(TimePoint now) {
  const std::scoped_lock lock(mutex_);
  if (state_ == State::kHalfOpen || (state_ == State::kClosed && ++failed_ >= failures_)) Open(now);
}

void CircuitBreaker::Abandoned() {
  const std::scoped_lock lock(mutex_);
  if (state_ != State::kHalfOpen) return;
  state_ = State::kOpen;
  try_again_ = TimePoint::min();  // the next call may try
}

CircuitBreaker::State CircuitBreaker::state() const {
  const std::scoped_lock lock(mutex_);
  return state_;
}

void CircuitBreaker::Open(TimePoint now) {
  state_ = State::kOpen;
  failed_ = 0;
  try_again_ = now + open_for_;
}

std::string_view BreakerStateName(CircuitBreaker::State state) {
  switch (state) {
    case CircuitBreaker::State::kClosed:
      return "closed";
    case CircuitBreaker::State::kOpen:
      return "open";
    case CircuitBreaker::State::kHalfOpen:
      break;
  }
  return "half_open";
}

}  // namespace novafeed
