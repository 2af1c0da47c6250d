#include "app/build_embedded.h"

namespace novafeed {

EmbeddedStores OpenEmbeddedStores(const std::string& directory, const Settings& settings, const Clock* clock,
                                  Metrics* metrics) {
  SqliteOptions options;
  options.directory = directory;
  options.clock = clock;
  options.metrics = metrics;
  options.readers = static_cast<std::size_t>(settings.Int("serve.read_threads"));
  options.max_event_bytes = settings.Size("events.max_bytes");

  EmbeddedStores stores;
  stores.graph = OpenSqliteGraph(options);
  stores.events = OpenSqliteEventLog(options);
  stores.erased = std::make_unique<ErasedList>(directory + "/erased.list");
  ReconcileErased(stores.erased.get(), stores.graph.get());
  stores.relay = std::make_unique<OutboxRelay>(stores.graph.get(), stores.events.get(), metrics);
  stores.changes =
      std::make_unique<SharedChangeFeed>(stores.graph.get(), [relay = stores.relay.get()] { relay->Wake(); });
  stores.relay->Start();
  return stores;
}

}  // namespace novafeed
