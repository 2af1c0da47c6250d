// Checks and repairs on the engine itself: log, sink, SQL, index.
#include "app/check_desk.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "app/test_olap.h"
#include "base/metrics.h"
#include "base/test_support.h"
#include "index/boot.h"
#include "index/state.h"
#include "index/test_log.h"
#include "stream/test_forwarding_log.h"
#include "warehouse/sink.h"

namespace novafeed {
namespace {

using testing::Describe;
using testing::kBase;
using testing::TestLog;
using testing::TestOlap;

constexpr TimeMs kNow = kBase;
constexpr std::int64_t kAllOfIt = 120'000;  // milliseconds to wait for the log's end
const OlapCall kDamageCall{std::chrono::minutes(1), {{"mutations_sync", "2"}}};

// A log that does not know what it has forgotten, as that of several processes.
class LogWithoutTotals final : public ForwardingEventLog {
 public:
  using ForwardingEventLog::ForwardingEventLog;

  EventPoints ReadForgotten(const TakeTotals& /*take_totals*/, const TakeInteractions& /*take_interactions*/) override {
    throw StoreError(Error{Failure::kInternal, kNoTotals, "It does not know what it has forgotten.", 0});
  }
};

// One whose every pause is broken.
class RestlessFiller final : public WarehouseFiller {
 public:
  explicit RestlessFiller(WarehouseFiller* filler) : filler_(filler) {}

  void Start() override { filler_->Start(); }
  void RequestStop() override { filler_->RequestStop(); }
  bool StopWithin(std::chrono::milliseconds timeout) override { return filler_->StopWithin(timeout); }
  void Stop() override { filler_->Stop(); }
  Position position() const override { return filler_->position(); }
  SinkStatus status() const override { return filler_->status(); }
  TimeMs CountersAsOf() const override { return filler_->CountersAsOf(); }
  void WaitFor(const Position& wanted, std::int64_t timeout_ms, std::function<void(bool)> done) override {
    filler_->WaitFor(wanted, timeout_ms, std::move(done));
  }
  Result<Position> Pause(std::chrono::milliseconds timeout) override {
    Result<Position> position = filler_->Pause(timeout);
    ++broken_;
    return position;
  }
  void Resume() override { filler_->Resume(); }
  std::uint64_t BrokenPauses() const override { return broken_; }
  Status Rewind(const SinkRewind& rewind) override { return filler_->Rewind(rewind); }
  void ReportLag() const override { filler_->ReportLag(); }
  double LagSeconds() const override { return filler_->LagSeconds(); }

 private:
  WarehouseFiller* filler_;
  std::uint64_t broken_ = 0;
};

// Given: how many partitions the events have.
class CheckDeskTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  CheckDeskTest() {
    for (int user = 0; user < 12; ++user) log_.AddUser(user);
    log_.AddPost(0, 1, kNow - 2 * kMsPerDay, "the first");
  }

  // A past of so many days, a step after the other.
  void GrowOverTime(int steps, int days) {
    for (int step = 0; step < steps; ++step) {
      log_.RandomStep(&random_, kNow - (steps - step) * (days * kMsPerDay / steps));
    }
  }
  void Grow(int steps) {
    for (int step = 0; step < steps; ++step) log_.RandomStep(&random_, kNow);
  }

  void StartSink() {
    WarehouseSinkOptions options;
    options.batch_rows = 500 + random_() % 500;
    options.refresh_every = std::chrono::milliseconds(20);
    options.stop_ttl_merges = true;
    sink_ = std::make_unique<WarehouseSink>(&clock_, &olap_.writer(), &log_, &log_.events, "g", &metrics_, options);
    sink_->Start();
  }

  void BootTheIndex() {
    index_ = std::move(BootIndex(Sources(), "", kNow, [](std::string_view, std::int64_t) {}).index);
  }
  BootSources Sources() {
    BootSources sources{&log_, events_, "g"};
    if (events_ == &log_.events) return sources;
    sources.warehouse.olap = &olap_.writer();
    sources.warehouse.cut = [this] { return CutAtRest(sink_.get(), std::chrono::milliseconds(kAllOfIt)); };
    return sources;
  }

  CheckSubjects Subjects() {
    CheckSubjects subjects;
    subjects.clock = &clock_;
    subjects.changes = &log_;
    subjects.events = events_;
    subjects.generation = "g";
    subjects.olap = &olap_.writer();
    subjects.sink = sink_.get();
    subjects.index = index_.get();
    subjects.rebuild_index = [this] { return RebuildIndex(Sources(), kNow, index_.get()); };
    return subjects;
  }

  Result<CheckOutcome> Check(bool repair = false) {
    CheckDesk desk(Subjects(), &upkeep_, &metrics_);
    CheckOptions options;
    options.repair = repair;
    return desk.Run(options, [](std::string_view) {});
  }

