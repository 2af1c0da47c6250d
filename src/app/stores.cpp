#include "app/stores.h"

#include "app/settings_table.h"

namespace novafeed {

Stores OpenStores(const std::string& directory, const Settings& settings, const Clock* clock, Metrics* metrics) {
  if (settings.String("graph.url") == kOwnStore) return OpenEmbeddedStores(directory, settings, clock, metrics);
  return OpenClusterStores(directory, settings, clock, metrics);
}

}  // namespace novafeed
