// ClickHouse lands the topics itself, on the real engine and a real broker: what it holds is what the sink would have
// landed, the position never says more, a pause is an exact cut, and what is broken or gone is noticed and stops
// nothing.
#include "warehouse/follower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/clickhouse/open.h"
#include "adapters/clickhouse/test_engine.h"
#include "adapters/kafka/open.h"
#include "adapters/kafka/test_broker.h"
#include "base/metrics.h"
#include "graph/store.h"
#include "index/test_log.h"
#include "warehouse/ingest_errors.h"
#include "warehouse/kafka_landing.h"
#include "warehouse/landing.h"
#include "warehouse/log_positions.h"
#include "warehouse/sink.h"

namespace novafeed::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::kBase;
using testing::TestEngine;
using testing::TestLog;

constexpr std::int64_t kWaitMs = 120'000;
constexpr std::size_t kPartitions = 4;  // of topics.toml

// What each table says once it is merged, whatever its parts are. Versions differ: a row's own place in the log, or its
// commit's.
const std::vector<std::pair<std::string, std::string>> kContents = [] {
  std::vector<std::pair<std::string, std::string>> contents;
  for (const char* table : {"users_cdc", "posts_cdc", "comments_cdc", "likes_cdc", "follows_cdc", "follow_graph",
                            "post_counters", "post_hour_counters", "user_follows"}) {
    contents.emplace_back(table, "SELECT * EXCEPT (_version) FROM novafeed." + std::string(table) + " FINAL");
  }
  contents.emplace_back("events_raw", "SELECT * FROM novafeed.events_raw FINAL");
  const std::string sets =
      "uniqExactMerge(likes_added), uniqExactMerge(likes_removed), uniqExactMerge(comments_added), "
      "uniqExactMerge(comments_removed), uniqExactMerge(shares_seen), uniqExactMerge(impressions_seen), "
      "uniqExactMerge(views_seen)";
  contents.emplace_back("post_totals",
                        "SELECT author_id, created_at, post_id, max(is_known), max(totals.is_deleted), " + sets +
                            " FROM novafeed.post_totals AS totals GROUP BY ALL");
  contents.emplace_back("post_metrics_1h", "SELECT post_id, metric_hour, " + sets +
                                               " FROM novafeed.post_metrics_1h GROUP BY post_id, metric_hour");
  contents.emplace_back("user_author_90d",
                        "SELECT user_id, author_id, day, uniqExactMerge(given), uniqExactMerge(taken_back) "
                        "FROM novafeed.user_author_90d GROUP BY user_id, author_id, day");
  return contents;
}();

// What a feed and a boot can see of that: the sets also hold what came and went.
const std::vector<std::pair<std::string, std::string>> kVisible = [] {
  std::vector<std::pair<std::string, std::string>> visible;
  for (const char* table :
       {"users_cdc", "posts_cdc", "comments_cdc", "likes_cdc", "follows_cdc", "follow_graph", "post_counters"}) {
    visible.emplace_back(table, "SELECT * EXCEPT (_version) FROM novafeed." + std::string(table) + " FINAL");
  }
  visible.emplace_back("user_follows",
                       "SELECT * EXCEPT (_version) FROM novafeed.user_follows FINAL WHERE followers + following > 0");
  visible.emplace_back("post_hour_counters",
                       "SELECT * EXCEPT (_version) FROM novafeed.post_hour_counters FINAL "
                       "WHERE (likes, comments, shares, impressions, views) != (0, 0, 0, 0, 0)");
  visible.emplace_back("user_author_90d",
                       "SELECT user_id, author_id, day, toInt64(uniqExactMerge(given)) - "
                       "toInt64(uniqExactMerge(taken_back)) AS count FROM novafeed.user_author_90d "
                       "GROUP BY user_id, author_id, day HAVING count != 0");
  return visible;
}();

OlapRows Ask(Olap* olap, const std::string& sql) {
  Result<OlapRows> rows = olap->Query(sql, {}, {seconds(60)});
  if (!rows) throw std::runtime_error(rows.error().code + ": " + rows.error().detail + "\n" + sql);
  return *std::move(rows);
}
std::uint64_t Count(Olap* olap, const std::string& sql) {
  return Ask(olap, sql).UInt64();
}
std::vector<std::string> Lines(Olap* olap, const std::string& sql) {
  OlapRows rows = Ask(olap, "SELECT formatRow('TSV', *) AS line FROM (" + sql + ") ORDER BY line");
  std::vector<std::string> lines;
  while (!rows.AtEnd()) lines.emplace_back(rows.String());
  return lines;
}

