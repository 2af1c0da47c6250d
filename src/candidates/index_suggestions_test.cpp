#include "candidates/index_suggestions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "index/test_log.h"

namespace novafeed {
namespace {

using testing::kBase;
using testing::TestLog;
using testing::TestUser;

class IndexSuggestionsTest : public ::testing::Test {
 protected:
  void Apply() {
    index_.ApplyChanges(log_.Read(index_.position().changes, 1'000'000));
    index_.ApplyEvents(log_.events.Read(index_.position().events, 1'000'000));
  }
  std::map<UserId, Neighbour> NeighboursOf(int viewer) {
    Apply();
    std::map<UserId, Neighbour> neighbours;
    const Neighbourhood around = *engine_.FindNeighbours(TestUser(viewer));
    for (const Neighbour& one : around.neighbours) neighbours[one.id] = one;
    return neighbours;
  }
  // The candidates and their followers, and, by neighbour, whom of them they follow.
  std::map<UserId, std::int64_t> FollowedBy(int viewer, const std::vector<UserId>& neighbours) {
    Apply();
    const FollowedUsers found = *engine_.FindFollowed(TestUser(viewer), neighbours);
    std::map<UserId, std::int64_t> followers;
    for (const FollowedUser& user : found.users) followers[user.id] = user.followers;
    followed_by_.clear();
    for (const auto& places : found.followed_by) {
      std::vector<UserId>& ids = followed_by_.emplace_back();
      for (const std::uint32_t place : places) ids.push_back(found.users[place].id);
      std::sort(ids.begin(), ids.end());
    }
    return followers;
  }
  SuggestionFacts Describe(int viewer, int user, const std::vector<UserId>& neighbours = {}, TimeMs as_of = kBase) {
    Apply();
    const UserId id = TestUser(user);
    return engine_.Describe(TestUser(viewer), std::span(&id, 1), neighbours, as_of)->front();
  }
  std::vector<UserId> MostFollowed(int viewer, std::size_t limit) {
    Apply();
    std::vector<UserId> ids;
    const std::vector<FollowedUser> most = *engine_.FindMostFollowed(TestUser(viewer), limit);
    for (const FollowedUser& user : most) ids.push_back(user.id);
    return ids;
  }

