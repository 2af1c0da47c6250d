#include "cache/cache_metrics.h"

namespace novafeed {

CacheMetrics::CacheMetrics(const std::string& kind, Metrics* metrics)
    : hits(metrics->AddCounter("novafeed_cache_hits_total", "Answers that the cache gave.", {{"kind", kind}})),
      misses(metrics->AddCounter("novafeed_cache_misses_total", "Answers that had to be made.", {{"kind", kind}})) {}

}  // namespace novafeed
