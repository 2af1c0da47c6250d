#include "ranking/ranking.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <set>

namespace novafeed {
namespace {

constexpr TimeMs kNow = 1'700'000'000'000;

PostId Id(std::uint32_t number) {
  PostId id;
  for (int i = 0; i < 4; ++i) id.value.bytes[12 + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  return id;
}

Candidate MakeCandidate(std::uint32_t number, TimeMs created_at, Counters counters = {}, std::int64_t interactions = 0,
                        Source source = Source::kFollow) {
  Candidate candidate;
  candidate.id = Id(number);
  candidate.created_at = created_at;
  candidate.counters = counters;
  candidate.interactions = interactions;
  candidate.source = source;
  return candidate;
}

std::vector<std::uint32_t> Numbers(const Ranking& ranking) {
  std::vector<std::uint32_t> numbers;
  for (const RankedPost& post : ranking.posts) {
    const auto& bytes = post.candidate.id.value.bytes;
    numbers.push_back(static_cast<std::uint32_t>(bytes[12] << 24 | bytes[13] << 16 | bytes[14] << 8 | bytes[15]));
  }
  return numbers;
}

TEST(Score, ComputedByHand) {
  const ScoreParts parts = Score(MakeCandidate(1, kNow - 2 * kMsPerHour, {3, 2, 1, 20}, 4), kNow);
  EXPECT_DOUBLE_EQ(parts.age_hours, 2.0);
  EXPECT_DOUBLE_EQ(parts.freshness, std::exp(-0.2));
  EXPECT_DOUBLE_EQ(parts.engagement, std::log1p(10.0 / 20.0));
  EXPECT_DOUBLE_EQ(parts.affinity, std::log1p(4.0));
  EXPECT_DOUBLE_EQ(parts.score, 0.3 * std::exp(-0.2) + 0.4 * std::log1p(0.5) + 0.3 * std::log1p(4.0));
}

TEST(Score, ZeroImpressionsCountAsOne) {
  EXPECT_DOUBLE_EQ(Engagement({1, 0, 0, 0}), std::log1p(1.0));
  EXPECT_DOUBLE_EQ(Engagement({1, 0, 0, 1}), std::log1p(1.0));
  EXPECT_DOUBLE_EQ(Engagement({0, 0, 0, 0}), 0.0);
}

TEST(Score, APostFromTheFutureIsNoYoungerThanNow) {
  EXPECT_DOUBLE_EQ(Freshness(kNow + kMsPerHour, kNow), 1.0);
}

TEST(Score, RisesWithEachSignalAndFallsWithAge) {
  std::mt19937_64 random(std::random_device{}());
  for (int i = 0; i < 1000; ++i) {
    const auto pick = [&] { return static_cast<std::int64_t>(random() % 100); };
    const Candidate base = MakeCandidate(1, kNow - pick() * kMsPerHour, {pick(), pick(), pick(), pick() + 1}, pick());
    const double score = Score(base, kNow).score;
    Candidate more = base;
    ++more.counters.likes;
    EXPECT_GT(Score(more, kNow).score, score);
    more = base;
    ++more.interactions;
    EXPECT_GT(Score(more, kNow).score, score);
    more = base;
    more.created_at += kMsPerHour;
    EXPECT_GE(Score(more, kNow).score, score);
  }
}

TEST(Order, ScoreThenTimeThenId) {
  EXPECT_TRUE(RanksBefore(2, 0, Id(9), 1, 5, Id(1)));
  EXPECT_TRUE(RanksBefore(1, 6, Id(9), 1, 5, Id(1)));
  EXPECT_TRUE(RanksBefore(1, 5, Id(1), 1, 5, Id(9)));
  EXPECT_FALSE(RanksBefore(1, 5, Id(1), 1, 5, Id(1)));
}

TEST(Order, WhatIsNotFiniteSinks) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(RanksBefore(-1, 0, Id(9), nan, 5, Id(1)));
  EXPECT_TRUE(RanksBefore(-1, 0, Id(9), infinity, 5, Id(1)));
  EXPECT_TRUE(RanksBefore(nan, 6, Id(9), infinity, 5, Id(1))) << "among them the tie rules hold";
}

TEST(Order, IsAStrictWeakOrderOnRandomPosts) {
  std::mt19937_64 random(std::random_device{}());
  struct Key {
    double score;
    TimeMs created_at;
    PostId id;
  };
  std::vector<Key> keys;
  for (std::uint32_t i = 0; i < 40; ++i) {
    const double scores[] = {0, 1, std::nan(""), std::numeric_limits<double>::infinity()};
    keys.push_back(
        {scores[random() % 4], static_cast<TimeMs>(random() % 3), Id(static_cast<std::uint32_t>(random() % 5))});
  }
  const auto before = [](const Key& a, const Key& b) {
    return RanksBefore(a.score, a.created_at, a.id, b.score, b.created_at, b.id);
  };
  for (const Key& a : keys) {
    EXPECT_FALSE(before(a, a));
    for (const Key& b : keys) {
      EXPECT_FALSE(before(a, b) && before(b, a));
      for (const Key& c : keys) EXPECT_TRUE(!before(a, b) || !before(b, c) || before(a, c));
    }
  }
}

TEST(Rank, APostGetsTheFirstOfItsSources) {
  CandidateSet set;
  set.follow = {MakeCandidate(1, kNow)};
  set.trending = {MakeCandidate(1, kNow, {}, 0, Source::kTrending), MakeCandidate(2, kNow, {}, 0, Source::kTrending)};
  set.affinity = {MakeCandidate(2, kNow, {}, 1, Source::kAffinity), MakeCandidate(3, kNow, {}, 1, Source::kAffinity)};
  const Ranking ranking = Rank(set, kNow);
  std::set<std::pair<PostId, Source>> found;
  for (const RankedPost& post : ranking.posts) found.emplace(post.candidate.id, post.candidate.source);
  EXPECT_EQ(found, (std::set<std::pair<PostId, Source>>{
                       {Id(1), Source::kFollow}, {Id(2), Source::kTrending}, {Id(3), Source::kAffinity}}));
}

TEST(Rank, EachSourceIsCutBeforeDuplicatesAreRemovedAndNothingIsRefilled) {
  CandidateSet set;
  for (std::uint32_t i = 0; i < 600; ++i) set.follow.push_back(MakeCandidate(i, kNow - i));
  // The affinity posts 0..199 are all in follow already: its cut of 200 leaves nothing new of its 250.
  for (std::uint32_t i = 0; i < 250; ++i) set.affinity.push_back(MakeCandidate(i, kNow - i, {}, 0, Source::kAffinity));
  const Ranking ranking = Rank(set, kNow);
  ASSERT_EQ(ranking.posts.size(), 500U);
  for (const RankedPost& post : ranking.posts) EXPECT_EQ(post.candidate.source, Source::kFollow);
}

TEST(Rank, TiesAcrossACutAreBrokenByIdBytes) {
  CandidateSet set;
  for (std::uint32_t i = 0; i < 700; ++i) set.follow.push_back(MakeCandidate(i, kNow));
  std::shuffle(set.follow.begin(), set.follow.end(), std::mt19937_64(std::random_device{}()));
  const std::vector<std::uint32_t> numbers = Numbers(Rank(set, kNow));
  ASSERT_EQ(numbers.size(), 500U);
  for (std::uint32_t i = 0; i < 500; ++i) EXPECT_EQ(numbers[i], i);
}

TEST(Rank, DoesNotDependOnTheOrderOfItsInput) {
  std::mt19937_64 random(std::random_device{}());
  CandidateSet set;
  for (std::uint32_t i = 0; i < 900; ++i) {
    set.follow.push_back(
        MakeCandidate(i, kNow - static_cast<TimeMs>(random() % 5), {static_cast<std::int64_t>(random() % 3), 0, 0, 9}));
  }
  const std::vector<std::uint32_t> expected = Numbers(Rank(set, kNow));
  for (int i = 0; i < 5; ++i) {
    std::shuffle(set.follow.begin(), set.follow.end(), random);
    EXPECT_EQ(Numbers(Rank(set, kNow)), expected);
  }
}

TEST(Rank, TheMergedRankingIsCutTo500) {
  CandidateSet set;
  for (std::uint32_t i = 0; i < 450; ++i) set.follow.push_back(MakeCandidate(i, kNow));
  for (std::uint32_t i = 1000; i < 1150; ++i) set.affinity.push_back(MakeCandidate(i, kNow, {}, 5, Source::kAffinity));
  const Ranking ranking = Rank(set, kNow);
  ASSERT_EQ(ranking.posts.size(), 500U);
  EXPECT_EQ(ranking.posts[149].candidate.source, Source::kAffinity);
  EXPECT_EQ(ranking.posts[150].candidate.source, Source::kFollow);
}

TEST(Rank, FallbackFillsUpToTwentyAfterTheRanked) {
  CandidateSet set;
  for (std::uint32_t i = 0; i < 5; ++i) set.follow.push_back(MakeCandidate(i, kNow - kMsPerDay));
  for (std::uint32_t i = 0; i < 40; ++i)
    set.fallback.push_back(MakeCandidate(i, kNow - i, {9, 9, 9, 0}, 0, Source::kFallback));
  const Ranking ranking = Rank(set, kNow);
  ASSERT_EQ(ranking.posts.size(), 20U);
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(ranking.posts[i].candidate.source, i < 5 ? Source::kFollow : Source::kFallback);
  }
  EXPECT_EQ(Numbers(ranking)[5], 5U) << "those already in are passed over";
}

TEST(Rank, TwentyRankedPostsNeedNoFallback) {
  CandidateSet set;
  for (std::uint32_t i = 0; i < 20; ++i) set.follow.push_back(MakeCandidate(i, kNow));
  set.fallback.push_back(MakeCandidate(99, kNow, {}, 0, Source::kFallback));
  EXPECT_EQ(Rank(set, kNow).posts.size(), 20U);
}

TEST(RankAgain, GivesARankingBackAndMovesWhatCountsMoreNow) {
  CandidateSet set;
  for (std::uint32_t i = 1; i <= 5; ++i) set.follow.push_back(MakeCandidate(i, kNow - i * 1000));
  for (std::uint32_t i = 6; i <= 9; ++i) {
    set.fallback.push_back(MakeCandidate(i, kNow - i * 1000, {50, 0, 0, 0}, 0, Source::kFallback));
  }
  Ranking ranking = Rank(set, kNow);
  std::vector<Candidate> posts;
  for (const RankedPost& post : ranking.posts) posts.push_back(post.candidate);
  std::reverse(posts.begin(), posts.end());
  EXPECT_EQ(Numbers(Ranking{RankAgain(posts, kNow), 0}), Numbers(ranking));
  for (Candidate& post : posts) {
    if (post.id == Id(4)) post.counters.likes = 3;
  }
  EXPECT_EQ(Numbers(Ranking{RankAgain(posts, kNow), 0}), (std::vector<std::uint32_t>{4, 1, 2, 3, 5, 6, 7, 8, 9}));
}

TEST(Trending, ScoresByEngagementAndFreshnessOfTheWindow) {
  const TrendingList list = RankTrending({{Id(1), {}, kNow - kMsPerHour, {2, 0, 0, 4}}}, kNow);
  ASSERT_EQ(list.posts.size(), 1U);
  EXPECT_DOUBLE_EQ(list.posts[0].score, 0.4 * std::log1p(0.5) + 0.3 * std::exp(-0.1));
  EXPECT_EQ(list.as_of, kNow);
}

TEST(Trending, KeepsTheBest200InOrder) {
  std::vector<TrendingCandidate> candidates;
  for (std::uint32_t i = 0; i < 300; ++i)
    candidates.push_back({Id(i), {}, kNow, {static_cast<std::int64_t>(i / 2), 0, 0, 1}});
  std::shuffle(candidates.begin(), candidates.end(), std::mt19937_64(std::random_device{}()));
  const TrendingList list = RankTrending(candidates, kNow);
  ASSERT_EQ(list.posts.size(), 200U);
  EXPECT_EQ(list.posts[0].id, Id(298)) << "298 and 299 tie: the smaller id first";
  EXPECT_EQ(list.posts[199].id, Id(101));
}

}  // namespace
}  // namespace novafeed
