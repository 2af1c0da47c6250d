#include "index/boot.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <random>

#include "base/test_support.h"
#include "graph/store.h"
#include "index/snapshot.h"
#include "index/test_log.h"
#include "index/test_warehouse.h"

namespace novafeed {
namespace {

using testing::Describe;
using testing::kBase;
using testing::ModelWarehouse;
using testing::TestLog;
using testing::TestUser;

constexpr TimeMs kNow = kBase;
constexpr int kOldEvents = 5;  // that a log which keeps a week has forgotten

// Given: how many partitions the events have.
class BootTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  BootTest() {
    for (int user = 0; user < 12; ++user) log_.AddUser(user);
    log_.AddPost(0, 1, kNow - 60 * kMsPerDay);
    for (int user = 0; user < kOldEvents; ++user) log_.AddEvent(EventType::kShare, user, 0, kNow - 50 * kMsPerDay);
    old_events_ = log_.events.End();
    Grow(400);
  }

  void Grow(int steps) {
    for (int step = 0; step < steps; ++step) log_.RandomStep(&random_, kNow);
  }

  // From now on a warehouse stands beside the log, at its end.
  ModelWarehouse& AddWarehouse() {
    warehouse_ = std::make_unique<ModelWarehouse>(&log_);
    return *warehouse_;
  }

  BootSources Sources() {
    BootSources sources{&log_, &log_.events, "g"};
    if (!warehouse_) return sources;
    sources.warehouse.olap = warehouse_.get();
    sources.warehouse.cut = [this] {
      ++warehouse_->holds;
      const std::shared_ptr<void> hold(nullptr, [this](void*) { --warehouse_->holds; });
      return Result<WarehouseCut>(WarehouseCut{warehouse_->position, hold});
    };
    sources.warehouse.sample.seed = seed_;
    sources.warehouse.sample.users = sources.warehouse.sample.posts = 10'000;  // all, so that no damage is missed
    return sources;
  }

  BootedIndex Boot(const std::string& snapshot = "") { return Boot(Sources(), snapshot); }
  BootedIndex Boot(const BootSources& sources, const std::string& snapshot, TimeMs anchor = kNow) {
    return BootIndex(sources, snapshot, anchor, [](std::string_view, std::int64_t) {});
  }

  std::unique_ptr<FeedIndex> Fold(TimeMs anchor = kNow) {
    auto index = std::make_unique<FeedIndex>("g", anchor);
    index->ApplyChanges(log_.Read(0, 1'000'000));
    index->ApplyEvents(log_.events.Read({}, 1'000'000));
    return index;
  }

  // That the warehouse is passed over for this reason, and the tables give the right index.
  void ExpectTables(const BootedIndex& booted, const std::string& code) {
    EXPECT_EQ(booted.source, BootSource::kTables);
    ASSERT_FALSE(booted.passed_over.empty());
    EXPECT_EQ(booted.passed_over.back().source, BootSource::kWarehouse);
    EXPECT_EQ(booted.passed_over.back().code, code) << booted.passed_over.back().reason;
    EXPECT_EQ(Describe(*booted.index), Describe(*Fold()));
    EXPECT_EQ(warehouse_->holds, 0);
  }

  std::string SnapshotPath() const { return (directory_.path() / "index.snapshot").string(); }
  void SaveSnapshotOfNow() { ASSERT_TRUE(SaveSnapshot(*Fold(), SnapshotPath())); }