void ExpectSameTables(const std::vector<std::pair<std::string, std::string>>& tables, Olap* expected, Olap* found) {
  for (const auto& [table, sql] : tables) EXPECT_EQ(Lines(found, sql), Lines(expected, sql)) << table;
}

// The state of a log whose changes the connector has given places of its own.
class PlacedState final : public ChangeFeed {
 public:
  explicit PlacedState(ChangeFeed* log) : log_(log) {}

  std::vector<Change> Read(std::int64_t, std::size_t) override { throw std::logic_error("only the state is read"); }
  std::int64_t End() override { throw std::logic_error("only the state is read"); }
  void OnCommit(std::function<void()>) override {}
  std::int64_t ReadState(const std::function<void(const std::vector<Change>&)>& take) override {
    const std::int64_t cut = place;
    log_->ReadState([&](std::vector<Change> rows) {
      for (Change& row : rows) row.sequence = cut;
      take(rows);
    });
    return cut;
  }

  std::atomic<std::int64_t> place = 0;

 private:
  ChangeFeed* log_;
};

// Those of Kafka, whose retention is now and then quicker than who asks.
class ForgetfulTopics final : public LandingTopics {
 public:
  explicit ForgetfulTopics(std::unique_ptr<LandingTopics> topics) : topics_(std::move(topics)) {}

  LandingOffsets Offsets() override { return topics_->Offsets(); }
  Commits ReadCommits(std::int64_t after, std::size_t limit) override { return topics_->ReadCommits(after, limit); }
  NewestCommit ReadNewestCommit() override {
    if (forgets.exchange(false)) throw StoreError(Error{Failure::kConflict, "log_forgotten", "It is gone.", 0});
    return topics_->ReadNewestCommit();
  }
  void ReadMessages(std::size_t topic, std::size_t partition, std::int64_t from, std::int64_t until,
                    const TakeMessage& take) override {
    topics_->ReadMessages(topic, partition, from, until, take);
  }
  void Rewind(std::size_t topic, const std::vector<std::int64_t>& offsets) override { topics_->Rewind(topic, offsets); }

  std::atomic<bool> forgets = false;  // what is asked for next

 private:
  const std::unique_ptr<LandingTopics> topics_;
};

// One broker for each test: offsets of groups and topics are a test's own.
class WarehouseFollowerTest : public ::testing::Test {
 protected:
  // Of the engine that lands.
  virtual std::vector<std::string> EngineArguments() const { return {}; }
  void SetUp() override {
    NOVAFEED_NEEDS_KAFKA();
    broker_ = std::make_unique<TestBroker>();
    connector_ = std::make_unique<TestConnector>(broker_->Plain());
    producer_ = std::make_unique<TestProducer>(broker_->Plain());
    engine_ = std::make_unique<TestEngine>(EngineArguments());
    olap_ = OpenClickHouse([this] { return std::optional(engine_->endpoint()); });
    sequences_[0] = 0;
    for (int user = 0; user < 12; ++user) log_.AddUser(user);
    Start();
  }
  void TearDown() override { follower_.reset(); }

  void Start() {
    follower_.reset();
    topics_ = std::make_unique<ForgetfulTopics>(OpenTopics());
    follower_ = std::make_unique<WarehouseFollower>(
        &clock_, olap_.get(), topics_.get(), &graph_, &log_.events, "g", [this] { return term_.load(); }, &metrics_,
        Options());
    follower_->Start();
  }
  std::unique_ptr<LandingTopics> OpenTopics() {
    return OpenKafkaLandingTopics(broker_->Options(), "novafeed", &metrics_).value();
  }
  WarehouseFollowerOptions Options() const {
    WarehouseFollowerOptions options;
    options.settler.landing.broker_list = broker_->Plain();
    options.settler.stop_ttl_merges = true;
    options.settler.rest_before_anew = milliseconds(500);
    options.refresh_every = milliseconds(50);
    return options;
  }

