// The embedded profile: SQLite stores, one process. The only place that names the stores' adapters, with build_cluster.
#include "adapters/sqlite/open.h"

#include <filesystem>
#include <stdexcept>
#include <utility>

#include "adapters/sqlite/open.h"
#include "app/olap_files.h"
#include "app/settings_table.h"
#include "app/shared_change_feed.h"
#include "app/stores.h"

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

Stores OpenEmbeddedStores(const std::string& directory, const Settings& settings, const Clock* clock,
                          Metrics* metrics) {
  RefuseToLoseTheGraph(directory);
  SqliteOptions options;
  options.directory = directory;
  options.clock = clock;
  options.metrics = metrics;
  options.readers = static_cast<std::size_t>(settings.Int("serve.read_threads"));
  options.max_event_bytes = settings.Size("events.max_bytes");

  Stores stores;
  std::unique_ptr<SqliteGraph> graph = OpenSqliteGraph(options);
  ChangeFeed* const feed = stores.change_log = graph.get();
  stores.graph = std::move(graph);
  stores.leader = std::make_unique<Leader>(nullptr, metrics);
  stores.events = OpenSqliteEventLog(options);
  stores.erased = std::make_unique<ErasedList>(directory + "/erased.list");
  ReconcileErased(stores.erased.get(), stores.graph.get());
  stores.relay = std::make_unique<OutboxRelay>(stores.graph.get(), stores.events.get(), metrics);
  stores.changes = std::make_unique<SharedChangeFeed>(feed, [relay = stores.relay.get()] { relay->Wake(); });
  stores.keep_events = settings.Duration("events.keep");
  stores.relay->Start();
  return stores;
}

}  // namespace novafeed
