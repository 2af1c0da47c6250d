// The feed on a real broker: what is written comes out whole, also where topics are behind each other, the broker dies,
// messages cannot be read or are gone, and with TLS.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "adapters/kafka/test_broker.h"
#include "base/metrics.h"
#include "graph/store.h"

namespace novafeed::kafka {
namespace {

using SteadyClock = std::chrono::steady_clock;

TestConnector& SharedConnector() {
  static TestConnector connector(SharedBroker().Plain());
  return connector;
}

User UserOf(int number) {
  User user;
  user.id = {IdFromExternal(IdKind::kUser, std::to_string(number))};
  user.handle = "user" + std::to_string(number);
  user.created_at = 1'795'348'800'000;
  return user;
}
Follow FollowOf(int follower, int followee) {
  Follow follow;
  follow.follower = UserOf(follower).id;
  follow.followee = UserOf(followee).id;
  follow.created_at = 1'795'348'800'000;
  follow.incarnation = 1;
  return follow;
}
Post PostOf(int number, int author) {
  Post post;
  post.id = {IdFromExternal(IdKind::kPost, std::to_string(number))};
  post.author = UserOf(author).id;
  post.text = "post " + std::to_string(number);
  post.created_at = 1'795'348'800'000;
  return post;
}

std::string NameOf(const Change& change) {
  struct Visitor {
    std::string operator()(const User& user) const { return user.handle; }
    std::string operator()(const Post& post) const { return post.text; }
    std::string operator()(const Comment&) const { return "comment"; }
    std::string operator()(const Like&) const { return "like"; }
    std::string operator()(const Follow&) const { return "follow"; }
  };
  return std::visit(Visitor{}, change.Latest());
}
using Names = std::vector<std::string>;

double ValueOf(const Metrics& metrics, const std::string& name) {
  double sum = 0;
  for (const auto& value : metrics.Read().Values(name)) sum += value.value;
  return sum;
}

class KafkaFeed : public ::testing::Test {
 protected:
  void SetUp() override {
    NOVAFEED_NEEDS_KAFKA();
    // All tests write on in one log; each reads what it has written itself.
    if (SharedConnector().last() == 0) SharedConnector().WriteNew({});
    at_ = SharedConnector().last();
    Open(SharedBroker().Options());
  }

  void Open(const KafkaOptions& options) {
    feed_.reset();
    feed_ = OpenKafkaChangeFeed(options, &metrics_).value();
  }

  // What there is to read now.
  Names ReadSome(std::size_t limit = 1000) {
    Names names;
    for (const Change& change : feed_->Read(at_, limit)) {
      EXPECT_GE(change.sequence, at_);
      names.push_back(NameOf(change));
      at_ = change.sequence;
    }
    return names;
  }
  // Reads until so many have come.
  Names ReadUntil(std::size_t count) {
    Names names;
    WaitUntil("changes come", [&] {
      for (std::string& name : ReadSome()) names.push_back(std::move(name));
      return names.size() >= count;
    });
    return names;
  }
  // Until the reader counts as having everything up to there.
  void ReachQuietly(std::int64_t point) {
    WaitUntil("the point is reached", [&] {
      EXPECT_EQ(ReadSome(), Names{});
      at_ = feed_->QuietThrough(at_);
      return at_ >= point;
    });
  }
  // What reading comes to an end with; what is whole before that is passed over.
  Error ErrorOfRead(std::int64_t after) {
    Error found;
    WaitUntil("reading fails", [&] {
      try {
        for (const Change& change : feed_->Read(after, 10)) after = change.sequence;
      } catch (const StoreError& error) {
        found = error.error();
      }
      return !found.code.empty();
    });
    return found;
  }

