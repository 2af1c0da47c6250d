#include "index/feed_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <span>
#include <thread>
#include <vector>

#include "base/test_support.h"
#include "index/boot.h"
#include "index/snapshot.h"
#include "index/test_cluster_log.h"
#include "index/test_log.h"

namespace novafeed {
namespace {

using testing::ClusterChanges;
using testing::ClusterEvents;
using testing::Describe;
using testing::Interleave;
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
  index->ApplyEvents(log->events.Read({}, 1'000'000));
  return index;
}

// Points that are at most these: of each partition by chance.
EventPoints AnyBefore(EventPoints points, std::mt19937_64* random) {
  for (std::size_t i = 0; i < kMaxEventPartitions; ++i) {
    points[i] = static_cast<std::int64_t>((*random)() % static_cast<std::uint64_t>(points[i] + 1));
  }
  return points;
}

// Of each partition some of the events again that are at most these, and what follows them.
EventPoints SomeBefore(EventPoints points) {
  for (std::size_t i = 0; i < kMaxEventPartitions; ++i) points[i] = std::max<std::int64_t>(0, points[i] - 7);
  return points;
}

// Sends the log again from random points in batches cut at random, as an at-least-once transport would.
void ReplayRandomly(TestLog* log, FeedIndex* index, std::mt19937_64* random) {
  const std::int64_t changes_end = log->End();
  const EventPoints events_end = log->events.End();
  for (int round = 0; round < 50; ++round) {
    const Position position = index->position();
    // Never beyond what was applied plus one batch: an ordered stream may repeat, it does not skip.
    const auto from = static_cast<std::int64_t>((*random)() % static_cast<std::uint64_t>(position.changes + 1));
    index->ApplyChanges(log->Read(from, (*random)() % 40));
    const EventPoints events_from = AnyBefore(position.events, random);
    index->ApplyEvents(Interleave(log->events.Read(events_from, (*random)() % 40), random));
  }
  while (index->position().changes < changes_end) {
    index->ApplyChanges(log->Read(std::max<std::int64_t>(0, index->position().changes - 7), 10 + (*random)() % 30));
  }
  while (!Reached(events_end, index->position().events)) {
    const EventPoints from = SomeBefore(index->position().events);
    index->ApplyEvents(Interleave(log->events.Read(from, 40 + (*random)() % 30), random));
  }
}

// Given: how many partitions the events have.
class FeedIndexOfPartitions : public ::testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Partitions, FeedIndexOfPartitions, ::testing::Values(1, 4, kMaxEventPartitions));

// Each partition in its order, and what of which comes first is chance.
TEST_P(FeedIndexOfPartitions, NoInterleavingOfPartitionsChangesANumber) {
  std::mt19937_64 random(TestSeed());
  TestLog log(GetParam());
  FillRandomly(&log, random(), 600);
  const std::vector<LoggedEvent> events = log.events.Read({}, 1'000'000);
  ASSERT_GT(events.size(), 50U);
  const std::vector<Change> changes = log.Read(0, 1'000'000);
  const std::string expected = Describe(*FoldWhole(&log));
  for (int round = 0; round < 30; ++round) {
    const std::vector<LoggedEvent> interleaved = Interleave(events, &random);
    FeedIndex index("g", kNow);
    std::span<const LoggedEvent> events_left(interleaved);
    std::span<const Change> changes_left(changes);
    while (!events_left.empty() || !changes_left.empty()) {
      const std::size_t some_events = std::min<std::size_t>(events_left.size(), random() % 20);
      const std::size_t some_changes = std::min<std::size_t>(changes_left.size(), random() % 60);
      index.ApplyEvents(events_left.first(some_events));
      index.ApplyChanges(changes_left.first(some_changes));
      events_left = events_left.subspan(some_events);
      changes_left = changes_left.subspan(some_changes);
    }
    ASSERT_EQ(Describe(index), expected);
    ASSERT_EQ(index.position(), (Position{"g", log.End(), log.events.End()}));
  }
}

