// The contract suites of the ports, over SQLite.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "adapters/sqlite/open.h"
#include "base/metrics.h"
#include "capture/change_contract.h"
#include "graph/store_contract.h"
#include "stream/event_log_contract.h"

namespace novafeed {
namespace {

// Members go in reverse order: the store before the metrics that it uses.
template <class Store>
struct Held {
  Metrics metrics;
  std::unique_ptr<Store> store;
};

SqliteOptions OptionsFor(const std::filesystem::path& directory, const Clock* clock, Metrics* metrics) {
  SqliteOptions options;
  options.directory = directory.string();
  options.clock = clock;
  options.metrics = metrics;
  return options;
}

OpenGraph OpenGraphAt(const std::filesystem::path& directory, const Clock* clock) {
  auto held = std::make_shared<Held<SqliteGraph>>();
  held->store = OpenSqliteGraph(OptionsFor(directory, clock, &held->metrics));
  SqliteGraph* graph = held->store.get();
  const auto forget = [graph](TimeMs before, std::int64_t applied) { graph->ForgetChanges(before, applied); };
  return {std::move(held), graph, graph, forget};
}

OpenEventLog OpenLogAt(const std::filesystem::path& directory, const Clock* clock) {
  auto held = std::make_shared<Held<EventLog>>();
  held->store = OpenSqliteEventLog(OptionsFor(directory, clock, &held->metrics));
  EventLog* log = held->store.get();
  return {std::move(held), log};
}

const GraphStoreFactory kGraphFactory = {"sqlite", &OpenGraphAt};
const EventLogFactory kLogFactory = {"sqlite", &OpenLogAt};

INSTANTIATE_TEST_SUITE_P(Sqlite, GraphStoreContract, ::testing::Values(kGraphFactory));
INSTANTIATE_TEST_SUITE_P(Sqlite, ChangeFeedContract, ::testing::Values(kGraphFactory));
INSTANTIATE_TEST_SUITE_P(Sqlite, RandomGraphContract, ::testing::Values(kGraphFactory));
INSTANTIATE_TEST_SUITE_P(Sqlite, EventLogContract, ::testing::Values(kLogFactory));

}  // namespace
}  // namespace novafeed