  Metrics metrics_;
  std::int64_t at_ = 0;
  std::unique_ptr<ChangeFeed> feed_;
};

TEST_F(KafkaFeed, ATransactionComesWholeInTheOrderOfItsWrites) {
  TestConnector& connector = SharedConnector();
  const std::int64_t first = connector.WriteNew({UserOf(1), PostOf(1, 1), UserOf(2), FollowOf(2, 1)});
  const std::int64_t second = connector.WriteNew({PostOf(2, 2)});
  const std::vector<Change> changes = feed_->Read(at_, 1);
  ASSERT_EQ(changes.size(), 4u) << "more than the limit, for one transaction";
  EXPECT_EQ(NameOf(changes[0]), "user1");
  EXPECT_EQ(NameOf(changes[1]), "post 1");
  EXPECT_EQ(NameOf(changes[2]), "user2");
  EXPECT_EQ(NameOf(changes[3]), "follow");
  for (const Change& change : changes) EXPECT_EQ(change.sequence, first);
  at_ = first;
  EXPECT_EQ(ReadUntil(1), Names{"post 2"});
  EXPECT_EQ(at_, second);
  EXPECT_EQ(feed_->End(), second);
}

TEST_F(KafkaFeed, ATopicThatIsHeldBackHoldsBackWhatComesAfterAndItsPoint) {
  TestConnector& connector = SharedConnector();
  connector.WriteNew({UserOf(1)});
  const std::int64_t held = connector.WriteNew({PostOf(1, 1), FollowOf(1, 2)}, "cdc.posts");
  const std::int64_t after = connector.WriteNew({UserOf(2)});
  EXPECT_EQ(ReadUntil(1), Names{"user1"});
  // The END of what comes after was read: then the rest was, too.
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(ReadSome(), Names{});
    EXPECT_LT(feed_->QuietThrough(at_), held);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  connector.WriteHeld();
  EXPECT_EQ(ReadUntil(3), (Names{"post 1", "follow", "user2"}));
  EXPECT_EQ(at_, after);
}

TEST_F(KafkaFeed, AHeartbeatMovesThePointOnWithoutAChange) {
  TestConnector& connector = SharedConnector();
  connector.WriteNew({UserOf(1)});
  const std::int64_t beat = connector.WriteNew({});
  EXPECT_EQ(ReadUntil(1), Names{"user1"});
  ReachQuietly(beat);
  const std::int64_t another = connector.WriteNew({});
  ReachQuietly(another);
  connector.WriteNew({UserOf(2)});
  EXPECT_EQ(ReadUntil(1), Names{"user2"});
  EXPECT_EQ(ValueOf(metrics_, "novafeed_kafka_searches_total"), 1) << "it goes on, and looks for nothing again";
}

TEST_F(KafkaFeed, IsCompleteAsOfTheLastCommitThatCameAndKnowsItAgainFromThere) {
  TestConnector& connector = SharedConnector();
  EXPECT_EQ(feed_->CompleteAsOf(at_), 0) << "nothing was read yet";
  const TimeMs first = connector.MoveTime();
  connector.WriteNew({UserOf(1)});
  const TimeMs second = connector.MoveTime();
  connector.WriteNew({PostOf(1, 1)}, "cdc.posts");
  EXPECT_EQ(ReadUntil(1), Names{"user1"});
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(ReadSome(), Names{});
    EXPECT_EQ(feed_->CompleteAsOf(at_), first) << "a row of what comes next is held back";
  }
  connector.WriteHeld();
  EXPECT_EQ(ReadUntil(1), Names{"post 1"});
  EXPECT_EQ(feed_->CompleteAsOf(at_), second);
  const TimeMs third = connector.MoveTime();
  ReachQuietly(connector.WriteNew({}));
  EXPECT_EQ(feed_->CompleteAsOf(at_), third) << "a heartbeat";
  Open(SharedBroker().Options());
  EXPECT_EQ(ReadSome(), Names{});
  EXPECT_EQ(feed_->CompleteAsOf(at_), third) << "the time of the commit where it begins";
}

TEST_F(KafkaFeed, RepeatedStretchesComeOnce) {
  TestConnector& connector = SharedConnector();
  std::vector<TestConnector::Transaction> written;
  for (int i = 1; i <= 4; ++i) written.push_back(connector.Commit({UserOf(i), PostOf(i, i)}));
  for (const int i : {0, 1, 2, 1, 2, 2, 3, 0, 1, 2, 3}) connector.Write(written[i]);
  const Names all = {"user1", "post 1", "user2", "post 2", "user3", "post 3", "user4", "post 4"};
  EXPECT_EQ(ReadUntil(8), all);
  EXPECT_EQ(ReadSome(), Names{});
  // From the middle, by another process.
  for (std::size_t i = 0; i < written.size(); ++i) {
    Open(SharedBroker().Options());
    at_ = written[i].commit;
    EXPECT_EQ(ReadSome(), Names(all.begin() + 2 * (static_cast<std::ptrdiff_t>(i) + 1), all.end()));
  }
}

TEST_F(KafkaFeed, AnyPlaceIsFoundAgainAmongThousands) {
  TestConnector& connector = SharedConnector();
  std::vector<std::int64_t> commits;
  for (int i = 0; i < 300; ++i) {
    commits.push_back(connector.WriteNew(i % 3 == 0 ? std::vector<Row>{} : std::vector<Row>{UserOf(i), PostOf(i, i)}));
  }
  for (const std::size_t place : {299, 0, 150, 7, 298, 42}) {
    at_ = commits[place];
    const std::vector<Change> changes = feed_->Read(at_, 2);
    const std::size_t next = (place + 1) % 3 == 0 ? place + 2 : place + 1;
    if (next >= commits.size()) {
      EXPECT_TRUE(changes.empty());
      continue;
    }
    ASSERT_EQ(changes.size(), 2u) << place;
    EXPECT_EQ(NameOf(changes[0]), "user" + std::to_string(next));
  }
}

TEST_F(KafkaFeed, ASubscriberIsToldWithoutReading) {
  TestConnector& connector = SharedConnector();
  EXPECT_EQ(ReadSome(), Names{});
  std::mutex mutex;
  std::condition_variable told;
  bool was_told = false;
  feed_->OnCommit([&] {
    const std::scoped_lock lock(mutex);
    was_told = true;
    told.notify_all();
  });
  connector.WriteNew({UserOf(1)});
  {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(told.wait_for(lock, std::chrono::seconds(30), [&] { return was_told; }));
  }
  feed_->OnCommit(nullptr);
  EXPECT_EQ(ReadUntil(1), Names{"user1"});
}

TEST_F(KafkaFeed, PoisonStopsNothingAndIsHandedOn) {
  TestConnector& connector = SharedConnector();
  std::vector<std::string> kept;
  KafkaOptions options = SharedBroker().Options();
  options.on_poison = [&kept](const PoisonMessage& poison) {
    EXPECT_FALSE(poison.reason.empty());
    kept.push_back(std::string(poison.topic) + " " + std::string(poison.value));
  };
  Open(options);
  for (const std::string_view topic : kRowTopics) connector.Put(topic, "poison");
  connector.Put(kTransactionTopic, "poison");
  connector.WriteNew({UserOf(1), PostOf(1, 1)});
  connector.Put("cdc.users", "{}");
  connector.WriteNew({UserOf(2)});
  EXPECT_EQ(ReadUntil(3), (Names{"user1", "post 1", "user2"}));
  std::ranges::sort(kept);
  EXPECT_EQ(kept.size(), kRowTopics.size() + 2);
  EXPECT_TRUE(std::ranges::binary_search(kept, "cdc.users {}"));
  EXPECT_TRUE(std::ranges::binary_search(kept, "cdc.transaction poison"));
  EXPECT_EQ(ValueOf(metrics_, "novafeed_kafka_poison_messages_total"), static_cast<double>(kept.size()));
}

TEST_F(KafkaFeed, ATransactionThatIsMissingIsForgottenAndNeverPassedOver) {
  TestConnector& connector = SharedConnector();
  connector.WriteNew({UserOf(1)});
  const TestConnector::Transaction lost = connector.Commit({UserOf(2)});
  connector.WriteNew({UserOf(3)});
  EXPECT_EQ(ReadSome(1), Names{"user1"});
  EXPECT_EQ(ErrorOfRead(at_).code, "log_forgotten");
  EXPECT_EQ(ErrorOfRead(at_).failure, Failure::kConflict);
  at_ = lost.commit;
  EXPECT_EQ(ReadSome(), Names{"user3"});
}

TEST_F(KafkaFeed, WhatRetentionTookAwayIsForgotten) {
  TestConnector& connector = SharedConnector();
  const std::int64_t first = connector.WriteNew({UserOf(1)});
  const std::int64_t second = connector.WriteNew({UserOf(2), PostOf(2, 2)});
  const std::int64_t third = connector.WriteNew({UserOf(3)});
  connector.Forget("cdc.posts");
  EXPECT_EQ(ErrorOfRead(at_).code, "log_forgotten");
  EXPECT_EQ(ErrorOfRead(first).code, "log_forgotten");
  at_ = second;
  EXPECT_EQ(ReadSome(), Names{"user3"});

  connector.Forget(kTransactionTopic);
  Open(SharedBroker().Options());
  connector.WriteNew({UserOf(4), PostOf(4, 4)});
  EXPECT_EQ(ErrorOfRead(first).code, "log_forgotten");
  EXPECT_EQ(ErrorOfRead(second).code, "log_forgotten");
  at_ = third;
  EXPECT_EQ(ReadUntil(2), (Names{"user4", "post 4"}));
}

TEST_F(KafkaFeed, AReaderWhoIsAheadWaitsForTheLaggard) {
  TestConnector& connector = SharedConnector();
  KafkaOptions options = SharedBroker().Options();
  options.rows_ahead = 10;
  Open(options);
  EXPECT_EQ(ReadSome(), Names{});
  connector.WriteNew({PostOf(0, 0)}, "cdc.posts");
  std::vector<Row> many;
  for (int i = 0; i < 500; ++i) many.push_back(UserOf(i));
  connector.WriteNew(many);
  for (int i = 500; i < 600; ++i) connector.WriteNew({UserOf(i)});
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ReadSome(), Names{});
  connector.WriteHeld();
  const Names names = ReadUntil(601);
  ASSERT_EQ(names.size(), 601u);
  EXPECT_EQ(names.front(), "post 0");
  EXPECT_EQ(names.back(), "user599");
}