TEST_P(FeedIndexOfPartitions, ReplayingAnyPartOfTheLogInAnyBatchesChangesNoNumber) {
  const std::uint64_t first_seed = std::random_device()();
  for (std::uint64_t seed = first_seed; seed < first_seed + 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    TestLog log(GetParam());
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

// As a node of a cluster takes in its log: commits of several changes, whole, again and again, with heartbeats between
// them, and a restart from a snapshot now and then.
class CommitReplay {
 public:
  CommitReplay(ClusterChanges* changes, ClusterEvents* events, std::uint64_t seed)
      : changes_(changes), events_(events), random_(seed) {}

  const FeedIndex& index() const { return *index_; }

  // Until everything is taken in, and some of it again.
  void Run() {
    for (int round = 0; round < 60; ++round) Step(Below(index_->position().changes + 1), Below(12));
    while (index_->position().changes < changes_->End()) {
      Step(std::max<std::int64_t>(0, index_->position().changes - Below(700)), 1 + Below(30));
    }
    while (!Reached(events_->End(), index_->position().events)) {
      index_->ApplyEvents(events_->Read(SomeBefore(index_->position().events), 200));
      MoveOn();
    }
    for (int round = 0; round < 30; ++round) Step(Below(index_->position().changes + 1), Below(200));
  }

 private:
  std::int64_t Below(std::int64_t bound) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(bound));
  }

  // Reads behind `after`, which may lie between two commits, or before what is applied.
  void Step(std::int64_t after, std::int64_t limit) {
    const std::vector<Change> batch = changes_->Read(after, static_cast<std::size_t>(limit));
    for (std::int64_t times = 1 + Below(2); times > 0; --times) index_->ApplyChanges(batch);
    if (Below(3) == 0) MoveOn();
    const EventPoints events_after = AnyBefore(index_->position().events, &random_);
    index_->ApplyEvents(Interleave(events_->Read(events_after, static_cast<std::size_t>(Below(40))), &random_));
    if (Below(8) == 0) Restart();
  }

  void MoveOn() {
    const Position at = index_->position();
    index_->MoveOn(changes_->QuietThrough(at.changes), events_->QuietThrough(at.events));
  }

  void Restart() {
    const std::string path = (directory_.path() / "snapshot").string();
    ASSERT_TRUE(SaveSnapshot(*index_, path));
    Result<std::unique_ptr<FeedIndex>> loaded = LoadSnapshot(path, "g", kNow);
    ASSERT_TRUE(loaded) << loaded.error().detail;
    ASSERT_EQ((*loaded)->position(), index_->position());
    index_ = *std::move(loaded);
  }

  ClusterChanges* changes_;
  ClusterEvents* events_;
  std::mt19937_64 random_;
  TempDirectory directory_;
  std::unique_ptr<FeedIndex> index_ = std::make_unique<FeedIndex>("g", kNow);
};

TEST_P(FeedIndexOfPartitions, CommitsCountOnceHoweverBatchesAreCutAndRepeatedWithSnapshotsBetween) {
  std::mt19937_64 seeds(TestSeed());
  for (int round = 0; round < 20; ++round) {
    const std::uint64_t seed = seeds();
    SCOPED_TRACE("round " + std::to_string(round));
    std::mt19937_64 random(seed);
    TestLog log(GetParam());
    ClusterChanges changes(&log);
    for (int user = 0; user < 12; ++user) log.AddUser(user);
    for (int commit = 0; commit < 150; ++commit) {
      // Some steps write no change; a commit of none is a heartbeat. Some commits are longer than a slice.
      const std::uint64_t steps = random() % 50 == 0 ? 400 : random() % 8;
      for (std::uint64_t step = 0; step < steps; ++step) log.RandomStep(&random, kNow);
      changes.Commit();
    }
    ClusterEvents events(&log.events);
    CommitReplay replay(&changes, &events, seed);
    replay.Run();
    ASSERT_FALSE(HasFatalFailure());
    ASSERT_EQ(Describe(replay.index()), Describe(*FoldWhole(&log)));
    ASSERT_EQ(replay.index().position(), (Position{"g", changes.End(), events.End()}));
  }
}

