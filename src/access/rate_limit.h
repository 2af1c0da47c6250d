// Token buckets per caller. One instance per process; sharded, so I/O threads seldom meet.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/time.h"

namespace novafeed {

struct RateRule {
  double per_second = 0;  // <= 0: unlimited
  double burst = 0;
};

struct RateDecision {
  bool allowed = true;
  std::int64_t remaining = 0;      // whole requests left in the bucket
  std::int64_t retry_after_ms = 0;  // > 0 where refused
};

class RateLimiter {
 public:
  // `max_callers`: buckets beyond it are dropped, fullest first (a full bucket carries no information).
  explicit RateLimiter(std::size_t max_callers);
  ~RateLimiter();

  // `steady_ms` from a monotonic clock. Thread-safe.
  RateDecision Take(std::string_view caller, const RateRule& rule, std::int64_t steady_ms, double cost = 1);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace novafeed
