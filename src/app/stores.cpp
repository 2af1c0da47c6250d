#include "app/stores.h"

#include <stdexcept>

#include "app/plain_passwords.h"
#include "app/settings_table.h"

namespace novafeed {

Stores OpenStores(const std::string& directory, const Settings& settings, const Clock* clock, Metrics* metrics) {
  if (const Status safe = RefusePlainPasswords(settings); !safe) throw std::runtime_error(safe.error().detail);
  if (settings.String("graph.url") == kOwnStore) return OpenEmbeddedStores(directory, settings, clock, metrics);
  return OpenClusterStores(directory, settings, clock, metrics);
}

Status RequireOwnStores(const Settings& settings) {
  if (settings.String("graph.url") == kOwnStore) return {};
  return Fail(Failure::kConflict, "shared_stores",
              "graph.url names a store that others may be writing to: go through one of the processes that serve it, "
              "with --url http://... and a token of admin scope.");
}

}  // namespace novafeed
