// The topic of events on a real broker: its contract; and a broker that dies, hangs and comes back, a topic that is
// missing or grows, messages that cannot be read, and TLS.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/kafka/client.h"
#include "adapters/kafka/test_broker.h"
#include "base/metrics.h"
#include "base/test_ports.h"
#include "base/time.h"
#include "graph/store.h"
#include "stream/event_json.h"
#include "stream/event_topic_contract.h"
#include "stream/journaled_event_log.h"
#include "stream/memory_event_journal.h"

namespace novafeed::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using SteadyClock = std::chrono::steady_clock;

// --- The contract.

struct Opened {
  Metrics metrics;
  std::unique_ptr<EventTopic> topic;
};

OpenEventTopic OpenOnBroker() {
  if (!KafkaIsInstalled()) return {};
  auto opened = std::make_shared<Opened>();
  opened->topic = OpenKafkaEventTopic(SharedBroker().Options(), &opened->metrics).value();
  EventTopic* topic = opened->topic.get();
  return {std::move(opened), topic};
}

void LoseOnBroker(const EventPoints& points) {
  TestProducer(SharedBroker().Plain()).Forget(kEventTopic, points.List());
}

INSTANTIATE_TEST_SUITE_P(Kafka, EventTopicContract,
                         ::testing::Values(EventTopicFactory{"kafka", &OpenOnBroker, &LoseOnBroker}));

// --- What is its own.

Event NumberedEvent(int number) {
  Event event;
  event.user = {IdFromExternal(IdKind::kUser, std::to_string(number % 7))};
  event.type = EventType::kShare;
  event.post = {IdFromExternal(IdKind::kPost, std::to_string(number % 9))};
  event.at = 1'795'382'793'122 + number;  // the number travels in it
  event.event_id = {IdFromExternal(IdKind::kEvent, std::to_string(number))};
  return event;
}
int NumberOf(const Event& event) {
  return static_cast<int>(event.at - NumberedEvent(0).at);
}
std::vector<Event> NumberedEvents(int first, int count) {
  std::vector<Event> events;
  for (int i = first; i < first + count; ++i) events.push_back(NumberedEvent(i));
  return events;
}

double ValueOf(const Metrics& metrics, const std::string& name) {
  double sum = 0;
  for (const auto& value : metrics.Read().Values(name)) sum += value.value;
  return sum;
}

// Threads that write until they are told to end, also where a test breaks off.
class Writers {
 public:
  ~Writers() { Join(true); }
  template <class Work>
  void Add(Work work) {
    threads_.emplace_back(std::move(work));
  }
  bool stopping() const { return stop_; }
  void Join(bool stop) {
    if (stop) stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;
};

class KafkaTopic : public ::testing::Test {
 protected:
  void SetUp() override {
    NOVAFEED_NEEDS_KAFKA();
    SharedBroker();
    Open(SharedBroker().Options());
    start_ = topic_->End();
  }

  void Open(const KafkaOptions& options) {
    topic_.reset();
    topic_ = OpenKafkaEventTopic(options, &metrics_).value();
  }
  static KafkaOptions Impatient() {
    KafkaOptions options = SharedBroker().Options();
    options.call_timeout = seconds(2);
    return options;
  }

  std::future<Result<EventPoints>> StartAppend(const std::vector<Event>& events) {
    std::vector<LoggedEvent> logged;
    for (const Event& event : events) logged.push_back({0, 0, clock_.Now(), event, std::nullopt});
    const auto answer = std::make_shared<std::promise<Result<EventPoints>>>();
    topic_->Append(std::move(logged), [answer](Result<EventPoints> result) { answer->set_value(std::move(result)); });
    return answer->get_future();
  }
  Result<EventPoints> Append(const std::vector<Event>& events) { return StartAppend(events).get(); }

  // Numbers by partition of what lies between.
  std::map<std::size_t, std::vector<int>> ReadUntil(const EventPoints& end) {
    std::map<std::size_t, std::vector<int>> numbers;
    EventPoints at = start_;
    WaitUntil("all is read", [&] {
      try {
        const EventTopic::Batch batch = topic_->Read(at, 1000, milliseconds(100));
        for (const LoggedEvent& logged : batch.events) numbers[logged.partition].push_back(NumberOf(logged.event));
        at = batch.through;
      } catch (const StoreError& error) {
        EXPECT_EQ(error.error().code, "log_unavailable");
      }
      return Reached(end, at);
    });
    return numbers;
  }
  Error ErrorOf(const std::function<void()>& call) {
    try {
      call();
    } catch (const StoreError& error) {
      return error.error();
    }
    return {};
  }

