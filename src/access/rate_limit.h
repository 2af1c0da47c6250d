// Token buckets per caller. One instance per process; sharded, so I/O threads seldom meet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace novafeed {

struct RateRule {
  double per_second = 0;  // <= 0: unlimited
  double burst = 0;       // the bucket's size; less than 1 counts as 1
  bool limited() const { return per_second > 0; }
};

struct RateDecision {
  bool allowed = true;
  std::int64_t remaining = 0;       // whole requests left in the bucket; 0 under an unlimited rule
  std::int64_t retry_after_ms = 0;  // > 0 where refused
};

class RateLimiter {
 public:
  // `max_callers`: buckets beyond it are dropped, fullest first (a full bucket carries no information).
  explicit RateLimiter(std::size_t max_callers);
  ~RateLimiter();
  RateLimiter(const RateLimiter&) = delete;
  RateLimiter& operator=(const RateLimiter&) = delete;

  // Takes `cost` out of the caller's bucket, or nothing where there is too little in it. A cost beyond the bucket's
  // size needs a full bucket. `steady_ms` from a monotonic clock. Thread-safe.
  RateDecision Take(std::string_view caller, const RateRule& rule, std::int64_t steady_ms, double cost = 1);

  // How many buckets are held; for tests and metrics.
  std::size_t size() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace novafeed
