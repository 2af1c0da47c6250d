#include "check/truth.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "base/test_support.h"
#include "capture/stated_feed.h"
#include "check/index_facts.h"
#include "index/boot.h"
#include "index/state.h"
#include "index/test_cluster_log.h"
#include "index/test_log.h"

namespace novafeed {
namespace {

using testing::ClusterChanges;
using testing::ClusterEvents;
using testing::kBase;
using testing::TestLog;
using testing::TestPost;
using testing::TestUser;

constexpr const char* kGeneration = "generation";

RelationSet IndexRelations() {
  RelationSet wanted;
  for (std::size_t i = NumberOf(Relation::kIndexUsers); i < kRelationCount; ++i) wanted.set(i);
  return wanted;
}

// Keeps everything.
struct KeepAll final : FactSink {
  void Take(Relation relation, std::string_view key, const Values& values, int sign) override {
    relations[relation].Add(key, values, sign);
  }
  std::map<Relation, RelationEntries> relations;
};

// What the index and the truth at the index's position do not agree on.
std::vector<std::string> Disagreements(
    ChangeFeed* changes, EventLog* events, const FeedIndex& index, const std::function<void()>& tick = [] {}) {
  KeepAll found;
  const IndexReading reading = ReadIndexFacts(index, &found);
  KeepAll expected;
  FactWriter writer(IndexRelations(), reading.windows, &expected);
  const TruthTarget target{reading.position, &writer};
  EXPECT_TRUE(ReadTruth(changes, events, {&target, 1}, tick));
  std::vector<std::string> lines;
  for (std::size_t i = NumberOf(Relation::kIndexUsers); i < kRelationCount; ++i) {
    const auto relation = static_cast<Relation>(i);
    for (const Difference& difference : CompareEntries(expected.relations[relation], found.relations[relation])) {
      lines.push_back(std::string(SpecOf(relation).name) + " " + std::string(DifferenceName(difference.kind)) + " " +
                      DescribeKey(relation, difference.key) + " " + DescribeDifference(relation, difference));
    }
  }
  return lines;
}

std::vector<std::string> Disagreements(TestLog* log, const FeedIndex& index) {
  return Disagreements(log, &log->events, index);
}

std::unique_ptr<FeedIndex> BootFrom(TestLog* log, TimeMs anchor) {
  return BootIndex({log, &log->events, kGeneration}, "", anchor, [](std::string_view, std::int64_t) {}).index;
}

using Lines = std::vector<std::string>;

// Given: how many partitions the events have.
class Truth : public ::testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Partitions, Truth, ::testing::Values(1, 4));

TEST_P(Truth, IsWhatTheIndexHoldsAtAnyPositionOfRandomHistories) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    TestLog log(GetParam());
    for (int user = 0; user < 12; ++user) log.AddUser(user);
    TimeMs now = kBase;
    for (int step = 0; step < 150; ++step) log.RandomStep(&random, now);
    const auto index = BootFrom(&log, now);
    EXPECT_EQ(Disagreements(&log, *index), Lines());
    // The log goes on and the index does not: the truth is turned back to where it stands.
    now += 5 * kMsPerHour;
    for (int step = 0; step < 100; ++step) log.RandomStep(&random, now);
    EXPECT_EQ(Disagreements(&log, *index), Lines());
    CatchUp({&log, &log.events, kGeneration}, index.get(), [](std::string_view, std::int64_t) {});
    index->AdvanceTo(now);
    EXPECT_EQ(Disagreements(&log, *index), Lines());
  }
}

TEST_P(Truth, HoldsWhatTheEventLogHasForgotten) {
  TestLog log(GetParam());
  log.AddUser(1);
  log.AddPost(1, 1, kBase - 10 * kMsPerDay);
  for (int i = 0; i < 3; ++i) log.AddEvent(EventType::kImpression, 2, 1, kBase - 5 * kMsPerDay);
  const auto index = BootFrom(&log, kBase);
  EXPECT_GT(log.events.Forget(kBase + kMsPerDay, log.events.End()), 0);
  EXPECT_EQ(Disagreements(&log, *index), Lines());
}