  // Another node beside the same warehouse.
  struct Node {
    std::atomic<bool> has_lease{false};
    Metrics metrics;
    std::unique_ptr<LandingTopics> topics;
    std::unique_ptr<WarehouseFollower> follower;
  };
  std::unique_ptr<Node> StartNode() {
    auto node = std::make_unique<Node>();
    node->topics = OpenTopics();
    node->follower = std::make_unique<WarehouseFollower>(
        &clock_, olap_.get(), node->topics.get(), &graph_, &log_.events, "g",
        [has_lease = &node->has_lease] { return has_lease->load() ? 1U : 0U; }, &node->metrics, Options());
    node->follower->Start();
    return node;
  }

  // Random history, as transactions and events on the topics.
  void Grow(int steps) {
    for (int step = 0; step < steps; ++step) log_.RandomStep(&random_, kBase);
    PutNew();
  }
  void PutNew() {
    std::vector<Change> changes = log_.Read(written_.changes, 1'000'000);
    for (std::size_t begin = 0; begin < changes.size();) {
      const std::size_t size = std::min<std::size_t>(changes.size() - begin, 1 + random_() % 5);
      const auto first = changes.begin() + static_cast<std::ptrdiff_t>(begin);
      committed_ = connector_->WriteChanges({first, first + static_cast<std::ptrdiff_t>(size)});
      begin += size;
      written_.changes = (first + static_cast<std::ptrdiff_t>(size) - 1)->sequence;
      sequences_[committed_] = written_.changes;
    }
    for (const LoggedEvent& event : log_.events.Read(written_.events, 1'000'000)) {
      producer_->Put("events", LandingLineOf(event).line, static_cast<std::int32_t>(event.partition));
      Advance(&written_.events, event);
    }
    producer_->Flush();
  }
  // Of all that was written.
  Position End() const { return {"g", committed_, written_.events}; }

  bool Fill() {
    if (Await(follower_.get(), End(), kWaitMs)) return true;
    ADD_FAILURE() << Describe(follower_->position()) << " instead of " << Describe(End()) << ": "
                  << follower_->status().reason;
    return false;
  }
  // As another node does that settles. The follower may begin it again while its tables are taken away, so that its
  // database cannot be.
  void EndLanding() {
    WaitUntil("landing is ended", [this] { return EndKafkaLanding(olap_.get()).has_value(); });
  }
  static std::string Describe(const Position& position) {
    return std::to_string(position.changes) + " and " + novafeed::Describe(position.events);
  }

  // The same log, landed by the sink into an engine of its own.
  void ExpectAsTheSinkLands(const std::vector<std::pair<std::string, std::string>>& tables = kContents) {
    TestEngine engine;
    const std::unique_ptr<Olap> olap = OpenClickHouse(engine.endpoint());
    Metrics metrics;
    WarehouseSinkOptions options;
    options.stop_ttl_merges = true;
    WarehouseSink sink(&clock_, olap.get(), &log_, &log_.events, "g", &metrics, options);
    sink.Start();
    ASSERT_TRUE(Await(&sink, {"g", log_.End(), log_.events.End()}, kWaitMs)) << sink.status().reason;
    ExpectSameTables(tables, olap.get(), olap_.get());
  }
  void AwaitNothingTouched() {
    WaitUntil("touched parts are dropped", [this] {
      return Count(olap_.get(),
                   "SELECT count() FROM system.parts WHERE database = 'novafeed' AND table LIKE 'touched%' AND active "
                   "AND rows > 0") == 0;
    });
  }
  double Metric(const std::string& name) const {
    double sum = 0;
    for (const auto& value : metrics_.Read().Values(name)) sum += value.value;
    return sum;
  }

  const std::uint64_t seed_ = TestSeed();
  std::mt19937_64 random_{seed_};
  ManualClock clock_{kBase};
  Metrics metrics_;
  TestLog log_{kPartitions};
  PlacedState graph_{&log_};
  Position written_;                                // of log_, on the topics
  std::int64_t committed_ = 0;                      // of the connector
  std::map<std::int64_t, std::int64_t> sequences_;  // of log_, by commit
  std::atomic<std::uint64_t> term_{1};              // of the lease
  std::unique_ptr<TestBroker> broker_;
  std::unique_ptr<TestConnector> connector_;
  std::unique_ptr<TestProducer> producer_;
  std::unique_ptr<TestEngine> engine_;
  std::unique_ptr<Olap> olap_;
  std::unique_ptr<ForgetfulTopics> topics_;
  std::unique_ptr<WarehouseFollower> follower_;
};

