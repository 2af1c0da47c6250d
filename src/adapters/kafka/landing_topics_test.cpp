// What the follower of ClickHouse's landing asks of Kafka, on a real broker.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <librdkafka/rdkafka.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "adapters/kafka/open.h"
#include "adapters/kafka/test_broker.h"
#include "base/metrics.h"
#include "graph/store.h"

namespace novafeed::kafka {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

constexpr std::size_t kUsers = 0;
constexpr std::size_t kLikes = 3;

User UserOf(int number) {
  User user;
  user.id = {IdFromExternal(IdKind::kUser, std::to_string(number))};
  user.handle = "user" + std::to_string(number);
  user.created_at = 1'795'348'800'000;
  return user;
}
Like LikeOf(int number) {
  Like like;
  like.user = UserOf(number).id;
  like.post = {IdFromExternal(IdKind::kPost, "1")};
  like.post_author = UserOf(1).id;
  like.post_created_at = like.created_at = 1'795'348'800'000;
  like.incarnation = number;
  return like;
}

// A member of a consumer group that stands for ClickHouse's.
class Member {
 public:
  Member(const std::string& brokers, const std::string& group, const std::string& topic) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    std::array<char, 512> why;
    for (const auto& [name, value] : {std::pair("bootstrap.servers", brokers), std::pair("group.id", group)}) {
      rd_kafka_conf_set(conf, name, value.c_str(), why.data(), why.size());
    }
    handle_ = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why.data(), why.size());
    rd_kafka_poll_set_consumer(handle_);
    rd_kafka_topic_partition_list_t* topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, topic.c_str(), RD_KAFKA_PARTITION_UA);
    rd_kafka_subscribe(handle_, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    WaitUntil("it is a member", [this] {
      if (rd_kafka_message_t* message = rd_kafka_consumer_poll(handle_, 10); message != nullptr) {
        rd_kafka_message_destroy(message);
      }
      rd_kafka_topic_partition_list_t* assigned = nullptr;
      rd_kafka_assignment(handle_, &assigned);
      const bool has_some = assigned->cnt > 0;
      rd_kafka_topic_partition_list_destroy(assigned);
      return has_some;
    });
  }
  ~Member() {
    rd_kafka_consumer_close(handle_);
    rd_kafka_destroy(handle_);
  }
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

 private:
  rd_kafka_t* handle_ = nullptr;
};

class KafkaLandingTopics : public ::testing::Test {
 protected:
  void SetUp() override {
    NOVAFEED_NEEDS_KAFKA();
    broker_ = std::make_unique<TestBroker>();
    connector_ = std::make_unique<TestConnector>(broker_->Plain());
    producer_ = std::make_unique<TestProducer>(broker_->Plain());
    topics_ = OpenKafkaLandingTopics(broker_->Options(), "novafeed", &metrics_).value();
    // A broker that has just begun does not know its groups yet.
    WaitUntil("the groups are there", [this] { return CodeOf([this] { topics_->Offsets(); }).empty(); });
  }

  // Reads until so many have come.
  LandingTopics::Commits ReadUntil(std::int64_t after, std::size_t count) {
    LandingTopics::Commits all;
    WaitUntil("commits come", [&] {
      LandingTopics::Commits read = topics_->ReadCommits(all.commits.empty() ? after : all.commits.back().commit, 100);
      all.commits.insert(all.commits.end(), read.commits.begin(), read.commits.end());
      all.through = read.through;
      return all.commits.size() >= count;
    });
    return all;
  }
  std::string CodeOf(const std::function<void()>& call) {
    try {
      call();
    } catch (const StoreError& error) {
      return error.error().code;
    }
    return "";
  }

  Metrics metrics_;
  std::unique_ptr<TestBroker> broker_;
  std::unique_ptr<TestConnector> connector_;
  std::unique_ptr<TestProducer> producer_;
  std::unique_ptr<LandingTopics> topics_;
};

TEST_F(KafkaLandingTopics, OffsetsAreThoseOfTheTopicsAndOfTheirGroups) {
  LandingOffsets offsets = topics_->Offsets();
  ASSERT_EQ(offsets[kUsers].size(), 1U);
  ASSERT_EQ(offsets[kEventsTopic].size(), 4U);
  EXPECT_EQ(offsets[kUsers][0].committed, -1);
  EXPECT_TRUE(offsets[kUsers][0].IsLandedWhole()) << "there is nothing";

  for (int i = 0; i < 5; ++i) producer_->Put("events", "x", 2);
  producer_->Flush();
  topics_->Rewind(kEventsTopic, {0, 0, 3, 0});
  offsets = topics_->Offsets();
  EXPECT_EQ(offsets[kEventsTopic][2].end, 5);
  EXPECT_EQ(offsets[kEventsTopic][2].committed, 3);
  EXPECT_EQ(offsets[kEventsTopic][0].committed, 0);
  EXPECT_EQ(offsets[kUsers][0].committed, -1) << "each topic has a group of its own";

  producer_->Put("events", "gone", 0);
  producer_->Flush();
  producer_->Forget("events");
  EXPECT_EQ(topics_->Offsets()[kEventsTopic][0].first, 1);
}

