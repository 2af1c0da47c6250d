#include "index/snapshot.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "graph/store.h"
#include "index/boot.h"
#include "index/test_log.h"

namespace novafeed {
namespace {

using testing::Describe;
using testing::kBase;
using testing::TestLog;

constexpr TimeMs kNow = kBase;

// Given: how many partitions the events have.
class SnapshotTest : public ::testing::TestWithParam<std::size_t> {
 public:
  ~SnapshotTest() override { std::filesystem::remove_all(directory_); }

 protected:
  SnapshotTest() {
    char name[] = "/tmp/novafeed-snapshot-XXXXXX";
    directory_ = ::mkdtemp(name);
    path_ = directory_ + "/index.snapshot";
    std::mt19937_64 random(seed_);
    for (int step = 0; step < 600; ++step) log_.RandomStep(&random, kNow);
  }

  std::unique_ptr<FeedIndex> Fold() {
    auto index = std::make_unique<FeedIndex>("g", kNow);
    index->ApplyChanges(log_.Read(0, 100'000));
    index->ApplyEvents(log_.events.Read({}, 100'000));
    return index;
  }
  std::string ReadFile() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void WriteFile(const std::string& bytes) const { std::ofstream(path_, std::ios::binary) << bytes; }

  std::uint64_t seed_ = std::random_device()();
  ::testing::ScopedTrace trace_{__FILE__, __LINE__, "seed " + std::to_string(seed_)};
  std::string directory_;
  std::string path_;
  TestLog log_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Partitions, SnapshotTest, ::testing::Values(1, 4));

TEST_P(SnapshotTest, GivesBackTheSameIndex) {
  const auto index = Fold();
  const Result<Position> saved = SaveSnapshot(*index, path_);
  ASSERT_TRUE(saved) << saved.error().detail;
  EXPECT_EQ(*saved, index->position());
  const auto loaded = LoadSnapshot(path_, "g", kNow);
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ((*loaded)->position(), index->position());
  EXPECT_EQ((*loaded)->anchor(), index->anchor());
  EXPECT_EQ(Describe(**loaded), Describe(*index));
  EXPECT_EQ((*loaded)->Sizes().follows, index->Sizes().follows);
}

TEST_P(SnapshotTest, WithTheRestOfTheLogItIsTheWholeLog) {
  ASSERT_TRUE(SaveSnapshot(*Fold(), path_));
  std::mt19937_64 random(seed_ + 1);
  for (int step = 0; step < 300; ++step) log_.RandomStep(&random, kNow);
  const BootedIndex booted = BootIndex({&log_, &log_.events, "g"}, path_, kNow, [](std::string_view, std::int64_t) {});
  EXPECT_EQ(booted.source, BootSource::kSnapshot);
  EXPECT_EQ(Describe(*booted.index), Describe(*Fold()));
}

TEST_P(SnapshotTest, AMissingOneIsSaidAndTheTablesAreUsed) {
  const BootedIndex booted = BootIndex({&log_, &log_.events, "g"}, path_, kNow, [](std::string_view, std::int64_t) {});
  EXPECT_EQ(booted.source, BootSource::kTables);
  ASSERT_EQ(booted.passed_over.size(), 1U);
  EXPECT_EQ(booted.passed_over.front().source, BootSource::kSnapshot);
  EXPECT_NE(booted.passed_over.front().reason, "");
  EXPECT_EQ(Describe(*booted.index), Describe(*Fold()));
}

TEST_P(SnapshotTest, OneOfAnotherDataSetIsNotUsed) {
  ASSERT_TRUE(SaveSnapshot(*Fold(), path_));
  const auto loaded = LoadSnapshot(path_, "another", kNow);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, "stale_snapshot");
}

// The version stands behind the magic number; before 3 the position of the events was one number.
TEST_P(SnapshotTest, OneOfAnOlderFormatIsPassedOverWithAReason) {
  ASSERT_TRUE(SaveSnapshot(*Fold(), path_));
  std::string older = ReadFile();
  older[8] = 2;
  WriteFile(older);
  const BootedIndex booted = BootIndex({&log_, &log_.events, "g"}, path_, kNow, [](std::string_view, std::int64_t) {});
  EXPECT_EQ(booted.source, BootSource::kTables);
  ASSERT_EQ(booted.passed_over.size(), 1U);
  EXPECT_EQ(booted.passed_over.front().code, "stale_snapshot");
  EXPECT_NE(booted.passed_over.front().reason, "");
  EXPECT_EQ(Describe(*booted.index), Describe(*Fold()));
}

TEST_P(SnapshotTest, OneFromTheFutureIsNotUsed) {
  ASSERT_TRUE(SaveSnapshot(*Fold(), path_));
  const auto loaded = LoadSnapshot(path_, "g", kNow - kMsPerHour);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, "stale_snapshot");
}

TEST_P(SnapshotTest, ACutFileIsNotUsed) {
  ASSERT_TRUE(SaveSnapshot(*Fold(), path_));
  const std::string whole = ReadFile();
  std::mt19937_64 random(seed_);
  for (int i = 0; i < 60; ++i) {
    WriteFile(whole.substr(0, random() % whole.size()));
    EXPECT_FALSE(LoadSnapshot(path_, "g", kNow));
  }
}

TEST_P(SnapshotTest, AChangedByteIsNoticed) {
  ASSERT_TRUE(SaveSnapshot(*Fold(), path_));
  const std::string whole = ReadFile();
  std::mt19937_64 random(seed_);
  for (int i = 0; i < 100; ++i) {
    std::string changed = whole;
    const std::size_t at = random() % changed.size();
    changed[at] = static_cast<char>(changed[at] ^ (1 << (random() % 8)));
    WriteFile(changed);
    EXPECT_FALSE(LoadSnapshot(path_, "g", kNow)) << "byte " << at;
  }
}

TEST_P(SnapshotTest, OneThatIsAheadOfARestoredLogIsNotUsed) {
  EventPoints events_ahead = log_.events.End();
  ++events_ahead[GetParam() - 1];
  for (const Position& ahead :
       {Position{"g", log_.End() + 1, log_.events.End()}, Position{"g", log_.End(), events_ahead}}) {
    auto index = Fold();
    index->SetPosition(ahead);
    ASSERT_TRUE(SaveSnapshot(*index, path_));
    const BootedIndex booted =
        BootIndex({&log_, &log_.events, "g"}, path_, kNow, [](std::string_view, std::int64_t) {});
    EXPECT_EQ(booted.source, BootSource::kTables);
    EXPECT_EQ(Describe(*booted.index), Describe(*Fold()));
  }
}

TEST_P(SnapshotTest, AFolderInItsPlaceIsNoReasonNotToStart) {
  std::filesystem::create_directory(path_);
  const BootedIndex booted = BootIndex({&log_, &log_.events, "g"}, path_, kNow, [](std::string_view, std::int64_t) {});
  EXPECT_EQ(booted.source, BootSource::kTables);
  ASSERT_EQ(booted.passed_over.size(), 1U);
  EXPECT_EQ(booted.passed_over.front().source, BootSource::kSnapshot);
  EXPECT_NE(booted.passed_over.front().reason, "");
}

// A change log that forgets what follows its first snapshot of the tables, as retention may at that very moment.
class ForgettingLog final : public ChangeFeed {
 public:
  explicit ForgettingLog(TestLog* log) : log_(log) {}
  std::vector<Change> Read(std::int64_t after, std::size_t limit) override {
    if (states_read_ == 1) throw StoreError(Error{Failure::kConflict, "log_forgotten", "gone", 0});
    return log_->Read(after, limit);
  }
  std::int64_t End() override { return log_->End(); }
  std::int64_t ReadState(const std::function<void(const std::vector<Change>&)>& take) override {
    ++states_read_;
    return log_->ReadState(take);
  }
  void OnCommit(std::function<void()> /*notify*/) override {}
  int states_read() const { return states_read_; }

 private:
  TestLog* log_;
  int states_read_ = 0;
};

TEST_P(SnapshotTest, BootBeginsAgainWhereTheLogForgotInBetween) {
  ForgettingLog forgetting(&log_);
  const BootedIndex booted =
      BootIndex({&forgetting, &log_.events, "g"}, "", kNow, [](std::string_view, std::int64_t) {});
  EXPECT_EQ(forgetting.states_read(), 2);
  EXPECT_EQ(Describe(*booted.index), Describe(*Fold()));
}

TEST_P(SnapshotTest, WhereItCannotBeWrittenTheOldOneStays) {
  ASSERT_TRUE(SaveSnapshot(*Fold(), path_));
  const std::string before = ReadFile();
  std::filesystem::create_directory(path_ + ".new");  // the temporary name is taken
  EXPECT_FALSE(SaveSnapshot(*Fold(), path_));
  EXPECT_EQ(ReadFile(), before);
}

}  // namespace
}  // namespace novafeed