TEST_F(WarehouseFollowerTest, WhatItLandsIsWhatTheSinkLandsAndAReplayChangesNothing) {
  for (int round = 0; round < 5; ++round) Grow(200);
  ASSERT_TRUE(Fill());
  ExpectAsTheSinkLands();
  AwaitNothingTouched();

  ASSERT_TRUE(follower_->Rewind({0, EventPoints(), false}));
  WaitUntil("it is landed again", [this] {
    const SinkStatus status = follower_->status();
    return status.phase == SinkPhase::kFollowing && status.entries_left == 0;
  });
  EXPECT_EQ(follower_->position().changes, committed_) << "the position stays meanwhile";
  AwaitNothingTouched();
  ExpectAsTheSinkLands();
}

// A start forgets that rows are kept beyond their time, so this engine keeps them always.
class KilledWarehouseTest : public WarehouseFollowerTest {
  std::vector<std::string> EngineArguments() const override { return {"--set", "olap.ttl=false"}; }
};

TEST_F(KilledWarehouseTest, KilledInTheMiddleNothingIsLostAndNoRefreshIs) {
  for (int round = 0; round < 6; ++round) {
    for (int part = 0; part < 4; ++part) Grow(60);
    engine_->Kill();
    Grow(20);
    engine_->Start();
    if (round % 2 == 1) Start();  // serve, too
  }
  ASSERT_TRUE(Fill());
  ExpectAsTheSinkLands();
  AwaitNothingTouched();
}

// What a cut showed, to be compared when the writing is over.
struct Cut {
  Position position;
  std::uint64_t events = 0;
  std::uint64_t newest = 0;       // place of the newest row
  std::uint64_t likes_added = 0;  // ever
  std::uint64_t likes = 0;
};

TEST_F(WarehouseFollowerTest, APauseIsAnExactCutAlsoWhileMuchIsWritten) {
  std::atomic<bool> done = false;
  std::thread writer([&] {
    while (!done) Grow(30);
  });
  std::vector<Cut> cuts;
  for (int times = 0; times < 5; ++times) {
    const Result<WarehousePause> held = WarehousePause::Take(follower_.get(), seconds(60));
    if (!held) {
      ADD_FAILURE() << held.error().detail;
      break;
    }
    for (int look = 0; look < 2; ++look) {
      Cut& cut = cuts.emplace_back();
      cut.position = held->position();
      // Every event is a row of its own.
      cut.events = Count(olap_.get(), "SELECT count() FROM novafeed.events_raw FINAL");
      for (const char* table : {"users_cdc", "posts_cdc", "comments_cdc", "likes_cdc", "follows_cdc"}) {
        cut.newest =
            std::max(cut.newest, Count(olap_.get(), std::string("SELECT max(_version) FROM novafeed.") + table));
      }
      cut.likes_added = Count(olap_.get(),
                              "SELECT sum(added) FROM (SELECT uniqExactMerge(likes_added) AS added "
                              "FROM novafeed.post_totals GROUP BY post_id)");
      cut.likes = Count(olap_.get(), "SELECT toUInt64(sum(likes)) FROM novafeed.post_counters FINAL");
    }
  }
  done = true;
  writer.join();
  const std::vector<Change> changes = log_.Read(0, 1'000'000);
  for (const Cut& cut : cuts) {
    EXPECT_EQ(cut.events, static_cast<std::uint64_t>(cut.position.events.Total()));
    EXPECT_LE(cut.newest, static_cast<std::uint64_t>(cut.position.changes)) << "a row of a later commit";
    std::uint64_t added = 0;
    std::uint64_t removed = 0;
    for (const Change& change : changes) {
      if (change.sequence > sequences_.at(cut.position.changes)) break;
      if (!std::holds_alternative<Like>(change.Latest())) continue;
      added += change.op == ChangeOp::kCreate ? 1 : 0;
      removed += change.op == ChangeOp::kDelete ? 1 : 0;
    }
    EXPECT_EQ(cut.likes_added, added);
    EXPECT_EQ(cut.likes, added - removed);
  }
  ASSERT_TRUE(Fill());
  ExpectAsTheSinkLands();
}

