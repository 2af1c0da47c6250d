#include "app/open_cache.h"

#include <cstddef>
#include <stdexcept>
#include <string>

#include "adapters/redis/open.h"
#include "app/settings_table.h"
#include "base/result.h"
#include "cache/memory_cache.h"

namespace novafeed {

std::unique_ptr<Cache> OpenCache(const Settings& settings, const Clock* clock, Metrics* metrics) {
  if (settings.String("cache.url") == kOwnCache) {
    const auto max_bytes = static_cast<std::size_t>(settings.Size("cache.max_bytes"));
    return std::make_unique<MemoryCache>(clock, max_bytes, metrics);
  }
  RedisOptions options;
  options.url = settings.String("cache.url");
  options.password_file = settings.String("cache.password_file");
  options.ca_file = settings.String("cache.ca_file");
  Result<std::unique_ptr<Cache>> cache = OpenRedisCache(options, metrics);
  if (!cache) throw std::runtime_error(cache.error().detail);
  return *std::move(cache);
}

}  // namespace novafeed