  // What a check says, in lines; empty where all agree.
  std::string Differences(bool repair = false) {
    const Result<CheckOutcome> outcome = Check(repair);
    if (!outcome) return outcome.error().code + ": " + outcome.error().detail;
    if (outcome->Agrees()) return "";
    const CheckReport& report = outcome->after.empty() ? outcome->report : outcome->after.back();
    std::string lines;
    for (const SchemaDifference& difference : report.schema)
      lines += difference.object + ": " + difference.detail + "\n";
    for (const RelationReport& relation : report.relations) {
      if (!relation.failure.empty()) lines += relation.failure + "\n";
      for (const DifferenceExample& example : relation.examples) {
        lines += std::string(SpecOf(relation.relation).name) + " " + std::string(DifferenceName(example.kind)) + " " +
                 example.key + " " + example.detail + "\n";
      }
    }
    return lines;
  }

  void Execute(const std::string& sql) {
    const Status done = olap_.writer().Execute(sql, {}, kDamageCall);
    ASSERT_TRUE(done) << done.error().detail;
  }

  // Lands the log behind a random place again, and waits for it.
  void ReplaySome() {
    SinkRewind rewind;
    rewind.changes = static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(log_.End()));
    rewind.events = log_.events.HowFarForgotten().through;
    rewind.state = random_() % 2 == 0;
    ASSERT_TRUE(sink_->Rewind(rewind));
    log_.AddUser(next_user_++);  // so that there is a position to wait for behind it
    ASSERT_TRUE(Await(sink_.get(), {"g", log_.End(), log_.events.End()}, kAllOfIt)) << sink_->status().reason;
  }

  const std::uint64_t seed_ = TestSeed();
  std::mt19937_64 random_{seed_};
  ManualClock clock_{kNow};
  Metrics metrics_;
  Upkeep upkeep_{nullptr, &metrics_};
  TestOlap olap_;
  TestLog log_{GetParam()};
  LogWithoutTotals without_totals_{&log_.events};
  EventLog* events_ = &log_.events;  // what is checked
  int next_user_ = 100;
  std::unique_ptr<FeedIndex> index_;
  std::unique_ptr<WarehouseSink> sink_;
};

INSTANTIATE_TEST_SUITE_P(Partitions, CheckDeskTest, ::testing::Values(1, 4));

TEST_P(CheckDeskTest, AgreesAfterRandomHistoriesAndReplays) {
  StartSink();
  Grow(150);
  BootTheIndex();
  ASSERT_EQ(Differences(), "");
  ReplaySome();
  Grow(20);
  ASSERT_EQ(Differences(), "") << "the index stands behind the log, and the truth is turned back to it";
}

TEST_P(CheckDeskTest, AgreesWhereTheLogHasForgotten) {
  StartSink();
  GrowOverTime(200, 10);
  BootTheIndex();
  ASSERT_EQ(Differences(), "");
  ASSERT_GT(log_.events.Forget(kNow - 7 * kMsPerDay, sink_->position().events), 0);
  EXPECT_EQ(Differences(), "");
}

TEST_P(CheckDeskTest, AgreesWhereTheWarehouseWasMadeAfterTheLogForgot) {
  GrowOverTime(200, 10);
  ASSERT_GT(log_.events.Forget(kNow - 7 * kMsPerDay, log_.events.End()), 0);
  BootTheIndex();
  StartSink();
  EXPECT_EQ(Differences(), "");
}