TEST_P(FeedIndexOfPartitions, TablesAndTheRestOfTheLogGiveWhatTheWholeLogGives) {
  const std::uint64_t first_seed = std::random_device()();
  for (std::uint64_t seed = first_seed; seed < first_seed + 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    TestLog log(GetParam());
    FillRandomly(&log, seed, 300);
    const BootedIndex booted = BootIndex({&log, &log.events, "g"}, "", kNow, [](std::string_view, std::int64_t) {});
    ASSERT_EQ(Describe(*booted.index), Describe(*FoldWhole(&log)));
    EXPECT_EQ(booted.index->position().changes, log.End());
  }
}

// What the log forgot after a week is in its totals and interactions.
TEST_P(FeedIndexOfPartitions, TablesAndALogThatForgotGiveWhatTheWholeLogGave) {
  const std::uint64_t first_seed = std::random_device()();
  for (std::uint64_t seed = first_seed; seed < first_seed + 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    TestLog log(GetParam());
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
    fresh.ApplyEvents(log.events.Read({}, 1'000'000));
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

TEST(FeedIndex, ReadersSeeACommitWholeOrNotAtAll) {
  constexpr std::uint32_t kCommitted = 300;  // more than what is applied under one entry of the gate
  TestLog log;
  ClusterChanges changes(&log);
  log.AddPost(1, 1, kNow);
  changes.Commit();
  for (std::uint32_t like = 0; like < 20 * kCommitted; ++like) {
    log.AddLike(static_cast<int>(like) + 2, 1, kNow);
    if ((like + 1) % kCommitted == 0) changes.Commit();
  }
  FeedIndex index("g", kNow);
  std::atomic<bool> done{false};
  std::atomic<int> torn{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!done.load()) {
        index.Read([&](const IndexState& state) {
          const PostSlot* post = state.FindPost(TestPost(1));
          if (post != nullptr && post->likes % kCommitted != 0) torn.fetch_add(1);
        });
      }
    });
  }
  index.ApplyChanges(changes.Read(0, 1'000'000));
  done.store(true);
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(torn.load(), 0);
  EXPECT_EQ(index.FindPost(TestPost(1))->totals.likes, 20 * kCommitted);
  EXPECT_EQ(index.position().changes, changes.End());
}

TEST(FeedIndex, MovesOnWhereNothingWasChangedAndNeverBack) {
  TestLog log;
  ClusterChanges changes(&log);
  log.AddUser(1);
  const std::int64_t user = changes.Commit();
  FeedIndex index("g", kNow);
  index.ApplyChanges(changes.Read(0, 10));
  const std::int64_t heartbeat = changes.Commit();
  EXPECT_TRUE(changes.Read(user, 10).empty());
  index.MoveOn(changes.QuietThrough(user), {3});
  EXPECT_EQ(index.position().changes, heartbeat);
  EXPECT_EQ(index.position().events, EventPoints{3});
  index.MoveOn(user, {2, 1});
  EXPECT_EQ(index.position(), (Position{"g", heartbeat, {3, 1}}));
  log.AddUser(2);
  changes.Commit();
  index.ApplyChanges(changes.Read(heartbeat, 10));
  EXPECT_TRUE(index.KnowsUser(TestUser(2)));
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

TEST(FeedIndex, IsTakenOverOnlyByOneThatHasAppliedAsMuch) {
  TestLog log;
  log.AddUser(1);
  log.AddPost(1, 1, kBase);
  FeedIndex live("generation", kBase);
  FeedIndex behind("generation", kBase);
  behind.ApplyChanges(log.Read(0, 1));
  live.ApplyChanges(log.Read(0, 2));
  live.StateForBoot().posts[0].likes = 7;
  EXPECT_FALSE(live.TakeOver(&behind));
  EXPECT_EQ(live.FindPost(TestPost(1))->totals.likes, 7);

  behind.ApplyChanges(log.Read(1, 1));
  EXPECT_TRUE(live.TakeOver(&behind));
  EXPECT_EQ(live.FindPost(TestPost(1))->totals.likes, 0);
  EXPECT_EQ(live.position().changes, 2);
  live.ApplyChanges(log.Read(0, 2));
  EXPECT_EQ(live.FindPost(TestPost(1))->author, TestUser(1)) << "what was read before and is in it is skipped";
}

}  // namespace
}  // namespace novafeed
