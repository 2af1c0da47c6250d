// The contract suites of the graph's ports, over SQLite.
#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "adapters/sqlite/open.h"
#include "capture/change_contract.h"
#include "graph/store_contract.h"

namespace novafeed {
namespace {

// Members go in reverse order: the store before the metrics that it uses.
struct GraphWithMetrics {
  Metrics metrics;
  std::unique_ptr<SqliteGraph> graph;
};

OpenGraph Open(const std::filesystem::path& directory, const Clock* clock) {
  auto held = std::make_shared<GraphWithMetrics>();
  SqliteOptions options;
  options.directory = directory.string();
  options.clock = clock;
  options.metrics = &held->metrics;
  held->graph = OpenSqliteGraph(options);
  SqliteGraph* graph = held->graph.get();
  return {std::move(held), graph, graph};
}

const GraphStoreFactory kFactory = {"sqlite", &Open};

INSTANTIATE_TEST_SUITE_P(Sqlite, GraphStoreContract, ::testing::Values(kFactory));
INSTANTIATE_TEST_SUITE_P(Sqlite, ChangeFeedContract, ::testing::Values(kFactory));
INSTANTIATE_TEST_SUITE_P(Sqlite, RandomGraphContract, ::testing::Values(kFactory));

}  // namespace
}  // namespace novafeed