  SystemClock clock_;
  Metrics metrics_;
  std::unique_ptr<EventTopic> topic_;
  EventPoints start_;
};

TEST_F(KafkaTopic, SpreadsPostsOverItsPartitions) {
  const Result<EventPoints> end = Append(NumberedEvents(0, 90));
  ASSERT_TRUE(end) << end.error().detail;
  const auto numbers = ReadUntil(*end);
  EXPECT_GT(numbers.size(), 1u);
  std::map<int, std::size_t> partition_of;  // of a post
  for (const auto& [partition, of_partition] : numbers) {
    EXPECT_TRUE(std::ranges::is_sorted(of_partition));
    for (const int number : of_partition) {
      EXPECT_EQ(partition_of.emplace(number % 9, partition).first->second, partition);
    }
  }
  EXPECT_EQ(ValueOf(metrics_, "novafeed_kafka_queued_events"), 0);
}

TEST_F(KafkaTopic, ABrokerThatIsKilledAmongAppendsKeepsWhatItAnswered) {
  std::mutex mutex;
  std::set<int> confirmed;
  EventPoints end;
  std::atomic<int> confirmations = 0;
  Writers writers;
  writers.Add([&] {
    for (int first = 0; !writers.stopping(); first += 20) {
      const Result<EventPoints> written = Append(NumberedEvents(first, 20));
      if (!written) continue;
      const std::scoped_lock lock(mutex);
      for (int i = first; i < first + 20; ++i) confirmed.insert(i);
      end = Union(end, *written);
      ++confirmations;
    }
  });
  for (int round = 0; round < 3; ++round) {
    const int before = confirmations;
    WaitUntil("it takes appends", [&] { return confirmations > before + 5; });
    SharedBroker().Kill();
    SharedBroker().Start();
  }
  const int before = confirmations;
  WaitUntil("it takes appends again", [&] { return confirmations > before + 5; });
  writers.Join(true);
  std::set<int> kept;
  for (const auto& [partition, numbers] : ReadUntil(end)) {
    EXPECT_TRUE(std::ranges::is_sorted(numbers)) << "each post's in their order";
    for (const int number : numbers) EXPECT_TRUE(kept.insert(number).second) << "sent once, it is there once";
  }
  EXPECT_TRUE(std::ranges::includes(kept, confirmed));
}

TEST_F(KafkaTopic, ABrokerThatIsAwayIsAnErrorInTimeAndFoundAgain) {
  Open(Impatient());
  ASSERT_TRUE(Append(NumberedEvents(0, 10)));
  SharedBroker().Kill();
  const auto begin = SteadyClock::now();
  const Result<EventPoints> away = Append(NumberedEvents(10, 10));
  ASSERT_FALSE(away);
  EXPECT_EQ(away.error().failure, Failure::kUnavailable);
  EXPECT_EQ(away.error().code, "log_unavailable");
  EXPECT_GT(away.error().retry_after_ms, 0);
  EXPECT_LT(SteadyClock::now() - begin, seconds(10));
  EXPECT_EQ(ErrorOf([&] { topic_->End(); }).code, "log_unavailable");
  EXPECT_EQ(ErrorOf([&] { topic_->PointsAt(0); }).code, "log_unavailable");
  WaitUntil("the reader misses it",
            [&] { return ErrorOf([&] { topic_->Read(start_, 10, milliseconds(10)); }).code == "log_unavailable"; });
  EXPECT_EQ(ValueOf(metrics_, "novafeed_kafka_refused_events_total"), 10);
  EXPECT_GE(ValueOf(metrics_, "novafeed_kafka_losses_total"), 1);

  SharedBroker().Start();
  Result<EventPoints> again;
  WaitUntil("it is found again", [&] { return (again = Append(NumberedEvents(20, 10))).has_value(); });
  const auto numbers = ReadUntil(*again);
  std::set<int> kept;
  for (const auto& [partition, of_partition] : numbers) kept.insert(of_partition.begin(), of_partition.end());
  for (int i = 20; i < 30; ++i) EXPECT_TRUE(kept.contains(i));
  EXPECT_GE(ValueOf(metrics_, "novafeed_kafka_reconnects_total"), 1);
}

TEST_F(KafkaTopic, ABrokerThatComesBackIsFoundAlsoWhereNothingComes) {
  Open(Impatient());
  const Result<EventPoints> end = Append(NumberedEvents(0, 10));
  ASSERT_TRUE(end);
  ReadUntil(*end);
  const auto error_of_read = [&] { return ErrorOf([&] { topic_->Read(*end, 10, milliseconds(10)); }).code; };
  SharedBroker().Kill();
  WaitUntil("the reader misses it", [&] { return error_of_read() == "log_unavailable"; });
  SharedBroker().Start();
  WaitUntil("it is found again", [&] { return error_of_read().empty(); });
}

TEST_F(KafkaTopic, ABrokerThatHangsIsGivenUpInTime) {
  Open(Impatient());
  ASSERT_TRUE(Append(NumberedEvents(0, 10)));
  SharedBroker().Stop();
  const auto begin = SteadyClock::now();
  EXPECT_EQ(Append(NumberedEvents(10, 10)).error().code, "log_unavailable");
  EXPECT_EQ(ErrorOf([&] { topic_->End(); }).code, "log_unavailable");
  EXPECT_LT(SteadyClock::now() - begin, seconds(15));
  SharedBroker().GoOn();
  Result<EventPoints> again;
  WaitUntil("it goes on", [&] { return (again = Append(NumberedEvents(20, 10))).has_value(); });
  ReadUntil(*again);
}

TEST_F(KafkaTopic, ATopicThatIsMissingIsAnErrorAndFoundOnceItIsThere) {
  Open(Impatient());
  TestProducer(SharedBroker().Plain()).Delete(kEventTopic);
  WaitUntil("it is gone", [&] { return !ErrorOf([&] { topic_->End(); }).code.empty(); });
  const Error missing = ErrorOf([&] { topic_->End(); });
  EXPECT_EQ(missing.code, "log_unavailable");
  EXPECT_NE(missing.detail.find("events"), missing.detail.npos) << missing.detail;
  EXPECT_EQ(Append(NumberedEvents(0, 10)).error().code, "log_unavailable");
  EXPECT_EQ(ErrorOf([&] { topic_->Read(start_, 10, milliseconds(10)); }).code, "log_unavailable");

  SharedBroker().MakeTopics();
  Result<EventPoints> again;
  WaitUntil("it is found", [&] { return (again = Append(NumberedEvents(20, 10))).has_value(); });
  start_ = {};
  ReadUntil(*again);
}

TEST_F(KafkaTopic, PoisonIsPassedAndHandedOn) {
  std::vector<std::pair<std::size_t, std::string>> handed;
  KafkaOptions options = SharedBroker().Options();
  options.on_poison = [&handed](const PoisonMessage& poison) {
    EXPECT_EQ(poison.topic, kEventTopic);
    EXPECT_FALSE(poison.reason.empty());
    handed.emplace_back(poison.partition, poison.value);
  };
  Open(options);
  TestProducer producer(SharedBroker().Plain());
  ASSERT_TRUE(Append(NumberedEvents(0, 20)));
  producer.Put(kEventTopic, "poison", 0);
  producer.Put(kEventTopic, "{}", 3);
  producer.Flush();
  ASSERT_TRUE(Append(NumberedEvents(20, 20)));
  producer.Put(kEventTopic, "the last", 1);
  producer.Flush();
  const auto numbers = ReadUntil(topic_->End());
  std::size_t count = 0;
  for (const auto& [partition, of_partition] : numbers) count += of_partition.size();
  EXPECT_EQ(count, 40u);
  std::ranges::sort(handed);
  EXPECT_EQ(handed, (std::vector<std::pair<std::size_t, std::string>>{{0, "poison"}, {1, "the last"}, {3, "{}"}}));
  EXPECT_EQ(ValueOf(metrics_, "novafeed_kafka_poison_messages_total"), 3);
}

TEST_F(KafkaTopic, AMessageIsTheEventAsJsonUnderThePostsId) {
  const Result<EventPoints> end = Append({NumberedEvent(1)});
  ASSERT_TRUE(end);
  // Read by the client, as anybody reads it.
  Client client(ReadAccess(SharedBroker().Options()).value(), "novafeed-test", Client::Use::kFollow,
                ConnectionMetrics(&metrics_));
  const std::size_t partition = end->List().size() - 1;
  client.Assign({{std::string(kEventTopic), (*end)[partition] - 1, partition}});
  const std::optional<Message> message = client.Poll(SteadyClock::now() + seconds(30));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->key(), NumberedEvent(1).post.ToString());
  const Result<LoggedEvent> read = ParseEventJson(message->value());
  ASSERT_TRUE(read) << message->value();
  EXPECT_EQ(read->event, NumberedEvent(1));
  EXPECT_EQ(message->value(), RenderEventJson(*read));
}

