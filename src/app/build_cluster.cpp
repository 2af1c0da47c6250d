// The cluster profile: the graph in PostgreSQL, the log in Kafka, both shared with other processes; beside them this
// process's journal of events.
#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "adapters/kafka/open.h"
#include "adapters/postgres/open.h"
#include "adapters/sqlite/open.h"
#include "app/stores.h"
#include "base/result.h"
#include "capture/stated_feed.h"
#include "stream/journaled_event_log.h"

namespace novafeed {
namespace {

constexpr std::chrono::milliseconds kLookIntoOutboxEvery{500};
// What came within 24 hours may come again (contract, section 2); the rest is time for a node that was away.
constexpr std::chrono::hours kKeptInJournal{48};
constexpr std::int64_t kBytesPerChange = 500;  // of the write-ahead log, roughly: sequences are places there

template <class T>
T Opened(Result<T> opened) {
  if (!opened) throw std::runtime_error(opened.error().detail);
  return *std::move(opened);
}

PostgresOptions GraphOptions(const Settings& settings, const Clock* clock, Metrics* metrics) {
  PostgresOptions options;
  options.url = settings.String("graph.url");
  options.password_file = settings.String("graph.password_file");
  options.clock = clock;
  options.metrics = metrics;
  options.readers = static_cast<std::size_t>(settings.Int("serve.read_threads"));
  return options;
}

KafkaOptions LogOptions(const Settings& settings) {
  KafkaOptions options;
  options.url = settings.String("log.url");
  options.password_file = settings.String("log.password_file");
  options.ca_file = settings.String("log.ca_file");
  return options;
}

// "host:port,host:port", as the warehouse's engine reaches Kafka.
std::string BrokersForOlap(const Settings& settings) {
  if (std::string brokers = settings.String("olap.brokers"); !brokers.empty()) return brokers;
  const std::string& url = settings.String("log.url");
  const std::string hosts = url.substr(url.find("://") + 3);
  return hosts.substr(hosts.find('@') == std::string::npos ? 0 : hosts.find('@') + 1);
}

// Of whoever reads: what cannot be read goes into the box.
KafkaOptions ReaderOptions(const Settings& settings, DeadLetterBox* box, const Clock* clock) {
  KafkaOptions options = LogOptions(settings);
  options.on_poison = [box, clock](const PoisonMessage& poison) {
    DeadLetter letter;
    letter.place = {std::string(poison.topic), poison.partition, poison.offset};
    letter.key = poison.key;
    letter.message = poison.value.substr(0, kMostOfDeadLetter);
    letter.bytes = poison.value.size();
    letter.reason = poison.reason;
    letter.at = clock->Now();
    box->Put(std::move(letter));
  };
  return options;
}

// The log in Kafka, with the state in PostgreSQL that it is the log of.
std::unique_ptr<ChangeFeed> OpenChanges(const KafkaOptions& options, PostgresGraph* graph, Stores* stores,
                                        Metrics* metrics) {
  stores->logs.push_back(Opened(OpenKafkaChangeFeed(options, metrics)));
  return std::make_unique<StatedChangeFeed>(
      stores->logs.back().get(), [graph](const StatedChangeFeed::Take& take) { return graph->ReadState(take); });
}

}  // namespace

Stores OpenClusterStores(const std::string& directory, const Settings& settings, const Clock* clock, Metrics* metrics) {
  Stores stores;
  std::unique_ptr<PostgresGraph> graph = OpenPostgresGraph(GraphOptions(settings, clock, metrics));
  PostgresGraph* const state = graph.get();
  stores.graph = std::move(graph);
  stores.leases = state;
  stores.purges = state;
  stores.erased = std::make_unique<ErasedList>(directory + "/erased.list");
  ReconcileErased(stores.erased.get(), stores.graph.get());
  stores.leader = std::make_unique<Leader>(stores.leases, metrics);
  stores.dead_letters =
      std::make_unique<DeadLetterBox>(Opened(OpenKafkaDeadLetters(LogOptions(settings), metrics)), metrics);
  const KafkaOptions reader = ReaderOptions(settings, stores.dead_letters.get(), clock);
  SqliteOptions journal;
  journal.directory = directory;
  journal.clock = clock;
  journal.metrics = metrics;
  journal.readers = static_cast<std::size_t>(settings.Int("serve.read_threads"));
  JournaledEventLogOptions events;
  events.purged = state->ReadPurged(0);
  auto log = std::make_unique<JournaledEventLog>(clock, Opened(OpenKafkaEventTopic(reader, metrics)),
                                                 OpenSqliteEventJournal(journal), metrics, std::move(events));
  stores.hide_in_journal = [log = log.get()](std::span<const PurgedUser> purged) { log->HidePurged(purged); };
  stores.events = std::move(log);
  stores.keep_events = kKeptInJournal;
  stores.sequences_per_change = kBytesPerChange;
  OutboxRelayOptions relay;
  relay.look_every = kLookIntoOutboxEvery;
  relay.may_move = [leader = stores.leader.get()] { return leader->Leads(); };
  stores.relay = std::make_unique<OutboxRelay>(stores.graph.get(), stores.events.get(), metrics, std::move(relay));
  stores.changes = OpenChanges(reader, state, &stores, metrics);
  stores.landing.broker_list = BrokersForOlap(settings);
  stores.landing_topics = Opened(OpenKafkaLandingTopics(LogOptions(settings), stores.landing.group_name, metrics));
  stores.side_changes = OpenChanges(reader, state, &stores, metrics);
  stores.relay->Start();
  return stores;
}

DeadLetterStores OpenDeadLetterStores(const Settings& settings, bool replays, const Clock* clock, Metrics* metrics) {
  DeadLetterStores stores;
  stores.letters = Opened(OpenKafkaDeadLetters(LogOptions(settings), metrics));
  if (!replays) return stores;
  stores.events = Opened(OpenKafkaEventTopic(LogOptions(settings), metrics));
  stores.graph = OpenPostgresGraph(GraphOptions(settings, clock, metrics));
  return stores;
}

}  // namespace novafeed
