// How often what was asked for was cached, counted by who asks.
#pragma once

#include <string>

#include "base/metrics.h"

namespace novafeed {

struct CacheMetrics {
  // `kind`: of what is cached ("hot").
  CacheMetrics(const std::string& kind, Metrics* metrics);

  Counter hits;
  Counter misses;
};

}  // namespace novafeed