  const std::uint64_t seed_ = TestSeed();
  std::mt19937_64 random_{seed_};
  TempDirectory directory_;
  TestLog log_{GetParam()};
  EventPoints old_events_;  // where they end
  std::unique_ptr<ModelWarehouse> warehouse_;
};

INSTANTIATE_TEST_SUITE_P(Partitions, BootTest, ::testing::Values(1, 4));

TEST_P(BootTest, TheWarehouseAndTheRestOfTheLogAreTheWholeLog) {
  for (int round = 0; round < 20; ++round) {
    AddWarehouse().bound_every = 1 + random_() % 20;
    Grow(100);
    const TimeMs anchor = kNow - static_cast<TimeMs>(random_() % 3) * kMsPerHour;
    const BootedIndex booted = Boot(Sources(), "", anchor);
    ASSERT_EQ(booted.source, BootSource::kWarehouse) << booted.passed_over.back().reason;
    ASSERT_EQ(Describe(*booted.index), Describe(*Fold(anchor)));
    EXPECT_EQ(booted.index->position(), (Position{"g", log_.End(), log_.events.End()}));
    EXPECT_EQ(booted.index->Sizes().follows, Fold()->Sizes().follows);
    EXPECT_TRUE(booted.passed_over.empty());
    EXPECT_EQ(warehouse_->holds, 0);
  }
}

TEST_P(BootTest, TheProgressNamesTheStages) {
  AddWarehouse();
  Grow(10);
  std::set<std::string, std::less<>> stages;
  BootIndex(Sources(), "", kNow, [&](std::string_view stage, std::int64_t) { stages.emplace(stage); });
  EXPECT_EQ(stages, (std::set<std::string, std::less<>>{"warehouse", "sample", "log"}));
}

TEST_P(BootTest, AWarehouseThatIsAwayIsPassedOver) {
  AddWarehouse();
  for (const char* statement : {"boot_bounds", "boot_users", "boot_interactions", "boot_hours", "boot_hour_counters",
                                "sample_counts", "sample_hours"}) {
    warehouse_->failing = {statement};
    ExpectTables(Boot(), "olap_unavailable");
  }
}

TEST_P(BootTest, ACutThatCannotBeMadeIsPassedOver) {
  AddWarehouse();
  BootSources sources = Sources();
  sources.warehouse.cut = [] { return Fail(Failure::kUnavailable, "warehouse_busy", "Not at rest."); };
  ExpectTables(Boot(sources, ""), "warehouse_busy");
}

TEST_P(BootTest, AWarehouseOfAnotherDataSetIsPassedOver) {
  AddWarehouse().position.generation = "another";
  ExpectTables(Boot(), "warehouse_other_generation");
}

TEST_P(BootTest, AWarehouseThatWasNeverFilledIsPassedOver) {
  AddWarehouse().position = {};
  ExpectTables(Boot(), "warehouse_empty");
}

TEST_P(BootTest, AWarehouseThatIsAheadOfARestoredLogIsPassedOver) {
  const EventPoints end = log_.events.End();
  for (std::size_t partition = 0; partition < GetParam(); ++partition) {
    AddWarehouse().position.events[partition] = end[partition] + 1;
    ExpectTables(Boot(), "warehouse_ahead");
  }
}

// The log forgets nothing that the warehouse lacks; a restored warehouse may lack it.
TEST_P(BootTest, AWarehouseWhoseRestOfTheLogWasForgottenIsPassedOver) {
  const std::string expected = Describe(*Fold());
  AddWarehouse();
  warehouse_->position.events = {};
  ASSERT_EQ(log_.events.Forget(kNow - 7 * kMsPerDay, old_events_), kOldEvents);
  const BootedIndex booted = Boot();
  EXPECT_EQ(booted.source, BootSource::kTables);
  ASSERT_EQ(booted.passed_over.size(), 1U);
  EXPECT_EQ(booted.passed_over.front().code, "log_forgotten");
  EXPECT_EQ(Describe(*booted.index), expected);
}

TEST_P(BootTest, EachDamageOfTheWarehouseIsFoundByTheSampleAndTheTablesAreUsed) {
  using Damage = std::function<void(testing::ModelTables&)>;
  const auto first_live = [](auto& posts) {
    return std::find_if(posts.begin(), posts.end(), [](const auto& entry) { return !entry.second.deleted_at; });
  };
  const std::map<std::string, Damage> damages = {
      {"a user is missing", [](auto& tables) { tables.users.erase(tables.users.begin()); }},
      {"a follow is missing", [](auto& tables) { tables.follows.erase(tables.follows.begin()); }},
      {"one follow for another",
       [](auto& tables) {
         const auto [pair, at] = *tables.follows.begin();
         tables.follows.erase(tables.follows.begin());
         tables.follows.emplace(std::pair(pair.first, TestUser(77)), at);
       }},
      {"a follow has another time", [](auto& tables) { ++tables.follows.begin()->second; }},
      {"a post is missing", [&](auto& tables) { tables.posts.erase(first_live(tables.posts)); }},
      {"a deletion is missing",
       [](auto& tables) {
         for (auto& [id, post] : tables.posts) post.deleted_at.reset();
       }},
      {"a like is missing", [](auto& tables) { --tables.counters.begin()->second[0]; }},
      {"views are off by one", [](auto& tables) { ++tables.counters.begin()->second[4]; }},
      {"an interaction on the first day compared",
       [](auto& tables) { ++tables.interactions[{TestUser(1), TestUser(2), DayOf(kNow) - 88}]; }},
      {"an hour is lost",
       [](auto& tables) {
         std::erase_if(tables.hours, [](const auto& entry) { return entry.first.first >= HourOf(kNow) - 20; });
       }},
  };
  AddWarehouse();
  for (const auto& [name, damage] : damages) {
    SCOPED_TRACE(name);
    warehouse_->rows = warehouse_->sampled;
    damage(warehouse_->rows);
    const BootedIndex booted = Boot();
    ExpectTables(booted, kBootMismatch);
    EXPECT_NE(booted.passed_over.back().reason.find("seed " + std::to_string(seed_)), std::string::npos);
  }
}

TEST_P(BootTest, TheSampleIsAsLargeAsItIsToldToBe) {
  AddWarehouse();
  warehouse_->rows.counters.begin()->second[4] += 1;
  BootSources sources = Sources();
  sources.warehouse.sample.posts = 0;
  EXPECT_EQ(Boot(sources, "").source, BootSource::kWarehouse) << "nobody looked at it";
}

// --- The order of the sources.

TEST_P(BootTest, ASnapshotComesFirstAlsoWhereTheWarehouseIsNewer) {
  SaveSnapshotOfNow();
  Grow(50);
  AddWarehouse();
  Grow(50);
  const BootedIndex booted = Boot(SnapshotPath());
  EXPECT_EQ(booted.source, BootSource::kSnapshot);
  EXPECT_TRUE(booted.passed_over.empty());
  EXPECT_EQ(Describe(*booted.index), Describe(*Fold()));
}

TEST_P(BootTest, WithoutASnapshotTheWarehouseComesBeforeTheTables) {
  AddWarehouse();
  const BootedIndex booted = Boot(SnapshotPath());
  EXPECT_EQ(booted.source, BootSource::kWarehouse);
  ASSERT_EQ(booted.passed_over.size(), 1U);
  EXPECT_EQ(booted.passed_over.front().code, "no_snapshot");
}

TEST_P(BootTest, AnOldSnapshotComesAfterTheWarehouseAndBeforeTheTables) {
  SaveSnapshotOfNow();
  Grow(100);
  AddWarehouse();
  BootSources sources = Sources();
  sources.long_log = 20;
  const BootedIndex from_warehouse = Boot(sources, SnapshotPath());
  EXPECT_EQ(from_warehouse.source, BootSource::kWarehouse);
  ASSERT_EQ(from_warehouse.passed_over.size(), 1U);
  EXPECT_EQ(from_warehouse.passed_over.front().code, "snapshot_old");

  warehouse_->failing = {"boot_posts"};
  const BootedIndex from_snapshot = Boot(sources, SnapshotPath());
  EXPECT_EQ(from_snapshot.source, BootSource::kSnapshot);
  EXPECT_EQ(from_snapshot.passed_over.back().code, "olap_unavailable");
  EXPECT_EQ(Describe(*from_snapshot.index), Describe(*Fold()));
}

TEST_P(BootTest, ASnapshotThatNothingJoinsToTheLogIsPassedOver) {
  SaveSnapshotOfNow();
  Grow(200);
  const std::string expected = Describe(*Fold());
  AddWarehouse();
  ASSERT_GT(log_.events.Forget(kNow + kMsPerDay, log_.events.End()), 0);
  const BootedIndex booted = Boot(SnapshotPath());
  EXPECT_EQ(booted.source, BootSource::kWarehouse);
  ASSERT_EQ(booted.passed_over.size(), 1U);
  EXPECT_EQ(booted.passed_over.front().code, "log_forgotten");
  EXPECT_EQ(Describe(*booted.index), expected);
}

}  // namespace
}  // namespace novafeed
