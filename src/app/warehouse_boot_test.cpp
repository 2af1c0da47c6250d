// The boot from the warehouse on the engine itself: log, sink, SQL, index.
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "app/test_olap.h"
#include "base/metrics.h"
#include "base/test_support.h"
#include "index/boot.h"
#include "index/test_log.h"
#include "warehouse/sink.h"

namespace novafeed {
namespace {

using testing::Describe;
using testing::kBase;
using testing::TestLog;
using testing::TestOlap;
using testing::TestUser;

constexpr TimeMs kNow = kBase;
constexpr int kRandomUsers = 12;  // of TestLog's random steps
constexpr int kErased = 20;
const OlapCall kDamageCall{std::chrono::minutes(1), {{"mutations_sync", "2"}}};

// Given: how many partitions the events have.
class WarehouseBootTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  WarehouseBootTest() { Renew(); }

  // A log of its own, and a warehouse that is empty.
  void Renew() {
    sink_.reset();
    metrics_ = std::make_unique<Metrics>();
    olap_ = std::make_unique<TestOlap>();
    log_ = std::make_unique<TestLog>(GetParam());
    for (int user = 0; user < kRandomUsers; ++user) log_->AddUser(user);
    AddErasedUser();
  }

  void StartSink() {
    WarehouseSinkOptions options;
    options.batch_rows = 50 + random_() % 500;
    options.refresh_every = std::chrono::milliseconds(20);
    options.stop_ttl_merges = true;
    sink_ = std::make_unique<WarehouseSink>(&clock_, &olap_->writer(), log_.get(), &log_->events, "g", metrics_.get(),
                                            options);
    sink_->Start();
  }

  void Grow(int steps) {
    for (int step = 0; step < steps; ++step) log_->RandomStep(&random_, kNow);
  }