TEST_F(KafkaLandingTopics, AGroupThatLandsIsNotRewound) {
  {
    const Member member(broker_->Plain(), "novafeed-cdc.users", "cdc.users");
    EXPECT_EQ(CodeOf([&] { topics_->Rewind(kUsers, {0}); }), "group_is_busy");
  }
  EXPECT_EQ(CodeOf([&] { topics_->Rewind(kUsers, {0}); }), "");
}

TEST_F(KafkaLandingTopics, ACommitHasItsPlaceOnEachTopic) {
  const std::int64_t first = connector_->WriteNew({UserOf(1), UserOf(2)});
  const std::int64_t second = connector_->WriteNew({UserOf(3), LikeOf(1)});
  const std::int64_t beat = connector_->WriteNew({});
  LandingTopics::Commits read = ReadUntil(0, 3);
  ASSERT_EQ(read.commits.size(), 3U);
  EXPECT_EQ(read.commits[0].commit, first);
  EXPECT_THAT(read.commits[0].ends, ElementsAre(2, 0, 0, 0, 0));
  EXPECT_EQ(read.commits[1].commit, second);
  EXPECT_THAT(read.commits[1].ends, ElementsAre(3, 0, 0, 1, 0));
  EXPECT_EQ(read.commits[2].commit, beat);
  EXPECT_THAT(read.commits[2].ends, ElementsAre(3, 0, 0, 1, 0));
  EXPECT_EQ(topics_->ReadNewestCommit().commit, beat);

  // Who begins in the middle knows what lies before.
  topics_ = OpenKafkaLandingTopics(broker_->Options(), "novafeed", &metrics_).value();
  EXPECT_THAT(topics_->ReadCommits(first, 1).start, ElementsAre(2, 0, 0, 0, 0));
}

TEST_F(KafkaLandingTopics, RowsOfACommitThatIsNotWholeAreNotThrough) {
  connector_->WriteNew({UserOf(1)});
  const TestConnector::Transaction split = connector_->Commit({UserOf(2), LikeOf(1)});
  connector_->Write(split, "cdc.likes");
  LandingTopics::Commits read = ReadUntil(0, 1);
  WaitUntil("the row that is there was read", [&] {
    read = topics_->ReadCommits(read.commits.empty() ? connector_->last() - 1000 : read.commits.back().commit, 100);
    return read.commits.empty() && topics_->Offsets()[kUsers][0].end == 2;
  });
  EXPECT_EQ(read.through[kUsers], 1);
  connector_->WriteHeld();
  read = ReadUntil(split.commit - 1000, 1);
  EXPECT_EQ(read.through[kUsers], 2);
  EXPECT_EQ(read.through[kLikes], 1);
}

TEST_F(KafkaLandingTopics, MessagesComeAsTheyStand) {
  for (const char* value : {"a", "", "c\nd", "e"}) producer_->Put("events", value, 3);
  producer_->Flush();
  std::vector<std::pair<std::int64_t, std::string>> read;
  topics_->ReadMessages(kEventsTopic, 3, 1, 3,
                        [&](std::int64_t offset, std::string_view value) { read.emplace_back(offset, value); });
  EXPECT_THAT(read, ElementsAre(Pair(1, ""), Pair(2, "c\nd")));
}

TEST_F(KafkaLandingTopics, MessagesThatAreGoneAreLeftOut) {
  for (const char* value : {"a", "b", "c", "d"}) producer_->Put("events", value, 3);
  producer_->Flush();
  producer_->Forget("events", {0, 0, 0, 2});
  const auto read = [&](std::int64_t until) {
    std::vector<std::int64_t> offsets;
    topics_->ReadMessages(kEventsTopic, 3, 0, until,
                          [&](std::int64_t offset, std::string_view) { offsets.push_back(offset); });
    return offsets;
  };
  EXPECT_THAT(read(4), ElementsAre(2, 3));
  EXPECT_THAT(read(2), ElementsAre());
}

TEST_F(KafkaLandingTopics, ABrokerThatIsAwayIsUnavailable) {
  KafkaOptions options = broker_->Options();
  options.call_timeout = std::chrono::seconds(1);
  topics_ = OpenKafkaLandingTopics(options, "novafeed", &metrics_).value();
  broker_->Kill();
  EXPECT_EQ(CodeOf([&] { topics_->Offsets(); }), "log_unavailable");
  EXPECT_EQ(CodeOf([&] { topics_->ReadCommits(0, 1); }), "log_unavailable");
}

}  // namespace
}  // namespace novafeed::kafka