// A snapshot is like that: what lands in one block reaches over years, and the hours of posts are partitioned by day.
TEST_F(WarehouseFollowerTest, ABlockMayReachOverAnyNumberOfDays) {
  log_.AddPost(0, 1, kBase - 700 * kMsPerDay);
  for (int day = 0; day < 700; ++day) {
    log_.AddEvent(EventType::kShare, day % 12, 0, kBase - day * kMsPerDay);
    if (day < 12) log_.AddLike(day, 0, kBase - 50 * day * kMsPerDay);
  }
  PutNew();
  ASSERT_TRUE(Fill());
  ExpectAsTheSinkLands();
}

TEST_F(WarehouseFollowerTest, APoisonMessageOnEachTopicIsKeptWithItsPlaceAndStopsNothing) {
  Grow(100);
  std::vector<std::string> expected;
  for (const std::string_view topic : kLandingTopics) {
    producer_->Put(topic, "no message of " + std::string(topic), topic == "events" ? 2 : 0);
    expected.push_back(std::string(topic) + (topic == "events" ? "\t2\t" : "\t0\t") + "no message of " +
                       std::string(topic) + "\n");
  }
  producer_->Flush();
  Grow(100);
  Position end = End();
  ++end.events[2];  // the poison
  ASSERT_TRUE(Await(follower_.get(), end, kWaitMs)) << follower_->status().reason;
  std::ranges::sort(expected);
  WaitUntil("they are kept",
            [&] { return Lines(olap_.get(), "SELECT topic, partition, raw FROM novafeed.ingest_errors") == expected; });
  EXPECT_EQ(Count(olap_.get(), "SELECT countIf(isNull(offset)) FROM novafeed.ingest_errors"), 0U);
  ExpectAsTheSinkLands();
}

