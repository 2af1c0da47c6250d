// hot:posts:1h: the best posts of the current clock hour and the one before it, for everybody (contract, section 1).
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "cache/cache.h"
#include "cache/cache_metrics.h"
#include "candidates/candidates.h"

namespace novafeed {

inline constexpr int kHotHours = 2;

// Pure: the list as it is cached, integers only; scores are computed again from them.
std::string EncodeHotPosts(const TrendingList& list);
Result<TrendingList> DecodeHotPosts(std::string_view bytes);  // kInternal "bad_cached"

// Thread-safe; making the list waits for an engine.
class HotPosts {
 public:
  // `engines` tells which engines may make the list, the first that can does; all outlive this.
  HotPosts(const Clock* clock, Cache* cache, std::function<std::vector<CandidateEngine*>()> engines, Metrics* metrics);

  // Makes the list as of now, and caches it. Fails where no engine can: what the last of them says.
  Result<TrendingList> Refresh();
  // The cached list, otherwise made now, by one of those who ask for all.
  Result<TrendingList> Current();

 private:
  Result<TrendingList> RefreshLocked();
  Result<TrendingList> Make(TimeMs as_of);
  std::optional<TrendingList> Cached();

  const Clock* const clock_;
  Cache* const cache_;
  const std::function<std::vector<CandidateEngine*>()> engines_;
  const Histogram refresh_seconds_;
  const CacheMetrics cached_;
  const Counter fallbacks_;
  std::mutex refresh_mutex_;
  LogGate failure_log_{10'000};
};

}  // namespace novafeed