// Whatever is done to the tables by SQL: a repair brings all back, and no replay undoes it.
TEST_P(CheckDeskTest, MendsRandomDamagesForGood) {
  // A part of the rows, by chance.
  const auto some = [this](const std::string& columns) {
    return "cityHash64(" + columns + ", " + std::to_string(random_()) + ") % 5 = 0";
  };
  const std::vector<std::pair<std::string, std::string>> tables = {
      {"users_cdc", "id"},
      {"posts_cdc", "id"},
      {"comments_cdc", "id"},
      {"likes_cdc", "user_id, post_id"},
      {"follows_cdc", "follower_id, following_id"},
      {"events_raw", "event_id"},
      {"post_totals", "post_id"},
      {"post_metrics_1h", "post_id, metric_hour"},
      {"user_author_90d", "user_id, author_id, day"},
      {"post_counters", "post_id"},
      {"post_hour_counters", "post_id, metric_hour"},
      {"follow_graph", "following_id, follower_id"},
  };
  const auto lose = [&] {
    const auto& [table, columns] = tables[random_() % tables.size()];
    Execute("ALTER TABLE novafeed." + table + " DELETE WHERE " + some(columns));
  };
  const auto bring_back_the_deleted = [&] {
    const std::string table = random_() % 2 == 0 ? "likes_cdc" : "follows_cdc";
    const std::string columns = table == "likes_cdc" ? "user_id, post_id" : "follower_id, following_id";
    Execute("INSERT INTO novafeed." + table + " SELECT * REPLACE (0 AS _deleted) FROM (SELECT * FROM novafeed." +
            table + " WHERE _deleted = 1) WHERE " + some(columns));
  };
  const auto count_twice = [&] {
    Execute(
        "INSERT INTO novafeed.post_totals (author_id, created_at, post_id, likes_added, views_seen) SELECT author_id, "
        "created_at, post_id, arrayReduce('uniqExactState', [toUInt64(1000001)]), arrayReduce('uniqExactState', "
        "[toUInt64(7), 8]) FROM novafeed.post_counters WHERE " +
        some("post_id"));
    Execute(
        "INSERT INTO novafeed.user_author_90d (user_id, author_id, day, given) SELECT user_id, author_id, day, "
        "arrayReduce('uniqExactState', [toUInt64(7), 8]) FROM novafeed.user_author_90d WHERE " +
        some("user_id, author_id, day"));
  };
  const auto overwrite = [&] {
    Execute(
        "INSERT INTO novafeed.posts_cdc SELECT * REPLACE ('other' AS text, _version + 1 AS _version) FROM (SELECT * "
        "FROM novafeed.posts_cdc FINAL) WHERE " +
        some("id"));
    Execute(
        "INSERT INTO novafeed.likes_cdc SELECT * REPLACE (incarnation + 500000 AS incarnation) FROM (SELECT * FROM "
        "novafeed.likes_cdc FINAL) WHERE " +
        some("user_id, post_id"));
  };
  const std::vector<std::function<void()>> damages = {lose, lose, lose, bring_back_the_deleted, count_twice, overwrite};

  StartSink();
  GrowOverTime(200, 10);  // each day is a partition, and a repair goes through all of them
  Grow(50);
  BootTheIndex();
  ASSERT_EQ(Differences(), "");
  if (random_() % 2 == 0) {
    ASSERT_GT(log_.events.Forget(kNow - 7 * kMsPerDay, sink_->position().events), 0);
  }
  for (int i = 0; i < 3; ++i) damages[random_() % damages.size()]();
  ++index_->StateForBoot().posts[0].likes;
  EXPECT_NE(Differences(), "");
  ASSERT_EQ(Differences(true), "");
  ReplaySome();
  EXPECT_EQ(Differences(), "") << "a replay after the repair";
}

// The warehouse is then held against its own rows, and the index against the warehouse.
TEST_P(CheckDeskTest, AgreesAndMendsTheIndexWhereTheLogDoesNotKnowAllEvents) {
  StartSink();
  GrowOverTime(60, 3);
  BootTheIndex();
  ASSERT_EQ(Differences(), "");
  const std::string right = Describe(*index_);
  events_ = &without_totals_;
  ASSERT_EQ(Differences(), "") << "it knows all events, and does not say so";
  ASSERT_GT(log_.events.Forget(kNow - kMsPerDay, sink_->position().events), 0);
  ASSERT_EQ(Differences(), "");

  index_->StateForBoot().posts[0].shares += 3;
  index_->StateForBoot().users[0].interactions.clear();
  EXPECT_NE(Differences(), "");
  ASSERT_EQ(Differences(true), "");
  EXPECT_EQ(Describe(*index_), right);
}

TEST_P(CheckDeskTest, NothingIsSaidNorMendedOfAWarehouseThatDidNotStayAtRest) {
  StartSink();
  Grow(50);
  BootTheIndex();
  ASSERT_EQ(Differences(), "");
  Execute("ALTER TABLE novafeed.posts_cdc DELETE WHERE 1");
  RestlessFiller restless(sink_.get());
  CheckSubjects subjects = Subjects();
  subjects.sink = &restless;
  CheckDesk desk(subjects, &upkeep_, &metrics_);
  CheckOptions options;
  options.repair = true;
  const Result<CheckOutcome> outcome = desk.Run(options, [](std::string_view) {});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, "warehouse_busy");
  EXPECT_NE(Differences(), "");
}

TEST_P(CheckDeskTest, MakesTheIndexAnewWhileItIsRead) {
  StartSink();
  Grow(100);
  BootTheIndex();
  const std::string right = Describe(*index_);
  index_->StateForBoot().posts[0].shares += 3;
  index_->StateForBoot().users[0].following.clear();
  EXPECT_NE(Describe(*index_), right);
  EXPECT_EQ(Differences(true), "");
  EXPECT_EQ(Describe(*index_), right);
}

TEST_P(CheckDeskTest, SaysWhatItWaitsFor) {
  sink_ = std::make_unique<WarehouseSink>(&clock_, &olap_.writer(), &log_, &log_.events, "g", &metrics_);
  BootTheIndex();
  CheckDesk desk(Subjects(), &upkeep_, &metrics_);
  CheckOptions options;
  options.wait = std::chrono::milliseconds(1);
  sink_->Stop();
  Result<CheckOutcome> outcome = desk.Run(options, [](std::string_view) {});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, "warehouse_behind");
  desk.Stop();
  outcome = desk.Run(options, [](std::string_view) {});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, "stopping");
}

}  // namespace
}  // namespace novafeed
