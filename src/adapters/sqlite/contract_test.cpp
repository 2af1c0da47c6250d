// The contract suites of the ports, over SQLite.
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "adapters/sqlite/open.h"
#include "base/metrics.h"
#include "capture/change_contract.h"
#include "graph/store_contract.h"
#include "stream/event_journal_contract.h"
#include "stream/event_log_contract.h"
#include "stream/journaled_event_log.h"
#include "stream/memory_event_topic.h"

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
  return {std::move(held), graph, graph};
}

OpenEventLog OpenLogAt(const std::filesystem::path& directory, const Clock* clock) {
  auto held = std::make_shared<Held<EventLog>>();
  held->store = OpenSqliteEventLog(OptionsFor(directory, clock, &held->metrics));
  EventLog* log = held->store.get();
  return {std::move(held), log};
}

OpenEventJournal OpenJournalAt(const std::filesystem::path& directory) {
  auto held = std::make_shared<Held<EventJournal>>();
  held->store = OpenSqliteEventJournal(OptionsFor(directory, nullptr, &held->metrics));
  EventJournal* journal = held->store.get();
  return {std::move(held), journal};
}

// The log of the cluster: a topic in memory, for as long as the factory lives, and this journal of it.
EventLogFactory JournaledFactory() {
  const auto topics = std::make_shared<std::map<std::filesystem::path, std::shared_ptr<MemoryEventTopicState>>>();
  const auto open = [topics](const std::filesystem::path& directory, const Clock* clock) {
    std::shared_ptr<MemoryEventTopicState>& topic = (*topics)[directory];
    if (!topic) topic = std::make_shared<MemoryEventTopicState>(4);
    auto held = std::make_shared<Held<JournaledEventLog>>();
    JournaledEventLogOptions options;
    options.copier.reach = 0;  // what is forgotten may go at once
    options.copier.patience = options.copier.look_every = std::chrono::milliseconds(1);
    held->store = std::make_unique<JournaledEventLog>(
        clock, std::make_unique<MemoryEventTopic>(topic),
        OpenSqliteEventJournal(OptionsFor(directory, clock, &held->metrics)), &held->metrics, options);
    JournaledEventLog* log = held->store.get();
    const auto await = [log, clock] {
      while (log->CompleteAsOf() < clock->Now()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    };
    return OpenEventLog{std::move(held), log, await};
  };
  return {"journaled", open, true};
}

const GraphStoreFactory kGraphFactory = {"sqlite", &OpenGraphAt};
const EventLogFactory kLogFactory = {"sqlite", &OpenLogAt};

INSTANTIATE_TEST_SUITE_P(Sqlite, GraphStoreContract, ::testing::Values(kGraphFactory));
INSTANTIATE_TEST_SUITE_P(Sqlite, ChangeFeedContract, ::testing::Values(kGraphFactory));
INSTANTIATE_TEST_SUITE_P(Sqlite, RandomGraphContract, ::testing::Values(kGraphFactory));
INSTANTIATE_TEST_SUITE_P(Sqlite, EventLogContract, ::testing::Values(kLogFactory, JournaledFactory()));
INSTANTIATE_TEST_SUITE_P(Sqlite, EventJournalContract,
                         ::testing::Values(EventJournalFactory{"sqlite", &OpenJournalAt}));

}  // namespace
}  // namespace novafeed
