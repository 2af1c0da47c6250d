#include "access/rate_limit.h"

#include <algorithm>
#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cmath>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace novafeed {
namespace {

constexpr std::size_t kShards = 32;

struct Bucket {
  double level = 0;
  std::int64_t filled_at_ms = 0;
  double per_second = 0;
  double size = 0;

  double LevelAt(std::int64_t now_ms) const {
    const auto passed_ms = static_cast<double>(std::max<std::int64_t>(0, now_ms - filled_at_ms));
    return std::min(size, level + passed_ms * per_second / 1000.0);
  }
  double FullnessAt(std::int64_t now_ms) const { return LevelAt(now_ms) / size; }
};

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
};

using Buckets = boost::unordered_flat_map<std::string, Bucket, TextHash, std::equal_to<>>;

// Drops the fullest eighth, so the work of choosing is spread over many newcomers.
void MakeRoom(Buckets* buckets, std::int64_t now_ms) {
  std::vector<double> fullness;
  fullness.reserve(buckets->size());
  for (const auto& [caller, bucket] : *buckets) fullness.push_back(bucket.FullnessAt(now_ms));
  const std::size_t dropped = buckets->size() / 8 + 1;
  std::nth_element(fullness.begin(), fullness.begin() + static_cast<std::ptrdiff_t>(dropped - 1), fullness.end(),
                   std::greater<>());
  const double threshold = fullness[dropped - 1];
  // Many may be exactly as full as the threshold; of those only as many go as are needed.
  auto ties = static_cast<std::size_t>(
      std::count(fullness.begin(), fullness.begin() + static_cast<std::ptrdiff_t>(dropped), threshold));
  boost::unordered::erase_if(*buckets, [&](const auto& entry) {
    const double full = entry.second.FullnessAt(now_ms);
    if (full != threshold) return full > threshold;
    if (ties == 0) return false;
    --ties;
    return true;
  });
}

}  // namespace

struct RateLimiter::State {
  struct alignas(64) Shard {
    std::mutex mutex;
    Buckets buckets;
  };

  explicit State(std::size_t max_callers) : max_in_shard(std::max<std::size_t>(1, max_callers / kShards)) {}

  const std::size_t max_in_shard;
  std::array<Shard, kShards> shards;
};

RateLimiter::RateLimiter(std::size_t max_callers) : state_(std::make_unique<State>(max_callers)) {}
RateLimiter::~RateLimiter() = default;

RateDecision RateLimiter::Take(std::string_view caller, const RateRule& rule, std::int64_t steady_ms, double cost) {
  if (!rule.limited()) return {};
  const double size = std::max(1.0, rule.burst);
  const double needed = std::min(cost, size);

  // The upper bits choose the shard; the map inside uses the others.
  const std::size_t hash = TextHash{}(caller);
  State::Shard& shard = state_->shards[(hash >> 40) % kShards];
  const std::lock_guard lock(shard.mutex);
  auto found = shard.buckets.find(caller);
  if (found == shard.buckets.end()) {
    if (shard.buckets.size() >= state_->max_in_shard) MakeRoom(&shard.buckets, steady_ms);
    found = shard.buckets.emplace(std::string(caller), Bucket{size, steady_ms, rule.per_second, size}).first;
  }

  Bucket& bucket = found->second;
  bucket.per_second = rule.per_second;
  bucket.size = size;
  bucket.level = bucket.LevelAt(steady_ms);
  bucket.filled_at_ms = std::max(bucket.filled_at_ms, steady_ms);

  RateDecision decision;
  decision.allowed = bucket.level >= needed;
  if (decision.allowed) {
    bucket.level -= needed;
  } else {
    decision.retry_after_ms = static_cast<std::int64_t>(std::ceil((needed - bucket.level) * 1000.0 / rule.per_second));
  }
  decision.remaining = static_cast<std::int64_t>(bucket.level);
  return decision;
}

std::size_t RateLimiter::size() const {
  std::size_t total = 0;
  for (State::Shard& shard : state_->shards) {
    const std::lock_guard lock(shard.mutex);
    total += shard.buckets.size();
  }
  return total;
}

}  // namespace novafeed