TEST_F(KafkaFeed, ABrokerThatDiesAndComesBack) {
  TestConnector& connector = SharedConnector();
  connector.WriteNew({UserOf(1)});
  EXPECT_EQ(ReadUntil(1), Names{"user1"});
  SharedBroker().Kill();
  WaitUntil("it is missed", [&] { return ErrorOfRead(at_).code == "log_unavailable"; });
  EXPECT_GT(ErrorOfRead(at_).retry_after_ms, 0);
  SharedBroker().Start();
  connector.WriteNew({UserOf(2)});
  Names names;
  WaitUntil("it is found again", [&] {
    try {
      for (std::string& name : ReadSome()) names.push_back(std::move(name));
    } catch (const StoreError& error) {
      EXPECT_EQ(error.error().code, "log_unavailable");
    }
    return !names.empty();
  });
  EXPECT_EQ(names, Names{"user2"});
  EXPECT_GE(ValueOf(metrics_, "novafeed_kafka_losses_total"), 1);
  EXPECT_GE(ValueOf(metrics_, "novafeed_kafka_reconnects_total"), 1);
}

TEST_F(KafkaFeed, ABrokerThatComesBackIsFoundAlsoWhereNothingComes) {
  SharedConnector().WriteNew({UserOf(1)});
  EXPECT_EQ(ReadUntil(1), Names{"user1"});
  const auto error_of_read = [&]() -> std::string {
    try {
      feed_->Read(at_, 10);
    } catch (const StoreError& error) {
      return error.error().code;
    }
    return "";
  };
  SharedBroker().Kill();
  WaitUntil("it is missed", [&] { return error_of_read() == "log_unavailable"; });
  SharedBroker().Start();
  WaitUntil("it is found again", [&] { return error_of_read().empty(); });
}

