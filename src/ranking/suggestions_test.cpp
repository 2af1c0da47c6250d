#include "ranking/suggestions.h"

#include <gtest/gtest.h>

#include <cmath>

namespace novafeed {
namespace {

UserId Id(int number) {
  UserId id;
  id.value.bytes[14] = static_cast<std::uint8_t>(number >> 8);
  id.value.bytes[15] = static_cast<std::uint8_t>(number);
  return id;
}

std::vector<UserId> IdsOf(const std::vector<RankedUser>& ranked) {
  std::vector<UserId> ids;
  for (const RankedUser& user : ranked) ids.push_back(user.id);
  return ids;
}

TEST(RankNeighbours, SimilarityIsTheOverlapOverTheRootOfBothCounts) {
  const auto near = RankNeighbours({4, {{Id(1), 2, 9}}});
  ASSERT_EQ(near.size(), 1U);
  EXPECT_EQ(near[0].similarity, 2 / 6.0);
}

TEST(RankNeighbours, TheNearestFirstTiesById) {
  const auto near = RankNeighbours({1, {{Id(3), 1, 1}, {Id(1), 1, 4}, {Id(2), 2, 4}}});
  ASSERT_EQ(near.size(), 3U);
  EXPECT_EQ(near[0].id, Id(2));
  EXPECT_EQ(near[1].id, Id(3));
  EXPECT_EQ(near[2].id, Id(1));
}

TEST(RankNeighbours, OnlyTheNearestTwoHundredAreKept) {
  Neighbourhood around{1, {}};
  for (int i = 300; i > 0; --i) around.neighbours.push_back({Id(i), 1, 1});
  const auto near = RankNeighbours(around);
  ASSERT_EQ(near.size(), kSuggestNeighbours);
  EXPECT_EQ(near.front().id, Id(1));
  EXPECT_EQ(near.back().id, Id(200));
}

TEST(RankSuggestions, AScoreIsTheSumInTheNeighboursOrder) {
  const std::vector<RankedNeighbour> near = {{Id(1), 0.7}, {Id(2), 0.2}, {Id(3), 0.1}};
  const FollowedUsers followed{{{Id(8), 6}, {Id(9), 1}}, {{0}, {0, 1}, {0}}};
  const auto ranked = RankSuggestions(near, followed, {}, 10);
  ASSERT_EQ(ranked.size(), 2U);
  EXPECT_EQ(ranked[0].id, Id(8));
  EXPECT_EQ(ranked[0].score, 0.7 / 3.0 + 0.2 / 3.0 + 0.1 / 3.0);
  EXPECT_EQ(ranked[1].score, 0.2 / std::log2(3.0));
}

TEST(RankSuggestions, TheBestFirstTiesByIdWithoutTheDismissed) {
  const std::vector<RankedNeighbour> near = {{Id(1), 0.5}};
  const FollowedUsers followed{{{Id(9), 2}, {Id(7), 2}, {Id(8), 2}, {Id(6), 1}}, {{0, 1, 2, 3}}};
  EXPECT_EQ(IdsOf(RankSuggestions(near, followed, {Id(8)}, 10)), (std::vector{Id(6), Id(7), Id(9)}));
  EXPECT_EQ(IdsOf(RankSuggestions(near, followed, {Id(8)}, 2)), (std::vector{Id(6), Id(7)}));
}

TEST(AffinityScore, IsRoundedToFourDigits) {
  EXPECT_EQ(AffinityScore(0), 0.0);
  EXPECT_EQ(AffinityScore(1), 0.6931);
  EXPECT_EQ(AffinityScore(9), 2.3026);
}

}  // namespace
}  // namespace novafeed
