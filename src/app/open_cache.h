// The cache that the settings name.
#pragma once

#include <memory>

#include "base/metrics.h"
#include "base/settings.h"
#include "base/time.h"
#include "cache/cache.h"

namespace novafeed {

// By cache.url. `clock` and `metrics` outlive it. Throws std::runtime_error with a sentence.
std::unique_ptr<Cache> OpenCache(const Settings& settings, const Clock* clock, Metrics* metrics);

}  // namespace novafeed
