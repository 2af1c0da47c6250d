// The contract suites of the graph's ports, held to by the simplest store: what fails here is a rule or a test, not an
// adapter.
#include "capture/memory_graph.h"

#include "capture/change_contract.h"
#include "graph/store_contract.h"

namespace novafeed {
namespace {

// Each path is a "directory" for as long as the factory lives.
GraphStoreFactory MemoryFactory() {
  const auto directories = std::make_shared<std::map<std::filesystem::path, std::shared_ptr<MemoryGraphState>>>();
  return {"memory", [directories](const std::filesystem::path& directory, const Clock* clock) {
            std::shared_ptr<MemoryGraphState>& state = (*directories)[directory];
            if (!state) state = std::make_shared<MemoryGraphState>();
            return HoldGraph(std::make_unique<MemoryGraph>(clock, state));
          }};
}

INSTANTIATE_TEST_SUITE_P(Memory, GraphStoreContract, ::testing::Values(MemoryFactory()));
INSTANTIATE_TEST_SUITE_P(Memory, ChangeFeedContract, ::testing::Values(MemoryFactory()));
INSTANTIATE_TEST_SUITE_P(Memory, RandomGraphContract, ::testing::Values(MemoryFactory()));

}  // namespace
}  // namespace novafeed
