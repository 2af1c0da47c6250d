// The boot over a log that holds no state, as that of a cluster.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/test_support.h"
#include "capture/stated_feed.h"
#include "graph/store.h"
#include "index/boot.h"
#include "index/snapshot.h"
#include "index/test_cluster_log.h"
#include "index/test_log.h"
#include "index/test_warehouse.h"

namespace novafeed {
namespace {

using testing::ClusterChanges;
using testing::ClusterEvents;
using testing::Describe;
using testing::kBase;
using testing::ModelWarehouse;
using testing::TestLog;

constexpr TimeMs kNow = kBase;

// Thrown out of a wait.
struct GivenUp {};

class ClusterBootTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  // Some commits of random history, and a heartbeat.
  void Grow(int commits) {
    if (log_.End() == 0) {
      for (int user = 0; user < 12; ++user) log_.AddUser(user);
    }
    for (int commit = 0; commit < commits; ++commit) {
      for (std::uint64_t steps = random_() % 8; steps > 0; --steps) log_.RandomStep(&random_, kNow);
      changes_.Commit();
    }
    changes_.Commit();
  }

  // From now on a warehouse stands beside the log: it has taken all that is committed.
  void AddWarehouse() {
    warehouse_ = std::make_unique<ModelWarehouse>(&log_);
    warehouse_->position = {"g", changes_.End(), events_.End()};
  }

  // The warehouse answers once there is one.
  BootSources Sources() {
    BootSources sources{&changes_, &events_, "g"};
    sources.warehouse.olap = &olap_;
    sources.warehouse.cut = [this]() -> Result<WarehouseCut> {
      if (!warehouse_) return Fail(Failure::kUnavailable, "olap_unavailable", "Nobody answers.");
      return WarehouseCut{warehouse_->position, nullptr};
    };
    sources.wait = [this] { WaitOnce(); };
    return sources;
  }

  void WaitOnce() {
    if (waits_.empty()) throw GivenUp();
    const auto next = std::move(waits_.front());
    waits_.erase(waits_.begin());
    next();
  }

  BootedIndex Boot(const std::string& snapshot = "") { return Boot(Sources(), snapshot); }
  BootedIndex Boot(const BootSources& sources, const std::string& snapshot) {
    return BootIndex(sources, snapshot, kNow, [this](std::string_view stage, std::int64_t count) {
      if (stage == "nothing yet") tries_.push_back(count);
    });
  }
  Error ErrorOfBoot(const BootSources& sources) {
    try {
      Boot(sources, "");
    } catch (const StoreError& error) {
      return error.error();
    }
    return {};
  }

  std::unique_ptr<FeedIndex> Fold() {
    auto index = std::make_unique<FeedIndex>("g", kNow);
    index->ApplyChanges(changes_.Read(0, 1'000'000));
    index->ApplyEvents(events_.Read({}, 1'000'000));
    return index;
  }
  void ExpectWhole(const BootedIndex& booted, BootSource source) {
    EXPECT_EQ(booted.source, source);
    EXPECT_EQ(Describe(*booted.index), Describe(*Fold()));
    EXPECT_EQ(booted.index->position(), (Position{"g", changes_.End(), events_.End()}));
  }

  // The engine, which is there before the warehouse is.
  class Engine final : public Olap {
   public:
    explicit Engine(const std::unique_ptr<ModelWarehouse>* warehouse) : warehouse_(warehouse) {}
    Result<OlapRows> Query(std::string_view sql, const OlapParams& params, const OlapCall& call) override {
      return (*warehouse_)->Query(sql, params, call);
    }
    Status Execute(std::string_view, const OlapParams&, const OlapCall&) override { throw std::logic_error("Execute"); }
    Status Insert(std::string_view, std::string_view, std::string_view, const OlapCall&) override {
      throw std::logic_error("Insert");
    }

   private:
    const std::unique_ptr<ModelWarehouse>* warehouse_;
  };

