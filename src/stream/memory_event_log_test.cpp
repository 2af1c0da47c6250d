// The contract suite of the event log, held to by the simplest log: what fails here is a test, not an adapter.
#include "stream/memory_event_log.h"

#include "stream/event_log_contract.h"

namespace novafeed {
namespace {

// Each path is a "directory" for as long as the factory lives.
EventLogFactory MemoryFactory() {
  const auto directories = std::make_shared<std::map<std::filesystem::path, std::shared_ptr<MemoryEventLogState>>>();
  return {"memory", [directories](const std::filesystem::path& directory, const Clock* clock) {
            std::shared_ptr<MemoryEventLogState>& state = (*directories)[directory];
            if (!state) state = std::make_shared<MemoryEventLogState>();
            const auto log = std::make_shared<MemoryEventLog>(clock, state);
            return OpenEventLog{log, log.get()};
          }};
}

INSTANTIATE_TEST_SUITE_P(Memory, EventLogContract, ::testing::Values(MemoryFactory()));

}  // namespace
}  // namespace novafeed