TEST_F(KafkaTopic, APartitionThatIsAddedIsReadAsWell) {
  ReadUntil(start_);
  const std::size_t before = 4;
  TestProducer(SharedBroker().Plain()).Grow(kEventTopic, before + 2);
  Result<EventPoints> end;
  WaitUntil("something is written there", [&] {
    end = Append(NumberedEvents(0, 90));
    return end && end->List().size() > before;
  });
  WaitUntil("it is known", [&] { return topic_->End().List().size() > before; });
  const auto numbers = ReadUntil(*end);
  EXPECT_GE(numbers.rbegin()->first, before);
}

TEST_F(KafkaTopic, WithTlsACertificateAndAPassword) {
  Open(SharedBroker().SecretOptions());
  const Result<EventPoints> end = Append(NumberedEvents(0, 10));
  ASSERT_TRUE(end) << end.error().detail;
  ReadUntil(*end);

  KafkaOptions options = SharedBroker().SecretOptions();
  options.call_timeout = seconds(2);
  options.password_file = SharedBroker().File("wrong");
  std::ofstream(options.password_file) << "no " << TestBroker::kPassword;
  Open(options);
  const Error refused = Append(NumberedEvents(0, 10)).error();
  EXPECT_EQ(refused.code, "log_unavailable");
  EXPECT_EQ(refused.detail.find(TestBroker::kPassword), std::string::npos);
}