  std::mt19937_64 random_{TestSeed()};
  TempDirectory directory_;
  TestLog log_{GetParam()};
  ClusterChanges changes_{&log_};
  ClusterEvents events_{&log_.events};
  std::unique_ptr<ModelWarehouse> warehouse_;
  Engine olap_{&warehouse_};
  std::vector<std::function<void()>> waits_;  // what happens meanwhile; then the boot is given up
  std::vector<std::int64_t> tries_;           // what the progress said of them
};

INSTANTIATE_TEST_SUITE_P(Partitions, ClusterBootTest, ::testing::Values(1, 4));

TEST_P(ClusterBootTest, TheWarehouseAndTheRestOfTheLogAreTheWholeLog) {
  for (int round = 0; round < 20; ++round) {
    Grow(30);
    AddWarehouse();
    Grow(30);
    const BootedIndex booted = Boot();
    ExpectWhole(booted, BootSource::kWarehouse);
    EXPECT_TRUE(booted.passed_over.empty());
  }
  EXPECT_TRUE(tries_.empty());
}

TEST_P(ClusterBootTest, ASnapshotComesFirst) {
  Grow(50);
  const std::string path = (directory_.path() / "index.snapshot").string();
  ASSERT_TRUE(SaveSnapshot(*Fold(), path));
  Grow(10);
  ExpectWhole(Boot(path), BootSource::kSnapshot);
}

// Its sequences are far apart: what lies between is not so many entries.
TEST_P(ClusterBootTest, HowFarASnapshotIsBehindIsCountedInChanges) {
  Grow(50);
  const std::string path = (directory_.path() / "index.snapshot").string();
  ASSERT_TRUE(SaveSnapshot(*Fold(), path));
  const std::int64_t saved_at = changes_.End();
  Grow(3);
  AddWarehouse();
  BootSources sources = Sources();
  sources.long_log = 100;
  ASSERT_GT(changes_.End() - saved_at, sources.long_log);
  ExpectWhole(Boot(sources, path), BootSource::kWarehouse);
  sources.sequences_per_change = 100;
  ExpectWhole(Boot(sources, path), BootSource::kSnapshot);
}

TEST_P(ClusterBootTest, AnEmptyClusterBoots) {
  AddWarehouse();
  warehouse_->position = {"g", 0, {}};
  ExpectWhole(Boot(), BootSource::kWarehouse);
  EXPECT_EQ(warehouse_->position.changes, 0);
  changes_.Commit();
  changes_.Commit();
  ExpectWhole(Boot(), BootSource::kWarehouse);
  AddWarehouse();
  ExpectWhole(Boot(), BootSource::kWarehouse);
  EXPECT_TRUE(tries_.empty());
}

TEST_P(ClusterBootTest, ANodeWaitsForItsWarehouse) {
  Grow(20);
  waits_ = {[] {}, [this] { Grow(5); }, [this] { AddWarehouse(); }};
  const BootedIndex booted = Boot((directory_.path() / "none").string());
  ExpectWhole(booted, BootSource::kWarehouse);
  EXPECT_EQ(tries_, (std::vector<std::int64_t>{1, 2, 3}));
  ASSERT_EQ(booted.passed_over.size(), 1U) << "of the last round only";
  EXPECT_EQ(booted.passed_over.front().code, "no_snapshot");
}

TEST_P(ClusterBootTest, WhatTheWaitThrowsEndsTheBoot) {
  Grow(5);
  waits_ = {[] {}, [] {}};
  EXPECT_THROW(Boot(), GivenUp);
  EXPECT_EQ(tries_, (std::vector<std::int64_t>{1, 2, 3}));
}

// A warehouse that has not come past a stretch that the log lost will do so by its own new snapshot.
TEST_P(ClusterBootTest, AWarehouseThatNothingJoinsToTheLogIsWaitedFor) {
  Grow(20);
  AddWarehouse();
  Grow(20);
  const std::string expected = Describe(*Fold());
  changes_.Forget();
  waits_ = {[this] { AddWarehouse(); }};
  const BootedIndex booted = Boot();
  EXPECT_EQ(booted.source, BootSource::kWarehouse);
  EXPECT_EQ(Describe(*booted.index), expected);
  EXPECT_EQ(tries_.size(), 1U);
}

TEST_P(ClusterBootTest, WithoutAWaitTheErrorSaysWhatWasLookedAt) {
  Grow(5);
  BootSources sources = Sources();
  sources.events = &log_.events;  // which has all totals
  sources.wait = nullptr;
  const Error error = ErrorOfBoot(sources);
  EXPECT_EQ(error.code, kNoState);
  for (const char* part : {"warehouse", "olap_unavailable", "Nobody answers.", "tables", "It holds changes."}) {
    EXPECT_NE(error.detail.find(part), std::string::npos) << part << ": " << error.detail;
  }
}

TEST_P(ClusterBootTest, TablesWithoutTheTotalsOfForgottenEventsAreNotTaken) {
  Grow(5);
  BootSources sources = Sources();
  sources.changes = &log_;  // which has the tables
  sources.wait = nullptr;
  EXPECT_EQ(ErrorOfBoot(sources).code, kNoTotals);
}

// The tables of the store that the log is captured from, in one cut of it.
TEST_P(ClusterBootTest, WhereTheStateIsKnownAndAllTotalsTheTablesAreASource) {
  Grow(30);
  StatedChangeFeed stated(&changes_, [this](const StatedChangeFeed::Take& take) {
    log_.ReadState(take);
    return changes_.Commit();
  });
  BootSources sources = Sources();
  sources.changes = &stated;
  sources.events = &log_.events;
  const BootedIndex booted = Boot(sources, "");
  EXPECT_EQ(booted.source, BootSource::kTables);
  EXPECT_EQ(Describe(*booted.index), Describe(*Fold()));
  EXPECT_EQ(booted.index->position(), (Position{"g", changes_.End(), log_.events.End()}));
}

// Away until it is told otherwise.
class AwayChanges final : public ChangeFeed {
 public:
  explicit AwayChanges(ChangeFeed* changes) : changes_(changes) {}
  void Come() { is_there_ = true; }

  std::vector<Change> Read(std::int64_t after, std::size_t limit) override { return There()->Read(after, limit); }
  std::int64_t QuietThrough(std::int64_t after) override { return There()->QuietThrough(after); }
  std::int64_t End() override { return There()->End(); }
  std::int64_t ReadState(const std::function<void(const std::vector<Change>&)>& take) override {
    return There()->ReadState(take);
  }
  void OnCommit(std::function<void()>) override {}

 private:
  ChangeFeed* There() {
    if (!is_there_) throw StoreError(Error{Failure::kUnavailable, "log_unavailable", "It is away.", 1000});
    return changes_;
  }
  ChangeFeed* changes_;
  bool is_there_ = false;
};

TEST_P(ClusterBootTest, ALogThatIsAwayIsWaitedFor) {
  Grow(20);
  AddWarehouse();
  AwayChanges away(&changes_);
  BootSources sources = Sources();
  sources.changes = &away;
  waits_ = {[] {}, [&away] { away.Come(); }};
  ExpectWhole(Boot(sources, ""), BootSource::kWarehouse);
  EXPECT_EQ(tries_.size(), 2U);
  sources.wait = nullptr;
  AwayChanges away_for_good(&changes_);
  sources.changes = &away_for_good;
  EXPECT_EQ(ErrorOfBoot(sources).code, "log_unavailable");
}

}  // namespace
}  // namespace novafeed
