// What a broker may answer, as librdkafka's own mock of one can be told to: a real one gives these errors only in a
// cluster that changes.
#include "adapters/kafka/producer.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <array>
#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/kafka/client.h"

namespace novafeed::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int16_t kProduceRequest = 0;

class MockCluster {
 public:
  MockCluster() {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    std::array<char, 512> why;
    rd_kafka_conf_set(conf, "log_level", "0", why.data(), why.size());
    handle_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why.data(), why.size());
    if (handle_ == nullptr) throw std::runtime_error(why.data());
    cluster_ = rd_kafka_mock_cluster_new(handle_, 1);
    rd_kafka_mock_topic_create(cluster_, "events", 4, 1);
  }
  ~MockCluster() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(handle_);
  }
  MockCluster(const MockCluster&) = delete;
  MockCluster& operator=(const MockCluster&) = delete;

  KafkaOptions Options() const {
    KafkaOptions options;
    options.url = std::string("kafka://") + rd_kafka_mock_cluster_bootstraps(cluster_);
    return options;
  }
  // The next requests to write are answered so.
  void Answer(const std::vector<rd_kafka_resp_err_t>& errors) {
    rd_kafka_mock_push_request_errors_array(cluster_, kProduceRequest, errors.size(), errors.data());
  }
  void BeThere(bool up) { up ? rd_kafka_mock_broker_set_up(cluster_, 1) : rd_kafka_mock_broker_set_down(cluster_, 1); }

 private:
  rd_kafka_t* handle_ = nullptr;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
};

class KafkaProducer : public ::testing::Test {
 protected:
  void Open(Producer::Options options = {}) {
    producer_ = std::make_unique<Producer>(ReadAccess(cluster_.Options()).value(), "events", options, &metrics_);
  }
  std::future<Result<EventPoints>> Start(int count, const std::string& key = "") {
    std::vector<Outgoing> messages;
    for (int i = 0; i < count; ++i) {
      messages.push_back({key.empty() ? std::to_string(i) : key, "value " + std::to_string(i), 1'795'382'793'122});
    }
    const auto answer = std::make_shared<std::promise<Result<EventPoints>>>();
    producer_->Send(messages, [answer](Result<EventPoints> result) { answer->set_value(std::move(result)); });
    return answer->get_future();
  }
  Result<EventPoints> Send(int count, const std::string& key = "") { return Start(count, key).get(); }
  std::string CodeOfSend(int count) {
    const Result<EventPoints> result = Send(count);
    return result ? "" : result.error().code;
  }
  // Whether it sends again within half a minute.
  bool Heals() {
    const auto deadline = SteadyClock::now() + seconds(30);
    while (!CodeOfSend(20).empty()) {
      if (SteadyClock::now() > deadline) return false;
      std::this_thread::sleep_for(milliseconds(10));
    }
    return true;
  }
  // How many messages the topic holds.
  std::int64_t Count() {
    Client client(ReadAccess(cluster_.Options()).value(), "novafeed-test", Client::Use::kLookUp,
                  ConnectionMetrics(&metrics_));
    std::int64_t count = 0;
    for (const std::int64_t end : client.OffsetsAt("events", Client::kEnd, SteadyClock::now() + seconds(10))) {
      count += end;
    }
    return count;
  }

  MockCluster cluster_;
  Metrics metrics_;
  std::unique_ptr<Producer> producer_;
};

TEST_F(KafkaProducer, AnErrorThatPassesIsTriedAgainWithoutASecondCopy) {
  Open();
  ASSERT_TRUE(Send(1));
  cluster_.Answer({RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
                   RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION});
  const Result<EventPoints> sent = Send(10, "one key");
  ASSERT_TRUE(sent) << sent.error().detail;
  EXPECT_EQ(sent->List().back(), sent->Total()) << "of one partition";
  EXPECT_EQ(Count(), 11);
}

TEST_F(KafkaProducer, AnErrorThatStaysFailsTheWholeSend) {
  Open();
  ASSERT_TRUE(Send(20));
  cluster_.Answer({RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED});  // of one partition's messages
  const Result<EventPoints> sent = Send(20);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().failure, Failure::kUnavailable);
  EXPECT_EQ(sent.error().code, "log_unavailable");
  EXPECT_GT(sent.error().retry_after_ms, 0);
  EXPECT_EQ(metrics_.Read().Values("novafeed_kafka_refused_events_total").at(0).value, 20);
  EXPECT_TRUE(Heals());
}

TEST_F(KafkaProducer, OneThatHasLostCountIsReplaced) {
  Open();
  ASSERT_TRUE(Send(5));
  cluster_.Answer({RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER});
  EXPECT_EQ(CodeOfSend(1), "log_unavailable");
  EXPECT_TRUE(Heals());
}

TEST_F(KafkaProducer, AFullQueueIsSaidAtOnceAndOneSendAlwaysFits) {
  Producer::Options options;
  options.max_queued = 10;
  options.timeout = seconds(60);
  Open(options);
  ASSERT_TRUE(Send(1));
  cluster_.BeThere(false);
  std::future<Result<EventPoints>> large = Start(1000);
  std::future<Result<EventPoints>> next = Start(1);
  ASSERT_EQ(next.wait_for(seconds(0)), std::future_status::ready) << "inside Send";
  EXPECT_EQ(next.get().error().code, "overloaded");
  EXPECT_EQ(metrics_.Read().Values("novafeed_kafka_queued_events").at(0).value, 1000);
  cluster_.BeThere(true);
  EXPECT_TRUE(large.get());
  EXPECT_TRUE(Send(1));
  EXPECT_EQ(metrics_.Read().Values("novafeed_kafka_queued_events").at(0).value, 0);
}

TEST_F(KafkaProducer, ClosingAnswersWhatCannotBeDelivered) {
  Producer::Options options;
  options.timeout = milliseconds(500);
  Open(options);
  ASSERT_TRUE(Heals()) << "a first send also connects, which a busy machine may not do in time";
  cluster_.BeThere(false);
  std::vector<std::future<Result<EventPoints>>> answers;
  for (int i = 0; i < 20; ++i) answers.push_back(Start(10));
  const auto begin = SteadyClock::now();
  producer_.reset();
  EXPECT_LT(SteadyClock::now() - begin, seconds(10));
  for (auto& answer : answers) {
    ASSERT_EQ(answer.wait_for(seconds(0)), std::future_status::ready);
    EXPECT_EQ(answer.get().error().code, "log_unavailable");
  }
}

TEST_F(KafkaProducer, NothingIsSentForNothing) {
  Open();
  cluster_.BeThere(false);
  EXPECT_EQ(Send(0).value(), EventPoints());
}

}  // namespace
}  // namespace novafeed::kafka