  TestLog log_;
  FeedIndex index_{"g", kBase};
  IndexSuggestions engine_{&index_};
  std::vector<std::vector<UserId>> followed_by_;
};

TEST_F(IndexSuggestionsTest, AnUnknownViewerHasNoNeighbours) {
  const Neighbourhood around = *engine_.FindNeighbours(TestUser(1));
  EXPECT_EQ(around.following, 0);
  EXPECT_TRUE(around.neighbours.empty());
}

TEST_F(IndexSuggestionsTest, NeighboursFollowWhomTheViewerFollows) {
  for (const auto& [follower, followee] : {std::pair(1, 2), {1, 3}, {4, 2}, {4, 3}, {4, 5}, {5, 3}, {6, 5}}) {
    log_.AddFollow(follower, followee);
  }
  const auto neighbours = NeighboursOf(1);
  ASSERT_EQ(neighbours.size(), 2U) << "neither the viewer nor who follows others";
  EXPECT_EQ(neighbours.at(TestUser(4)).overlap, 2);
  EXPECT_EQ(neighbours.at(TestUser(4)).following, 3);
  EXPECT_EQ(neighbours.at(TestUser(5)).overlap, 1);
  EXPECT_EQ(engine_.FindNeighbours(TestUser(1))->following, 2);
}

TEST_F(IndexSuggestionsTest, OnlyTheLatestThousandFollowersOfAFolloweeAreNeighbours) {
  constexpr int kFollowers = 1100;
  log_.AddFollow(1, 2, kBase + kFollowers + 1);
  for (int i = 0; i < kFollowers; ++i) log_.AddFollow(100 + i, 2, kBase + i);
  const auto neighbours = NeighboursOf(1);
  EXPECT_EQ(neighbours.size(), kSuggestFollowers - 1) << "one of the thousand is the viewer";
  EXPECT_FALSE(neighbours.contains(TestUser(200)));
  EXPECT_TRUE(neighbours.contains(TestUser(201)));
}

TEST_F(IndexSuggestionsTest, OnlyTheLatestFiveHundredFolloweesOfTheViewerCount) {
  for (int i = 0; i < 600; ++i) {
    log_.AddFollow(1, 100 + i, kBase + i);
    log_.AddFollow(1000 + i, 100 + i);
  }
  const auto neighbours = NeighboursOf(1);
  EXPECT_EQ(neighbours.size(), kSuggestFollowees);
  EXPECT_FALSE(neighbours.contains(TestUser(1099)));
  EXPECT_TRUE(neighbours.contains(TestUser(1100)));
  EXPECT_EQ(engine_.FindNeighbours(TestUser(1))->following, 600);
}

TEST_F(IndexSuggestionsTest, CandidatesAreWhomNeighboursFollowWithoutTheViewerAndTheirs) {
  for (const auto& [follower, followee] : {std::pair(1, 2), {3, 2}, {3, 1}, {3, 4}, {3, 5}, {6, 5}, {7, 5}}) {
    log_.AddFollow(follower, followee);
  }
  EXPECT_EQ(FollowedBy(1, {TestUser(3), TestUser(6), TestUser(99)}),
            (std::map<UserId, std::int64_t>{{TestUser(4), 1}, {TestUser(5), 3}}));
  EXPECT_EQ(followed_by_, (std::vector<std::vector<UserId>>{{TestUser(4), TestUser(5)}, {TestUser(5)}, {}}));
}

// A neighbour's older followees make no candidates, but who is one is followed by them all the same.
TEST_F(IndexSuggestionsTest, OfANeighbourOnlyTheLatestFiveHundredFolloweesAreCandidates) {
  for (int i = 0; i < 600; ++i) log_.AddFollow(1, 100 + i, kBase + i);
  log_.AddFollow(2, 100);
  const auto candidates = FollowedBy(9, {TestUser(1), TestUser(2)});
  EXPECT_EQ(candidates.size(), kSuggestedByNeighbour + 1);
  EXPECT_TRUE(candidates.contains(TestUser(100))) << "by the other neighbour";
  EXPECT_FALSE(candidates.contains(TestUser(101)));
  EXPECT_EQ(followed_by_[0].size(), kSuggestedByNeighbour + 1);
  EXPECT_EQ(followed_by_[1].size(), 1U);
}

TEST_F(IndexSuggestionsTest, TheMostFollowedStandByFollowersTiesByIdAndOnlyWhoIsKnown) {
  for (int user = 1; user <= 6; ++user) log_.AddUser(user);
  for (const auto& [follower, followee] : {std::pair(1, 2), {3, 4}, {5, 4}, {3, 6}, {5, 6}, {3, 9}, {4, 9}, {5, 9}}) {
    log_.AddFollow(follower, followee);
  }
  EXPECT_EQ(MostFollowed(1, 10), (std::vector{TestUser(4), TestUser(6), TestUser(3), TestUser(5)}));
  EXPECT_EQ(MostFollowed(1, 3), (std::vector{TestUser(4), TestUser(6), TestUser(3)}));
  EXPECT_EQ(MostFollowed(77, 2), (std::vector{TestUser(4), TestUser(6)}));
}

TEST_F(IndexSuggestionsTest, MutualFollowersAreCountedAndTheLastFollowedNamed) {
  for (int i = 0; i < 5; ++i) {
    log_.AddFollow(1, 10 + i, kBase + (i == 0 ? 9 : i / 2));
    log_.AddFollow(10 + i, 2);
  }
  log_.AddFollow(20, 2);
  log_.AddFollow(1, 21);
  const SuggestionFacts facts = Describe(1, 2);
  EXPECT_EQ(facts.mutual_followers, 5);
  EXPECT_EQ(facts.mutual, (std::vector{TestUser(10), TestUser(14), TestUser(12)}));
  EXPECT_EQ(facts.followers, 6);
  EXPECT_EQ(facts.following, 0);
  EXPECT_EQ(Describe(1, 99).mutual_followers, 0);
  EXPECT_EQ(Describe(88, 2).mutual_followers, 0) << "of an unknown viewer";
}

// Walking either list, whichever is shorter.
TEST_F(IndexSuggestionsTest, MutualFollowersAreTheSameFromEitherSide) {
  for (int i = 0; i < 40; ++i) log_.AddFollow(1, 100 + i);
  for (int i = 0; i < 10; ++i) log_.AddFollow(95 + i, 2);
  for (int i = 0; i < 90; ++i) log_.AddFollow(110 + i, 3);
  EXPECT_EQ(Describe(1, 2).mutual_followers, 5);
  EXPECT_EQ(Describe(1, 3).mutual_followers, 30);
}

TEST_F(IndexSuggestionsTest, InteractionsOfTheNeighboursCountWithinTheNinetyDays) {
  log_.AddPost(1, 2, kBase - 95 * kMsPerDay);
  log_.AddLike(3, 1, kBase);
  log_.AddLike(4, 1, kBase - 89 * kMsPerDay);
  log_.AddLike(5, 1, kBase - 90 * kMsPerDay);
  log_.AddLike(6, 1, kBase);
  const std::vector<UserId> neighbours = {TestUser(3), TestUser(4), TestUser(5), TestUser(77)};
  EXPECT_EQ(Describe(1, 2, neighbours).interactions, 2);
  EXPECT_EQ(Describe(1, 2, neighbours, kBase + kMsPerDay).interactions, 1);
}

}  // namespace
}  // namespace novafeed
