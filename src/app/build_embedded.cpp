#include "app/build_embedded.h"

#include <filesystem>
#include <stdexcept>

#include "app/olap_files.h"

namespace novafeed {
namespace {

// What is made from graph.db, or beside it, and lies in the directory; empty where nothing does.
std::string LeftWithoutGraph(const std::string& directory) {
  std::string names;
  const auto add = [&names](const std::string& name) { names += (names.empty() ? "" : ", ") + name; };
  for (const char* name : {"events.db", "index.snapshot"}) {
    if (std::filesystem::exists(directory + "/" + name)) add(name);
  }
  if (HoldsWarehouse(directory)) add("olap");
  return names;
}

// An empty graph beside what was made from another one would look like a platform that lost all its users.
void RefuseToLoseTheGraph(const std::string& directory) {
  if (std::filesystem::exists(directory + "/graph.db")) return;
  const std::string left = LeftWithoutGraph(directory);
  if (left.empty()) return;
  throw std::runtime_error("graph.db is missing in " + directory + ", where there is " + left +
                           " of a platform: put graph.db (and graph.db-wal, if there is one) back from the same "
                           "backup, or name an empty directory to begin anew.");
}

}  // namespace

EmbeddedStores OpenEmbeddedStores(const std::string& directory, const Settings& settings, const Clock* clock,
                                  Metrics* metrics) {
  RefuseToLoseTheGraph(directory);
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