  // Somebody who gave something, and is gone: what they shared stays.
  void AddErasedUser() {
    log_->AddPost(0, 1, kNow - kMsPerDay, "the first");
    log_->AddUser(kErased);
    log_->AddFollow(kErased, 1);
    log_->AddFollow(2, kErased);
    log_->AddLike(kErased, 0, kNow - kMsPerHour);
    log_->AddComment(9'999, kErased, 0, kNow);
    log_->AddEvent(EventType::kShare, kErased, 0, kNow - 50 * kMsPerDay);
    log_->RemoveComment(9'999);
    log_->RemoveLike(kErased, 0);
    log_->RemoveFollow(2, kErased);
    log_->RemoveFollow(kErased, 1);
    log_->RemoveUser(kErased);
  }

  // Given tomorrow and in the next hour, as imports may be.
  void AddWhatIsDatedAhead() {
    log_->AddLike(3, 0, kNow + kMsPerHour);
    log_->AddEvent(EventType::kShare, 4, 0, kNow + kMsPerDay);
    log_->AddEvent(EventType::kImpression, 4, 0, kNow + 2 * kMsPerDay);
  }

  BootSources Sources() {
    BootSources sources{log_.get(), &log_->events, "g"};
    sources.warehouse.olap = &olap_->reader();
    sources.warehouse.cut = [this] { return CutAtRest(sink_.get(), std::chrono::minutes(1)); };
    sources.warehouse.sample.seed = seed_;
    // Everything: which post is damaged is not the seed's to choose.
    sources.warehouse.sample.users = sources.warehouse.sample.posts = 10'000;
    sources.warehouse.image.rows_at_once = 10 + random_() % 200;
    return sources;
  }

  BootedIndex Boot(TimeMs anchor = kNow) { return Boot(Sources(), anchor); }
  BootedIndex Boot(const BootSources& sources, TimeMs anchor = kNow) {
    return BootIndex(sources, "", anchor, [](std::string_view, std::int64_t) {});
  }

  std::string WholeLog(TimeMs anchor = kNow) {
    FeedIndex index("g", anchor);
    index.ApplyChanges(log_->Read(0, 1'000'000));
    index.ApplyEvents(log_->events.Read({}, 1'000'000));
    index.AdvanceTo(anchor);
    return Describe(index);
  }

  void Execute(const std::string& sql) {
    const Status done = olap_->writer().Execute(sql, {{"user", TestUser(1).ToString()}}, kDamageCall);
    ASSERT_TRUE(done) << done.error().detail;
  }

  // Lets the sink reach the log's end.
  void Fill() {
    ASSERT_TRUE(Await(sink_.get(), {"g", log_->End(), log_->events.End()}, 120'000)) << sink_->status().reason;
  }

  const std::uint64_t seed_ = TestSeed();
  std::mt19937_64 random_{seed_};
  ManualClock clock_{kNow};
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<TestLog> log_;
  std::unique_ptr<TestOlap> olap_;
  std::unique_ptr<WarehouseSink> sink_;
};

std::string ReasonOf(const BootedIndex& booted) {
  return booted.passed_over.empty() ? "" : booted.passed_over.back().code + ": " + booted.passed_over.back().reason;
}

INSTANTIATE_TEST_SUITE_P(Partitions, WarehouseBootTest, ::testing::Values(1, 4));

TEST_P(WarehouseBootTest, AtAnyPositionItIsWhatTheTablesAndTheWholeLogAre) {
  for (int round = 0; round < 2; ++round) {
    if (round > 0) Renew();
    StartSink();
    for (int part = 0; part < 3; ++part) {
      Grow(200);
      AddWhatIsDatedAhead();
      if (random_() % 2 == 0) Fill();
      for (const TimeMs anchor : {kNow, kNow - 2 * kMsPerHour, kNow + 3 * kMsPerDay}) {
        const BootedIndex booted = Boot(anchor);
        ASSERT_EQ(booted.source, BootSource::kWarehouse) << ReasonOf(booted);
        ASSERT_EQ(Describe(*booted.index), WholeLog(anchor)) << "anchor " << anchor;
        ASSERT_EQ(Describe(*Boot({log_.get(), &log_->events, "g"}, anchor).index), WholeLog(anchor));
      }
    }
  }
}

// The log keeps a week of events; what came before is in the warehouse as it came.
TEST_P(WarehouseBootTest, WhatTheLogForgotIsThere) {
  StartSink();
  for (int step = 0; step < 500; ++step) log_->RandomStep(&random_, kNow - (100 - step / 5) * kMsPerDay);
  Fill();
  const std::string expected = WholeLog();
  ASSERT_GT(log_->events.Forget(kNow - 7 * kMsPerDay, sink_->position().events), 0);
  const BootedIndex booted = Boot();
  ASSERT_EQ(booted.source, BootSource::kWarehouse) << ReasonOf(booted);
  EXPECT_EQ(Describe(*booted.index), expected);
}

// It gets what the log keeps of them: totals, and interactions by day.
TEST_P(WarehouseBootTest, AWarehouseThatIsMadeAfterTheLogForgotIsExact) {
  for (int step = 0; step < 500; ++step) log_->RandomStep(&random_, kNow - (100 - step / 5) * kMsPerDay);
  const std::string expected = WholeLog();
  ASSERT_GT(log_->events.Forget(kNow - 7 * kMsPerDay, log_->events.End()), 0);
  StartSink();
  Fill();
  const BootedIndex booted = Boot();
  ASSERT_EQ(booted.source, BootSource::kWarehouse) << ReasonOf(booted);
  EXPECT_EQ(Describe(*booted.index), expected);
}

struct Damage {
  std::string name;
  std::string table;
  std::string sql;
};

TEST_P(WarehouseBootTest, OneThatDidNotStayAtRestIsNotTaken) {
  StartSink();
  Grow(50);
  Fill();
  BootSources sources = Sources();
  sources.warehouse.cut = [cut = sources.warehouse.cut]() -> Result<WarehouseCut> {
    Result<WarehouseCut> taken = cut();
    if (taken) taken->still_held = [] { return Fail(Failure::kUnavailable, "warehouse_busy", "It went on."); };
    return taken;
  };
  const BootedIndex booted = Boot(sources);
  EXPECT_EQ(ReasonOf(booted), "warehouse_busy: It went on.");
  EXPECT_EQ(Describe(*booted.index), WholeLog());
}

TEST_P(WarehouseBootTest, EachDamageIsFoundByTheSampleAndTheTablesAreUsed) {
  const std::vector<Damage> damages = {
      {"a counter", "post_counters",
       "INSERT INTO novafeed.post_counters SELECT * REPLACE (likes + 1 AS likes, _version + 1 AS _version) "
       "FROM novafeed.post_counters FINAL WHERE is_live ORDER BY post_id LIMIT 1"},
      {"lost counters", "post_counters", "ALTER TABLE novafeed.post_counters DELETE WHERE impressions + shares > 0"},
      {"lost hours", "post_hour_counters", "TRUNCATE TABLE novafeed.post_hour_counters"},
      {"lost sets", "user_author_90d", "TRUNCATE TABLE novafeed.user_author_90d"},
      {"lost follows", "follows_cdc", "TRUNCATE TABLE novafeed.follows_cdc"},
      {"a lost user", "users_cdc", "ALTER TABLE novafeed.users_cdc DELETE WHERE id = {user:UUID}"},
      {"lost posts", "posts_cdc", "ALTER TABLE novafeed.posts_cdc DELETE WHERE user_id = {user:UUID}"},
      {"lost likes", "likes_cdc", "ALTER TABLE novafeed.likes_cdc DELETE WHERE _deleted = 0"},
      {"lost shares", "events_raw", "ALTER TABLE novafeed.events_raw DELETE WHERE type = 'share'"},
  };
  StartSink();
  Grow(300);
  AddWhatIsDatedAhead();
  Fill();
  for (const Damage& damage : damages) {
    SCOPED_TRACE(damage.name);
    const std::string table = "novafeed." + damage.table;
    Execute("DROP TABLE IF EXISTS novafeed.whole");
    Execute("CREATE TABLE novafeed.whole ENGINE = MergeTree ORDER BY tuple() AS SELECT * FROM " + table);
    const BootedIndex before = Boot();
    ASSERT_EQ(before.source, BootSource::kWarehouse) << "nothing is wrong yet, but " << ReasonOf(before);
    Execute(damage.sql);
    const BootedIndex booted = Boot();
    EXPECT_EQ(booted.source, BootSource::kTables);
    ASSERT_EQ(booted.passed_over.size(), 1U);
    EXPECT_EQ(booted.passed_over.front().code, kBootMismatch) << booted.passed_over.front().reason;
    EXPECT_EQ(Describe(*booted.index), WholeLog());
    Execute("TRUNCATE TABLE " + table);
    Execute("INSERT INTO " + table + " SELECT * FROM novafeed.whole");
  }
}

}  // namespace
}  // namespace novafeed