TEST_F(WarehouseFollowerTest, WhatCannotBeReadIsGivenOnceHoweverOftenItLands) {
  Grow(50);
  ASSERT_TRUE(Fill());
  const SystemClock clock;  // as the engine's
  IngestErrors errors(&clock, olap_.get());
  const auto read = [&](std::size_t limit) {
    std::vector<std::string> places;
    Result<std::vector<DeadLetter>> letters = errors.ReadNew(limit);
    if (!letters) throw std::runtime_error(letters.error().detail);
    for (const DeadLetter& letter : *letters) {
      places.push_back(letter.place.topic + " " + std::to_string(letter.place.partition) + " " + letter.message);
      EXPECT_FALSE(letter.reason.empty());
      EXPECT_TRUE(letter.IsWhole());
      EXPECT_NEAR(static_cast<double>(letter.at), static_cast<double>(clock.Now()), 60'000);
    }
    return places;
  };
  for (const char* message : {"it's \\ one", "another"}) producer_->Put("events", message, 2);
  producer_->Put("events", std::string(kMostOfDeadLetter + 5, 'x'), 1);
  producer_->Put("cdc.likes", "no like");
  producer_->Flush();
  WaitUntil("they are kept", [&] { return Count(olap_.get(), "SELECT count() FROM novafeed.ingest_errors") == 4; });
  Result<std::vector<DeadLetter>> first = errors.ReadNew(2);
  ASSERT_TRUE(first) << first.error().detail;
  ASSERT_EQ(first->size(), 2U);
  EXPECT_EQ(first->at(0).message, "no like");
  EXPECT_EQ(first->at(1).message, std::string(kMostOfDeadLetter, 'x'));
  EXPECT_EQ(first->at(1).bytes, kMostOfDeadLetter + 5);
  EXPECT_THAT(read(2), ElementsAre("events 2 it's \\ one", "events 2 another"));
  EXPECT_THAT(read(2), ElementsAre());
  ASSERT_TRUE(olap_->Execute("INSERT INTO novafeed.ingest_errors SELECT * FROM novafeed.ingest_errors", {}, {}));
  producer_->Put("events", "a third", 2);
  producer_->Flush();
  WaitUntil("it is kept", [&] { return Count(olap_.get(), "SELECT count() FROM novafeed.ingest_errors") == 9; });
  EXPECT_THAT(read(10), ElementsAre("events 2 a third"));
  ExpectAsTheSinkLands();
}

TEST_F(WarehouseFollowerTest, MessagesThatKafkaForgotBeforeTheyWereLandedAreNoticed) {
  Grow(50);
  ASSERT_TRUE(Fill());
  const Result<Position> held = follower_->Pause(seconds(60));  // nobody lands
  ASSERT_TRUE(held);
  const std::int64_t events = written_.events[0];
  while (written_.events[0] < events + 3) Grow(10);
  producer_->Forget("events");
  follower_->Resume();
  WaitUntil("it is noticed", [&] { return Metric("novafeed_warehouse_lost_messages_total") > 0; });
  EXPECT_EQ(Metric("novafeed_warehouse_lost_messages_total"), static_cast<double>(written_.events[0] - events));
  Grow(50);
  EXPECT_TRUE(Fill()) << "what comes behind is landed";
}

TEST_F(WarehouseFollowerTest, EventsThatKafkaForgotBeforeTheyWereLandedComeFromTheCopyOfThem) {
  Grow(100);
  ASSERT_TRUE(Fill());
  {
    const Result<WarehousePause> held = WarehousePause::Take(follower_.get(), seconds(60));  // nobody lands
    ASSERT_TRUE(held);
    Grow(100);
    producer_->Forget("events");
    Grow(20);
  }
  ASSERT_TRUE(Fill());
  WaitUntil("it is noticed", [&] { return Metric("novafeed_warehouse_lost_messages_total") > 0; });
  ExpectAsTheSinkLands();
}

TEST_F(WarehouseFollowerTest, AfterTimeWithoutASlotTheStateStandsInForItAndGhostsAreSwept) {
  log_.AddPost(0, 1, kBase);
  log_.AddLike(2, 0, kBase - 5);
  log_.AddComment(1'000'000, 3, 0, kBase);
  log_.AddFollow(4, 5);
  Grow(300);
  ASSERT_TRUE(Fill());

  // Nobody captures.
  log_.RemoveLike(2, 0);
  log_.AddLike(2, 0, kBase + 1);  // another life, in another hour
  log_.RemoveComment(1'000'000);
  log_.RemoveFollow(4, 5);
  log_.RemoveUser(11);
  for (int step = 0; step < 200; ++step) log_.RandomStep(&random_, kBase);
  written_.changes = log_.End();
  PutNew();  // the events

  // A snapshot behind all that was captured before, and the state a little later.
  const std::int64_t last = connector_->last();
  graph_.place = last + 400;
  log_.ReadState([&](std::vector<Change> rows) {
    for (Change& row : rows) {
      row.sequence = last + 300;
      const EnvelopeMessage message = EncodeEnvelope(row, 1, {"postgresql", "novafeed", "3.6.3.Final"});
      connector_->Put(message.topic, message.value);
    }
  });
  committed_ = connector_->WriteNew({});
  ASSERT_GT(committed_, graph_.place);
  ASSERT_TRUE(Fill());
  EXPECT_EQ(Metric("novafeed_warehouse_states_total"), 1);
  EXPECT_GE(Metric("novafeed_warehouse_ghosts_total"), 3);
  EXPECT_LE(Metric("novafeed_warehouse_ghosts_total"), 3 + 200) << "no step takes out more than one row";
  ExpectAsTheSinkLands(kVisible);

  Grow(100);
  ASSERT_TRUE(Fill());
  ExpectAsTheSinkLands(kVisible);
}

TEST_F(WarehouseFollowerTest, ATopicThatIsHeldBackHoldsBackThePositionAndAnIdleOneDoesNot) {
  Grow(50);
  ASSERT_TRUE(Fill());
  const User user{testing::TestUser(500), {}, "late", "", kBase};
  const Like like{user.id, testing::TestPost(1), user.id, kBase, kBase, 99};
  const std::int64_t held = connector_->WriteNew({user, like}, "cdc.likes");
  const std::int64_t behind = connector_->WriteNew({});
  WaitUntil("the rest of it is landed", [this] {
    return Count(olap_.get(), "SELECT count() FROM novafeed.users_cdc FINAL WHERE handle = 'late'") == 1;
  });
  EXPECT_FALSE(Await(follower_.get(), {"g", held, {}}, 500));
  connector_->WriteHeld();
  EXPECT_TRUE(Await(follower_.get(), {"g", behind, {}}, kWaitMs));
  const std::int64_t beat = connector_->WriteNew({});
  EXPECT_TRUE(Await(follower_.get(), {"g", beat, {}}, kWaitMs)) << "no topic of rows has moved";
}

TEST_F(WarehouseFollowerTest, AWarehouseThatIsNewIsFilledFromTheBeginningWhateverTheGroupsHaveCommitted) {
  Grow(100);
  ASSERT_TRUE(Fill());
  follower_.reset();
  engine_ = std::make_unique<TestEngine>();
  Start();
  ASSERT_TRUE(Fill());
  ExpectAsTheSinkLands();
}

TEST_F(WarehouseFollowerTest, WithoutTheLeaseItKnowsHowFarItIsAndTouchesNothing) {
  Grow(50);
  ASSERT_TRUE(Fill());
  const std::unique_ptr<LandingTopics> topics = OpenTopics();
  Metrics metrics;
  WarehouseFollower other(
      &clock_, olap_.get(), topics.get(), &graph_, &log_.events, "g", [] { return 0; }, &metrics, Options());
  other.Start();
  Grow(50);
  ASSERT_TRUE(Await(&other, End(), kWaitMs)) << other.status().reason;
  EXPECT_EQ(other.Rewind({0, {}, false}).error().code, "warehouse_elsewhere");

  term_ = 0;
  Grow(50);
  EXPECT_FALSE(Await(&other, End(), 1000)) << "nobody settles";
  term_ = 2;
  EXPECT_TRUE(Await(&other, End(), kWaitMs));
}

TEST_F(WarehouseFollowerTest, ANodeWithoutTheLeaseHasLandingHeldStillByTheOneThatHasIt) {
  const std::unique_ptr<LandingTopics> topics = OpenTopics();
  Metrics metrics;
  WarehouseFollower other(
      &clock_, olap_.get(), topics.get(), &graph_, &log_.events, "g", [] { return 0; }, &metrics, Options());
  other.Start();
  Grow(100);
  for (int times = 0; times < 2; ++times) {
    const Result<WarehousePause> held = WarehousePause::Take(&other, seconds(60));
    ASSERT_TRUE(held) << held.error().detail;
    Grow(100);
    EXPECT_FALSE(Await(follower_.get(), End(), 1000)) << "nothing lands";
    EXPECT_EQ(Count(olap_.get(), "SELECT count() FROM novafeed.events_raw FINAL"),
              static_cast<std::uint64_t>(held->position().events.Total()));
    EXPECT_TRUE(held->StillHeld());
  }
  ASSERT_TRUE(Fill());
  ExpectAsTheSinkLands();
}

TEST_F(WarehouseFollowerTest, AnEngineThatComesBackEmptyIsFilledAgainAndNeverSaysMoreThanItHolds) {
  Grow(200);
  ASSERT_TRUE(Fill());
  EndLanding();
  ASSERT_TRUE(olap_->Execute("DROP DATABASE novafeed SYNC", {}, {seconds(60)}));
  Grow(50);
  {
    const Result<WarehousePause> held = WarehousePause::Take(follower_.get(), seconds(60));
    ASSERT_TRUE(held) << held.error().detail;
    EXPECT_EQ(Count(olap_.get(), "SELECT count() FROM novafeed.events_raw FINAL"),
              static_cast<std::uint64_t>(held->position().events.Total()));
  }
  WaitUntil("it is filled again", [this] {
    const Result<LogPositions> said = ReadLogPositions(olap_.get(), {seconds(60)});
    if (!said || said->Applied() == Position{}) return false;
    EXPECT_LE(static_cast<std::uint64_t>(said->Applied().events.Total()),
              Count(olap_.get(), "SELECT count() FROM novafeed.events_raw FINAL"));
    return Reached(End(), said->Applied());
  });
  ASSERT_TRUE(Fill());
  ExpectAsTheSinkLands();
}

// Whoever had it in between has given greater versions.
TEST_F(WarehouseFollowerTest, ALeaseThatAnotherNodeMayHaveHadInBetweenIsTakenUpAnew) {
  const auto greatest = [this] { return Count(olap_.get(), "SELECT max(_version) FROM novafeed.log_positions"); };
  Grow(50);
  ASSERT_TRUE(Fill());
  const std::uint64_t before = greatest();
  Grow(50);
  ASSERT_TRUE(Fill());
  EXPECT_LT(greatest(), before + 1000);
  term_ = 2;
  Grow(50);
  WaitUntil("it is attached anew", [&] { return greatest() > before + 100'000; });
  EXPECT_TRUE(Fill());
}

TEST_F(WarehouseFollowerTest, LandingThatAnotherNodeHasEndedGoesOn) {
  Grow(50);
  ASSERT_TRUE(Fill());
  EndLanding();
  Grow(50);
  EXPECT_TRUE(Fill());
}

TEST_F(WarehouseFollowerTest, WhatKafkaForgetsWhileItIsAskedIsNoReasonToRefuse) {
  Grow(50);
  ASSERT_TRUE(Fill());
  topics_->forgets = true;
  WaitUntil("it has failed", [this] { return Metric("novafeed_warehouse_failures_total") > 0; });
  Grow(50);
  EXPECT_TRUE(Fill());
}

TEST_F(WarehouseFollowerTest, WhoeverSettlesNextLetsAReaderOfTheLastOneEnd) {
  Grow(50);
  ASSERT_TRUE(Fill());
  const std::unique_ptr<Node> other = StartNode();
  {
    const Result<WarehousePause> held = WarehousePause::Take(follower_.get(), seconds(60));
    ASSERT_TRUE(held) << held.error().detail;
    term_ = 0;
    other->has_lease = true;
    Grow(50);
    EXPECT_FALSE(Await(other->follower.get(), End(), 3000)) << "nothing lands";
    EXPECT_TRUE(held->StillHeld());
  }
  EXPECT_TRUE(Await(other->follower.get(), End(), kWaitMs)) << other->follower->status().reason;
}

TEST_F(WarehouseFollowerTest, AReaderOfAnotherNodeReadsOnAfterTheEndOfTheOneThatSettled) {
  Grow(50);
  ASSERT_TRUE(Fill());
  const std::unique_ptr<Node> other = StartNode();
  {
    const Result<WarehousePause> held = WarehousePause::Take(other->follower.get(), seconds(60));
    ASSERT_TRUE(held) << held.error().detail;
    Start();  // serve
    Grow(50);
    EXPECT_FALSE(Await(follower_.get(), End(), 3000)) << "nothing lands";
    EXPECT_TRUE(held->StillHeld());
  }
  EXPECT_TRUE(Fill());
}

TEST_F(WarehouseFollowerTest, AReaderWhoseHoldIsLostIsToldAndTheNextOneIsLetIn) {
  Grow(50);
  ASSERT_TRUE(Fill());
  const std::unique_ptr<Node> other = StartNode();
  const Result<WarehousePause> lost = WarehousePause::Take(other->follower.get(), seconds(60));
  ASSERT_TRUE(lost) << lost.error().detail;
  ASSERT_TRUE(olap_->Execute("TRUNCATE TABLE novafeed.landing_holds", {}, {seconds(60)}));
  WaitUntil("it is told", [&] { return !lost->StillHeld(); });
  EXPECT_EQ(lost->StillHeld().error().code, "warehouse_busy");
  const Result<WarehousePause> next = WarehousePause::Take(other->follower.get(), seconds(60));
  ASSERT_TRUE(next) << next.error().detail;
  EXPECT_TRUE(next->StillHeld());
}

TEST_F(WarehouseFollowerTest, ARewindEndsWithTheLease) {
  Grow(50);
  ASSERT_TRUE(Fill());
  {
    const Result<WarehousePause> held = WarehousePause::Take(follower_.get(), seconds(60));  // so that it waits
    ASSERT_TRUE(held) << held.error().detail;
    ASSERT_TRUE(follower_->Rewind({0, EventPoints(), false}));
    term_ = 0;
  }
  WaitUntil("it is dropped", [this] { return follower_->status().phase == SinkPhase::kFollowing; });
  EXPECT_EQ(follower_->Rewind({0, EventPoints(), false}).error().code, "warehouse_elsewhere");
}

TEST_F(WarehouseFollowerTest, AWarehouseOfAnotherDataSetIsRefused) {
  Grow(10);
  ASSERT_TRUE(Fill());
  follower_.reset();
  WarehouseFollower other(
      &clock_, olap_.get(), topics_.get(), &graph_, &log_.events, "another", [] { return true; }, &metrics_, Options());
  other.Start();
  WaitUntil("it is refused", [&] { return other.status().phase == SinkPhase::kRefused; });
}

}  // namespace
}  // namespace novafeed::kafka