TEST_P(Truth, NamesEachKindOfDamageInTheIndex) {
  TestLog log(GetParam());
  log.AddUser(1);
  log.AddUser(2);
  log.AddPost(1, 1, kBase - kMsPerHour);
  log.AddFollow(2, 1);
  log.AddLike(2, 1, kBase);
  const std::string post = "id=" + TestPost(1).ToString();

  const auto damaged = [&](auto&& damage) {
    const auto index = BootFrom(&log, kBase);
    damage(&index->StateForBoot());
    return Disagreements(&log, *index);
  };
  EXPECT_EQ(damaged([](IndexState* state) { ++state->posts[state->RefOf(TestPost(1))].likes; }),
            Lines{"index.posts different " + post + " likes 2 instead of 1"});
  EXPECT_EQ(
      damaged([](IndexState* state) { state->posts[state->RefOf(TestPost(1))].content = PackedContent("", "x"); }),
      Lines{"index.posts different " + post + " "});
  EXPECT_EQ(
      damaged([](IndexState* state) { state->users[state->RefOf(TestUser(2))].following.clear(); }),
      Lines{"index.follows missing follower_id=" + TestUser(2).ToString() + " following_id=" + TestUser(1).ToString() +
            " follows 0 instead of 1, created_at 0 instead of " + std::to_string(kBase)});
  EXPECT_EQ(damaged([](IndexState* state) { ++state->users[state->RefOf(TestUser(2))].followed_at[0]; }).size(), 1U);
  EXPECT_EQ(damaged([](IndexState* state) { state->hours.clear(); }).size(), 1U);
  EXPECT_EQ(
      damaged([](IndexState* state) { state->users[state->RefOf(TestUser(2))].interactions[0].count = 3; }).size(), 1U);
  EXPECT_EQ(damaged([](IndexState* state) { state->users[state->RefOf(TestUser(7))].known = true; }),
            Lines{"index.users extra id=" + TestUser(7).ToString() + " known 1 instead of 0"});
}

TEST_P(Truth, RefusesAPositionBeyondTheLog) {
  TestLog log(GetParam());
  log.AddUser(1);
  KeepAll facts;
  FactWriter writer(IndexRelations(), {}, &facts);
  EventPoints events_ahead;
  events_ahead[GetParam() - 1] = 1;
  for (const Position& ahead : {Position{kGeneration, 2, {}}, Position{kGeneration, 1, events_ahead}}) {
    const TruthTarget target{ahead, &writer};
    const Status read = ReadTruth(&log, &log.events, {&target, 1}, [] {});
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, "position_ahead");
  }
}

// --- A log that several processes write: it has neither the tables nor the totals of events that it has forgotten.

class ClusterTruth : public ::testing::TestWithParam<std::size_t> {
 protected:
  void Grow(int commits, TimeMs now) {
    for (int commit = 0; commit < commits; ++commit) {
      for (std::uint64_t steps = random_() % 8; steps > 0; --steps) log_.RandomStep(&random_, now);
      changes_.Commit();
    }
  }
  // An index that has taken in everything.
  std::unique_ptr<FeedIndex> Index(TimeMs anchor) {
    auto index = std::make_unique<FeedIndex>(kGeneration, anchor);
    index->ApplyChanges(changes_.Read(0, 1'000'000));
    index->ApplyEvents(events_.Read({}, 1'000'000));
    index->MoveOn(changes_.QuietThrough(index->position().changes), events_.End());
    index->AdvanceTo(anchor);
    return index;
  }
  Lines Differences(const FeedIndex& index, const std::function<void()>& tick = [] {}) {
    return Disagreements(&stated_, &events_, index, tick);
  }

  std::mt19937_64 random_{TestSeed()};
  TestLog log_{GetParam()};
  ClusterChanges changes_{&log_};
  ClusterEvents events_{&log_.events};
  // The tables, at the place of the commit that they are read by.
  StatedChangeFeed stated_{&changes_, [this](const StatedChangeFeed::Take& take) {
                             log_.ReadState(take);
                             return changes_.Commit();
                           }};
};
INSTANTIATE_TEST_SUITE_P(Partitions, ClusterTruth, ::testing::Values(1, 4));

TEST_P(ClusterTruth, IsWhatTheIndexHoldsAtAnyPosition) {
  for (int round = 0; round < 20; ++round) {
    const TimeMs now = kBase + round * kMsPerHour;
    Grow(20, now);
    const auto index = Index(now);
    EXPECT_EQ(Differences(*index), Lines());
    Grow(20, now);
    EXPECT_EQ(Differences(*index), Lines()) << "the truth is turned back to where the index stands";
  }
}

TEST_P(ClusterTruth, WaitsForTheLogToComeAsFarAsTheTables) {
  Grow(50, kBase);
  const auto index = Index(kBase);
  changes_.HoldBack();
  Grow(50, kBase);
  int ticks = 0;
  const auto release_in_time = [&] {
    if (++ticks == 5) changes_.Release();
  };
  EXPECT_EQ(Differences(*index, release_in_time), Lines());
  EXPECT_GE(ticks, 5);
}

TEST_P(ClusterTruth, WaitsForTheEventsThatTheIndexHas) {
  Grow(50, kBase);
  events_.HoldBack();
  Grow(50, kBase);
  events_.Release();
  const auto index = Index(kBase);
  events_.HoldBackFrom({});
  int ticks = 0;
  const auto release_in_time = [&] {
    if (++ticks == 5) events_.Release();
  };
  EXPECT_EQ(Differences(*index, release_in_time), Lines());
  EXPECT_GE(ticks, 5);
}

}  // namespace
}  // namespace novafeed