// Two processes write and read, some events from both, while the broker is killed: each of them reads each identity
// once, and everything that was answered.
TEST_F(KafkaTopic, TwoJournalsHoldEachIdentityOnceThroughKills) {
  JournaledEventLogOptions options;
  options.first_pause = options.max_pause = milliseconds(50);
  const auto open = [&] {
    return std::make_unique<JournaledEventLog>(&clock_, OpenKafkaEventTopic(Impatient(), &metrics_).value(),
                                               std::make_unique<MemoryEventJournal>(), &metrics_, options);
  };
  const std::vector<std::unique_ptr<JournaledEventLog>> logs = [&] {
    std::vector<std::unique_ptr<JournaledEventLog>> opened;
    for (int i = 0; i < 2; ++i) opened.push_back(open());
    return opened;
  }();
  const TimeMs now = clock_.Now();
  const auto event = [now](int number) {
    Event made = NumberedEvent(number);
    made.at = now;
    return made;
  };
  constexpr int kBatches = 60;
  std::atomic<int> written = 0;
  Writers writers;
  for (std::size_t i = 0; i < logs.size(); ++i) {
    writers.Add([&, i] {
      for (int batch = 0; batch < kBatches; ++batch) {
        std::vector<Event> events;
        for (int k = 0; k < 30; ++k) events.push_back(event(20 * batch + k));  // a third comes in the next batch again
        bool is_kept = false;
        while (!is_kept && !writers.stopping()) {
          std::promise<bool> answer;
          logs[i]->Append(events,
                          [&](const Result<EventLog::Appended>& result) { answer.set_value(result.has_value()); });
          is_kept = answer.get_future().get();
        }
        ++written;
      }
    });
  }
  for (const int share : {1, 2}) {
    WaitUntil("some are written", [&] { return written >= share * kBatches / 2; });
    SharedBroker().Kill();
    SharedBroker().Start();
  }
  writers.Join(false);

  std::set<Uuid> expected;
  for (int number = 0; number < 20 * kBatches + 10; ++number) expected.insert(EventIdentity(event(number)));
  for (const auto& log : logs) {
    EventPoints at = log->HowFarForgotten().through;
    std::set<Uuid> taken;
    WaitUntil("everything is read", [&] {
      try {
        for (const LoggedEvent& logged : log->Read(at, 500)) {
          Advance(&at, logged);
          if (logged.event.at == now) EXPECT_TRUE(taken.insert(logged.Identity()).second);
        }
        at = log->QuietThrough(at);
        return Reached(log->End(), at);
      } catch (const StoreError& error) {
        EXPECT_EQ(error.error().code, "log_unavailable");
        return false;
      }
    });
    EXPECT_EQ(taken, expected);
  }
}

TEST(OpenKafkaEventTopic, NamesWhereNoBrokerAnswers) {
  KafkaOptions options;
  options.url = "kafka://127.0.0.1:" + std::to_string(testing::FreePort());
  options.call_timeout = std::chrono::seconds(1);
  Metrics metrics;
  try {
    OpenKafkaEventTopic(options, &metrics).value()->End();
    ADD_FAILURE() << "nobody listens there";
  } catch (const StoreError& error) {
    EXPECT_EQ(error.error().code, "log_unavailable");
    EXPECT_NE(error.error().detail.find(options.url.substr(8)), std::string::npos) << error.error().detail;
    EXPECT_NE(error.error().detail.find("log.url"), std::string::npos) << error.error().detail;
  }
}

TEST(OpenKafkaEventTopic, NamesWhatIsWrongWithItsOptions) {
  Metrics metrics;
  KafkaOptions options;
  options.url = "http://one";
  EXPECT_EQ(OpenKafkaEventTopic(options, &metrics).error().code, "bad_kafka_url");
  options.url = "kafkas://one";
  options.ca_file = "/nowhere/ca.crt";
  EXPECT_EQ(OpenKafkaEventTopic(options, &metrics).error().code, "bad_kafka_options");
}

}  // namespace
}  // namespace novafeed::kafka
