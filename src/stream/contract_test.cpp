// The contract suites of this room's ports, held to by the simplest adapters: what fails here is a test, not an
// adapter. And that of the event log by the one that is made of a topic and a journal.
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "base/metrics.h"
#include "stream/event_journal_contract.h"
#include "stream/event_log_contract.h"
#include "stream/event_topic_contract.h"
#include "stream/journaled_event_log.h"
#include "stream/memory_event_journal.h"
#include "stream/memory_event_log.h"
#include "stream/memory_event_topic.h"

namespace novafeed {
namespace {

// What each path, which stands for a directory, holds for as long as the factory lives.
template <class T>
using Directories = std::map<std::filesystem::path, std::shared_ptr<T>>;

EventLogFactory LogFactory(std::size_t partitions) {
  const auto directories = std::make_shared<Directories<MemoryEventLogState>>();
  const std::string name = "memory of " + std::to_string(partitions);
  return {name, [directories, partitions](const std::filesystem::path& directory, const Clock* clock) {
            std::shared_ptr<MemoryEventLogState>& state = (*directories)[directory];
            if (!state) state = std::make_shared<MemoryEventLogState>(partitions);
            const auto log = std::make_shared<MemoryEventLog>(clock, state);
            return OpenEventLog{log, log.get()};
          }};
}

EventTopicFactory TopicFactory(std::size_t partitions) {
  const auto state = std::make_shared<MemoryEventTopicState>(partitions);
  return {"memory of " + std::to_string(partitions),
          [state] {
            const auto topic = std::make_shared<MemoryEventTopic>(state);
            return OpenEventTopic{topic, topic.get()};
          },
          [state](const EventPoints& points) { state->Lose(points); }};
}

EventJournalFactory JournalFactory() {
  const auto directories = std::make_shared<Directories<MemoryEventJournalState>>();
  return {"memory", [directories](const std::filesystem::path& directory) {
            std::shared_ptr<MemoryEventJournalState>& state = (*directories)[directory];
            if (!state) state = std::make_shared<MemoryEventJournalState>();
            const auto journal = std::make_shared<MemoryEventJournal>(state);
            return OpenEventJournal{journal, journal.get()};
          }};
}

// A topic, the journal that one process has of it, and that process.
struct Home {
  explicit Home(std::size_t partitions) : topic(std::make_shared<MemoryEventTopicState>(partitions)) {}
  std::shared_ptr<MemoryEventTopicState> topic;
  std::shared_ptr<MemoryEventJournalState> journal = std::make_shared<MemoryEventJournalState>();
};
struct Process {
  Metrics metrics;
  std::unique_ptr<JournaledEventLog> log;
};

EventLogFactory JournaledFactory(std::size_t partitions) {
  const auto homes = std::make_shared<Directories<Home>>();
  const auto open = [homes, partitions](const std::filesystem::path& directory, const Clock* clock) {
    std::shared_ptr<Home>& home = (*homes)[directory];
    if (!home) home = std::make_shared<Home>(partitions);
    auto process = std::make_shared<Process>();
    JournaledEventLogOptions options;
    options.copier.reach = 0;  // what is forgotten may go at once
    options.copier.patience = options.copier.look_every = std::chrono::milliseconds(1);
    process->log = std::make_unique<JournaledEventLog>(clock, std::make_unique<MemoryEventTopic>(home->topic),
                                                       std::make_unique<MemoryEventJournal>(home->journal),
                                                       &process->metrics, options);
    JournaledEventLog* log = process->log.get();
    const auto await = [log, clock] {
      while (log->CompleteAsOf() < clock->Now()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    };
    return OpenEventLog{std::move(process), log, await};
  };
  return {"journaled topic of " + std::to_string(partitions), open, true};
}

INSTANTIATE_TEST_SUITE_P(Memory, EventLogContract, ::testing::Values(LogFactory(1), LogFactory(4)));
INSTANTIATE_TEST_SUITE_P(Journaled, EventLogContract, ::testing::Values(JournaledFactory(1), JournaledFactory(4)));
INSTANTIATE_TEST_SUITE_P(Memory, EventTopicContract, ::testing::Values(TopicFactory(1), TopicFactory(4)));
INSTANTIATE_TEST_SUITE_P(Memory, EventJournalContract, ::testing::Values(JournalFactory()));

}  // namespace
}  // namespace novafeed
