#include "index/feed_index.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "index/boot.h"
#include "index/test_log.h"

namespace novafeed {
namespace {

using testing::Describe;
using testing::kBase;
using testing::TestLog;
using testing::TestPost;
using testing::TestUser;

constexpr TimeMs kNow = kBase;

void FillRandomly(TestLog* log, std::uint64_t seed, int steps) {
  std::mt19937_64 random(seed);
  for (int user = 0; user < 12; ++user) log->AddUser(user);
  for (int step = 0; step < steps; ++step) log->RandomStep(&random, kNow);
}

std::unique_ptr<FeedIndex> FoldWhole(TestLog* log) {
  auto index = std::make_unique<FeedIndex>("g", kNow);
  index->ApplyChanges(log->Read(0, 1'000'000));
  index->ApplyEvents(log->events.Read(0, 1'000'000));
  return index;
}

// Sends the log again from random points in batches cut at random, as an at-least-once transport would.
void ReplayRandomly(TestLog* log, FeedIndex* index, std::mt19937_64* random) {
  const std::int64_t changes_end = log->End();
  const std::int64_t events_end = log->events.End();
  for (int round = 0; round < 50; ++round) {
    const Position position = index->position();
    // Never beyond what was applied plus one batch: an ordered stream may repeat, it does not skip.
    const auto from = static_cast<std::int64_t>((*random)() % static_cast<std::uint64_t>(position.changes + 1));
    index->ApplyChanges(log->Read(from, (*random)() % 40));
    const auto events_from = static_cast<std::int64_t>((*random)() % static_cast<std::uint64_t>(position.events + 1));
    index->ApplyEvents(log->events.Read(events_from, (*random)() % 40));
  }
  while (index->position().changes < changes_end) {
    index->ApplyChanges(log->Read(std::max<std::int64_t>(0, index->position().changes - 7), 10 + (*random)() % 30));
  }
  while (index->position().events < events_end) {
    index->ApplyEvents(
        log->events.Read(std::max<std::int64_t>(0, index->position().events - 7), 10 + (*random)() % 30));
  }
}

TEST(FeedIndex, ReplayingAnyPartOfTheLogInAnyBatchesChangesNoNumber) {
  const std::uint64_t first_seed = std::random_device()();
  for (std::uint64_t seed = first_seed; seed < first_seed + 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    TestLog log;
    FillRandomly(&log, seed, 400);
    std::mt19937_64 random(seed);
    FeedIndex replayed("g", kNow);
    ReplayRandomly(&log, &replayed, &random);
    const std::string expected = Describe(*FoldWhole(&log));
    ASSERT_EQ(Describe(replayed), expected);
    ReplayRandomly(&log, &replayed, &random);
    ASSERT_EQ(Describe(replayed), expected);
  }
}

TEST(FeedIndex, TablesAndTheRestOfTheLogGiveWhatTheWholeLogGives) {
  const std::uint64_t first_seed = std::random_device()();
  for (std::uint64_t seed = first_seed; seed < first_seed + 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    TestLog log;
    FillRandomly(&log, seed, 300);
    const BootedIndex booted = BootIndex({&log, &log.events, "g"}, "", kNow, [](std::string_view, std::int64_t) {});
    ASSERT_EQ(Describe(*booted.index), Describe(*FoldWhole(&log)));
    EXPECT_EQ(booted.index->position().changes, log.End());
  }
}

// What the log forgot after a week is in its totals and interactions.
TEST(FeedIndex, TablesAndALogThatForgotGiveWhatTheWholeLogGave) {
  const std::uint64_t first_seed = std::random_device()();
  for (std::uint64_t seed = first_seed; seed < first_seed + 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    TestLog log;
    std::mt19937_64 random(seed);
    for (int step = 0; step < 500; ++step) log.RandomStep(&random, kNow - (100 - step / 5) * kMsPerDay);
    const std::string expected = Describe(*FoldWhole(&log));
    for (const TimeMs keep : {40 * kMsPerDay, 7 * kMsPerDay}) {
      ASSERT_GT(log.events.Forget(kNow - keep, log.events.End()), 0);
      const BootedIndex booted = BootIndex({&log, &log.events, "g"}, "", kNow, [](std::string_view, std::int64_t) {});
      ASSERT_EQ(Describe(*booted.index), expected);
    }
  }
}

TEST(FeedIndex, WindowsThatMovedOnHoldWhatAFreshIndexHolds) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  TestLog log;
  FillRandomly(&log, seed, 500);
  const auto moved = FoldWhole(&log);
  for (const TimeMs step : {kMsPerHour, 20 * kMsPerHour, 3 * kMsPerDay, 80 * kMsPerDay}) {
    const TimeMs now = moved->anchor() + step;
    moved->AdvanceTo(now);
    FeedIndex fresh("g", now);
    fresh.ApplyChanges(log.Read(0, 1'000'000));
    fresh.ApplyEvents(log.events.Read(0, 1'000'000));
    fresh.AdvanceTo(now);
    ASSERT_EQ(Describe(*moved), Describe(fresh));
  }
}

TEST(FeedIndex, AnswersAboutUsersAndPosts) {
  TestLog log;
  log.AddUser(1);
  log.AddPost(1, 1, kNow, "hello");
  log.AddFollow(2, 1);
  log.AddLike(2, 1, kNow);
  const auto index = FoldWhole(&log);
  EXPECT_TRUE(index->KnowsUser(TestUser(1)));
  EXPECT_FALSE(index->KnowsUser(TestUser(2))) << "mentioned, but without a row";
  EXPECT_EQ(index->CountsOf(TestUser(1)).followers, 1);
  EXPECT_EQ(index->CountsOf(TestUser(2)).following, 1);
  EXPECT_EQ(index->CountsOf(TestUser(9)).following, 0);
  const std::optional<IndexedPost> post = index->FindPost(TestPost(1));
  ASSERT_TRUE(post);
  EXPECT_EQ(post->author, TestUser(1));
  EXPECT_EQ(post->totals.likes, 1);
  EXPECT_FALSE(index->FindPost(TestPost(2)));
}

TEST(FeedIndex, ContentIsGivenInTheOrderAskedAndNeverOfDeletedPosts) {
  TestLog log;
  log.AddPost(1, 1, kNow, "one");
  log.AddPost(2, 1, kNow - 31 * kMsPerDay, "old");
  log.AddPost(3, 1, kNow, "gone");
  log.DeletePost(3, kNow);
  const auto index = FoldWhole(&log);
  const auto contents = index->ContentOf(std::vector{TestPost(3), TestPost(2), TestPost(1), TestPost(9)});
  ASSERT_EQ(contents.size(), 4U);
  EXPECT_FALSE(contents[0]);
  ASSERT_TRUE(contents[1]);
  EXPECT_FALSE(contents[1]->held) << "to be read from the graph";
  ASSERT_TRUE(contents[2]);
  EXPECT_EQ(contents[2]->text, "one");
  EXPECT_FALSE(contents[3]);
}

TEST(FeedIndex, ReadersNeverSeeHalfAnUpdate) {
  // Every like moves the total, the hour and the interaction together; readers compare them all the time.
  TestLog log;
  log.AddPost(1, 1, kNow);
  for (int user = 2; user < 2000; ++user) log.AddLike(user, 1, kNow);
  FeedIndex index("g", kNow);
  std::atomic<bool> done{false};
  std::atomic<int> torn{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!done.load()) {
        index.Read([&](const IndexState& state) {
          const PostSlot* post = state.FindPost(TestPost(1));
          if (post == nullptr || post->likes == 0) return;
          std::size_t interactions = 0;
          for (const UserSlot& user : state.users) interactions += user.interactions.size();
          const auto hourly = static_cast<std::uint32_t>(state.hours.begin()->second.begin()->second.likes);
          if (post->likes != hourly || interactions != hourly) torn.fetch_add(1);
        });
      }
    });
  }
  for (const Change& change : log.Read(0, 10'000)) index.ApplyChanges(std::vector{change});
  done.store(true);
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(torn.load(), 0);
}

TEST(ReadGate, AWriterGetsInBetweenReadersThatNeverPause) {
  ReadGate gate;
  std::atomic<bool> done{false};
  std::atomic<int> inside{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      while (!done.load()) gate.Read([&] { ++inside, std::this_thread::yield(), --inside; });
    });
  }
  for (int i = 0; i < 20; ++i) gate.Write([&] { EXPECT_EQ(inside.load(), 0); });
  done.store(true);
  for (std::thread& reader : readers) reader.join();
}

TEST(ReadGate, WhileALongReaderIsInsideOthersStillGetIn) {
  ReadGate gate;
  std::promise<void> entered, leave;
  std::thread long_reader([&] {
    gate.ReadLong([&] {
      entered.set_value();
      leave.get_future().wait();
    });
  });
  entered.get_future().wait();
  std::atomic<bool> written{false};
  std::thread writer([&] { gate.Write([&] { written.store(true); }); });
  // Far beyond its patience the writer still waits, and readers still pass.
  const auto until = std::chrono::steady_clock::now() + 3 * ReadGate::kPatience;
  int passed = 0;
  while (std::chrono::steady_clock::now() < until) gate.Read([&] { ++passed; });
  EXPECT_GT(passed, 0);
  EXPECT_FALSE(written.load());
  leave.set_value();
  writer.join();
  long_reader.join();
  EXPECT_TRUE(written.load());
}

}  // namespace
}  // namespace novafeed