TEST_F(KafkaFeed, ABrokerThatHangsIsGivenUpInTime) {
  KafkaOptions options = SharedBroker().Options();
  options.call_timeout = std::chrono::milliseconds(500);
  Open(options);
  SharedBroker().Stop();
  const auto begin = SteadyClock::now();
  EXPECT_EQ(ErrorOfRead(at_).code, "log_unavailable");
  EXPECT_LT(SteadyClock::now() - begin, std::chrono::seconds(5));
  SharedBroker().GoOn();
  SharedConnector().WriteNew({UserOf(1)});
  Open(SharedBroker().Options());
  EXPECT_EQ(ReadUntil(1), Names{"user1"});
}

TEST_F(KafkaFeed, WithTlsACertificateAndAPassword) {
  SharedConnector().WriteNew({UserOf(1)});
  Open(SharedBroker().SecretOptions());
  EXPECT_EQ(ReadUntil(1), Names{"user1"});

  KafkaOptions options = SharedBroker().SecretOptions();
  options.call_timeout = std::chrono::seconds(2);
  options.ca_file = SharedBroker().File("other.crt");
  Open(options);
  EXPECT_EQ(ErrorOfRead(at_).code, "log_unavailable") << "not whom we trust";

  options = SharedBroker().SecretOptions();
  options.call_timeout = std::chrono::seconds(2);
  options.certificate_file = options.key_file = "";
  Open(options);
  EXPECT_EQ(ErrorOfRead(at_).code, "log_unavailable") << "nobody whom the broker knows";

  options = SharedBroker().SecretOptions();
  options.call_timeout = std::chrono::seconds(2);
  options.password_file = SharedBroker().File("wrong");
  std::ofstream(options.password_file) << "no " << TestBroker::kPassword;
  Open(options);
  const Error refused = ErrorOfRead(at_);
  EXPECT_EQ(refused.code, "log_unavailable");
  EXPECT_EQ(refused.detail.find(TestBroker::kPassword), std::string::npos);
}

TEST_F(KafkaFeed, HoldsNoState) {
  try {
    feed_->ReadState([](const std::vector<Change>&) {});
    FAIL();
  } catch (const StoreError& error) {
    EXPECT_EQ(error.error().code, "no_state_in_log");
  }
}

TEST(OpenKafkaChangeFeed, NamesWhatIsWrongWithItsOptions) {
  Metrics metrics;
  KafkaOptions options;
  options.url = "http://one";
  EXPECT_EQ(OpenKafkaChangeFeed(options, &metrics).error().code, "bad_kafka_url");
  options.url = "kafka://nova@one";
  options.password_file = "/nowhere/password";
  EXPECT_EQ(OpenKafkaChangeFeed(options, &metrics).error().code, "bad_password_file");
  options.url = "kafkas://one";
  options.ca_file = "/nowhere/ca.crt";
  EXPECT_EQ(OpenKafkaChangeFeed(options, &metrics).error().code, "bad_kafka_options");
}

}  // namespace
}  // namespace novafeed::kafka
