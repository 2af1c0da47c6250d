#include "candidates/index_engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "index/test_log.h"

namespace novafeed {
namespace {

using testing::kBase;
using testing::TestLog;
using testing::TestPost;
using testing::TestUser;

constexpr TimeMs kNow = kBase;

class IndexEngineTest : public ::testing::Test {
 protected:
  IndexEngineTest() {
    for (int user = 1; user < 10; ++user) log_.AddUser(user);
  }
  void Apply() {
    index_.ApplyChanges(log_.Read(0, 100'000));
    index_.ApplyEvents(log_.events.Read({}, 100'000));
  }
  CandidateSet Find(int viewer, TimeMs as_of = kNow, const std::vector<int>& trending = {}) {
    Apply();
    auto list = std::make_shared<TrendingList>();
    for (const int post : trending) list->posts.push_back(TrendingPost{TestPost(post), {}, 0, {}, 0});
    return *engine_.Find(CandidateQuery{TestUser(viewer), as_of, list});
  }
  static std::set<int> Numbers(const std::vector<Candidate>& candidates) {
    std::set<int> numbers;
    for (const Candidate& candidate : candidates) numbers.insert(candidate.id.value.bytes[15]);
    return numbers;
  }

  TestLog log_;
  FeedIndex index_{"g", kNow};
  IndexEngine engine_{&index_};
};

TEST_F(IndexEngineTest, FollowHoldsPostsOfTheLast72HoursOnly) {
  log_.AddFollow(1, 2);
  log_.AddPost(1, 2, kNow - kFollowWindow);
  log_.AddPost(2, 2, kNow - kFollowWindow + 1);
  log_.AddPost(3, 2, kNow);
  log_.AddPost(4, 2, kNow + 1);
  log_.AddPost(5, 3, kNow);
  EXPECT_EQ(Numbers(Find(1).follow), (std::set<int>{2, 3}));
}

TEST_F(IndexEngineTest, AnUnfollowedAuthorGivesNothing) {
  log_.AddFollow(1, 2);
  log_.AddPost(1, 2, kNow);
  log_.RemoveFollow(1, 2);
  EXPECT_TRUE(Find(1).follow.empty());
}

TEST_F(IndexEngineTest, TrendingLeavesOutOwnDeletedAndLaterPosts) {
  log_.AddPost(1, 1, kNow);      // own
  log_.AddPost(2, 2, kNow);      // deleted below
  log_.AddPost(3, 2, kNow + 5);  // after as_of
  log_.AddPost(4, 2, kNow);
  log_.DeletePost(2, kNow);
  EXPECT_EQ(Numbers(Find(1, kNow, {1, 2, 3, 4, 99}).trending), (std::set<int>{4}));
}

TEST_F(IndexEngineTest, AffinityReachesFrom89UtcDaysBackToTheEndOfToday) {
  const TimeMs day_start = DayOf(kNow) * kMsPerDay;
  int post = 0;
  const auto like_at = [&](int author, TimeMs at) {
    log_.AddPost(++post, author, kNow - 1000);
    log_.AddLike(1, post, at);
  };
  like_at(2, day_start - 89 * kMsPerDay);      // the first moment of the window
  like_at(3, day_start - 89 * kMsPerDay - 1);  // the last before it
  like_at(4, day_start + kMsPerDay - 1);       // today, after as_of
  like_at(5, day_start + kMsPerDay);           // tomorrow
  EXPECT_EQ(Numbers(Find(1).affinity), (std::set<int>{1, 3}));
}

TEST_F(IndexEngineTest, AffinityPostsAreAtMost30DaysOld) {
  log_.AddPost(1, 2, kNow - kPostWindow);
  log_.AddPost(2, 2, kNow - kPostWindow + 1);
  log_.AddLike(1, 1, kNow);
  const CandidateSet set = Find(1);
  EXPECT_EQ(Numbers(set.affinity), (std::set<int>{2}));
  EXPECT_EQ(set.affinity[0].interactions, 1);
}

TEST_F(IndexEngineTest, InteractionsStandOnTheCandidatesOfEverySource) {
  log_.AddFollow(1, 2);
  log_.AddPost(1, 2, kNow);
  log_.AddLike(1, 1, kNow);
  log_.AddComment(1, 1, 1, kNow);
  log_.AddEvent(EventType::kShare, 1, 1, kNow);
  const CandidateSet set = Find(1, kNow, {1});
  for (const auto* list : {&set.follow, &set.trending, &set.affinity, &set.fallback}) {
    ASSERT_EQ(list->size(), 1U);
    EXPECT_EQ(list->front().interactions, 3);
    EXPECT_EQ(list->front().counters, (Counters{1, 1, 1, 0}));
  }
}

TEST_F(IndexEngineTest, PostsAreLookedUpAsTheyAreNow) {
  for (int post = 1; post <= 5; ++post) log_.AddPost(post, post == 4 ? 1 : 2, post == 5 ? kNow + 1 : kNow - 10);
  Find(1);
  std::vector<Candidate> posts(5);
  for (int i = 0; i < 5; ++i) posts[static_cast<std::size_t>(i)].id = TestPost(1 + i);
  posts[1].source = Source::kAffinity;
  log_.AddLike(3, 2, kNow);
  log_.AddLike(1, 1, kNow);
  log_.DeletePost(3, kNow);
  Apply();
  const std::vector<Candidate> found = *engine_.FindPosts(TestUser(1), kNow, posts);
  EXPECT_EQ(Numbers(found), (std::set<int>{1, 2})) << "without deleted, own and later ones";
  for (const Candidate& post : found) {
    EXPECT_EQ(post.counters.likes, 1);
    EXPECT_EQ(post.interactions, 1) << "with the author of both";
    EXPECT_EQ(post.source, post.id == TestPost(2) ? Source::kAffinity : Source::kFollow);
  }
}

TEST_F(IndexEngineTest, FallbackIsNewestFirstTiesByIdAndNeverOwn) {
  for (int post = 1; post <= 60; ++post) log_.AddPost(post, post % 3 == 0 ? 1 : 2, kNow - post / 4);
  const CandidateSet set = Find(1);
  ASSERT_GE(set.fallback.size(), 20U);
  for (std::size_t i = 1; i < set.fallback.size(); ++i) {
    const Candidate& a = set.fallback[i - 1];
    const Candidate& b = set.fallback[i];
    EXPECT_TRUE(a.created_at > b.created_at || (a.created_at == b.created_at && a.id < b.id));
    EXPECT_EQ(b.author, TestUser(2));
  }
}

TEST_F(IndexEngineTest, NoFallbackWhereTwentyDifferentPostsWereFound) {
  log_.AddFollow(1, 2);
  for (int post = 1; post <= 20; ++post) log_.AddPost(post, 2, kNow);
  EXPECT_TRUE(Find(1).fallback.empty());
}

TEST_F(IndexEngineTest, AnUnknownViewerGetsTrendingAndFallback) {
  log_.AddPost(1, 2, kNow);
  const CandidateSet set = Find(77, kNow, {1});
  EXPECT_TRUE(set.follow.empty());
  EXPECT_EQ(set.trending.size(), 1U);
  EXPECT_EQ(set.fallback.size(), 1U);
}

TEST_F(IndexEngineTest, WhatAnErasedUserDidRanksForNobody) {
  log_.AddPost(1, 2, kNow);
  log_.AddEvent(EventType::kShare, 1, 1, kNow);
  ASSERT_EQ(Find(1).affinity.size(), 1U);
  log_.RemoveUser(1);
  const CandidateSet set = Find(1);
  EXPECT_TRUE(set.affinity.empty());
  ASSERT_EQ(set.fallback.size(), 1U);
  EXPECT_EQ(set.fallback[0].interactions, 0);
  EXPECT_EQ(set.fallback[0].counters.shares, 1) << "the post keeps its count";
}

TEST_F(IndexEngineTest, ThePositionIsThatOfTheState) {
  log_.AddPost(1, 2, kNow);
  const CandidateSet set = Find(1);
  EXPECT_EQ(set.position, index_.position());
  EXPECT_EQ(set.position.changes, log_.End());
}

TEST_F(IndexEngineTest, TrendingWindowIsWholeClockHours) {
  const TimeMs hour_start = HourOf(kNow) * kMsPerHour;
  log_.AddPost(1, 2, kNow - 2 * kMsPerDay);
  log_.AddLike(5, 1, hour_start - 23 * kMsPerHour);      // first moment of the 24 buckets
  log_.AddLike(6, 1, hour_start - 23 * kMsPerHour - 1);  // just before them
  log_.AddEvent(EventType::kImpression, 7, 1, kNow);
  Apply();
  const auto found = *engine_.FindTrending(kNow, 24);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].window, (Counters{1, 0, 0, 1}));
}

TEST_F(IndexEngineTest, TrendingNeedsAnActionNotOnlyImpressions) {
  log_.AddPost(1, 2, kNow);
  log_.AddEvent(EventType::kImpression, 7, 1, kNow);
  log_.AddPost(2, 2, kNow - kPostWindow);  // too old
  log_.AddLike(5, 2, kNow);
  log_.AddPost(3, 2, kNow + 1);  // after as_of
  log_.AddLike(5, 3, kNow);
  log_.AddPost(4, 2, kNow);
  log_.AddLike(5, 4, kNow);
  log_.DeletePost(4, kNow);
  Apply();
  EXPECT_TRUE(engine_.FindTrending(kNow, 24)->empty());
}

TEST_F(IndexEngineTest, FollowingMergesAuthorsNewestFirstAndGoesOnWhereToldTo) {
  std::mt19937_64 random(std::random_device{}());
  std::vector<std::pair<TimeMs, PostId>> expected;
  for (int author = 2; author < 8; ++author) log_.AddFollow(1, author);
  for (int post = 1; post <= 200; ++post) {
    const TimeMs at = kNow - static_cast<TimeMs>(random() % 40) * kMsPerDay;
    log_.AddPost(post, 2 + static_cast<int>(random() % 6), at);
    if (at > kNow - kPostWindow) expected.emplace_back(at, TestPost(post));
  }
  std::sort(expected.begin(), expected.end(),
            [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  Apply();
  FollowingQuery query{TestUser(1), kNow, std::nullopt, 0};
  std::vector<std::pair<TimeMs, PostId>> walked;
  while (true) {
    query.limit = 1 + random() % 9;
    const auto page = *engine_.FindFollowing(query);
    for (const Candidate& candidate : page) walked.emplace_back(candidate.created_at, candidate.id);
    if (page.size() < query.limit) break;
    query.after = walked.back();
  }
  EXPECT_EQ(walked, expected);
}

}  // namespace
}  // namespace novafeed
