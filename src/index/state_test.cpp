#include "index/state.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <vector>

#include "index/feed_index.h"
#include "index/test_log.h"

namespace novafeed {
namespace {

using testing::kBase;
using testing::TestLog;
using testing::TestPost;
using testing::TestUser;

constexpr TimeMs kNow = kBase;

IndexState Fold(TestLog* log, TimeMs anchor = kNow) {
  IndexState state;
  state.anchor = anchor;
  for (const Change& change : log->Read(0, 100'000)) state.Apply(change);
  for (const LoggedEvent& event : log->events.Read({}, 100'000)) state.Apply(event);
  return state;
}

std::int64_t InteractionsOf(const IndexState& state, int viewer, int author) {
  std::int64_t sum = 0;
  for (const DayInteractions& entry : state.FindUser(TestUser(viewer))->interactions) {
    if (state.users[entry.author].id == TestUser(author)) sum += entry.count;
  }
  return sum;
}

TEST(IndexState, CountsLikesCommentsSharesImpressionsAndViews) {
  TestLog log;
  log.AddPost(1, 1, kNow - 1000);
  log.AddLike(2, 1, kNow);
  log.AddLike(1, 1, kNow);  // the author's own like counts
  log.AddComment(1, 2, 1, kNow);
  log.AddEvent(EventType::kShare, 2, 1, kNow);
  log.AddEvent(EventType::kImpression, 2, 1, kNow);
  log.AddEvent(EventType::kImpression, 3, 1, kNow);
  log.AddEvent(EventType::kView, 3, 1, kNow);
  const IndexState state = Fold(&log);
  const PostSlot& post = *state.FindPost(TestPost(1));
  EXPECT_EQ(post.likes, 2U);
  EXPECT_EQ(post.comments, 1U);
  EXPECT_EQ(post.shares, 1U);
  EXPECT_EQ(post.impressions, 2U);
  EXPECT_EQ(post.views, 1U);
}

TEST(IndexState, CopiesOfLikesInTheEventLogCountNothing) {
  TestLog log;
  log.AddPost(1, 1, kNow);
  log.AddEvent(EventType::kLike, 2, 1, kNow);
  log.AddEvent(EventType::kUnlike, 2, 1, kNow);
  const IndexState state = Fold(&log);
  EXPECT_EQ(state.FindPost(TestPost(1))->likes, 0U);
  EXPECT_TRUE(state.hours.empty());
}

TEST(IndexState, AnUnlikeTakesBackTotalHourAndInteraction) {
  TestLog log;
  log.AddPost(1, 1, kNow);
  log.AddLike(2, 1, kNow);
  log.RemoveLike(2, 1);
  const IndexState state = Fold(&log);
  EXPECT_EQ(state.FindPost(TestPost(1))->likes, 0U);
  EXPECT_TRUE(state.hours.empty());
  EXPECT_TRUE(state.FindUser(TestUser(2))->interactions.empty());
}

TEST(IndexState, LikeUnlikeLikeInOneMillisecondIsOne) {
  TestLog log;
  log.AddPost(1, 1, kNow);
  log.AddLike(2, 1, kNow);
  log.RemoveLike(2, 1);
  log.AddLike(2, 1, kNow);
  const IndexState state = Fold(&log);
  EXPECT_EQ(state.FindPost(TestPost(1))->likes, 1U);
  EXPECT_EQ(InteractionsOf(state, 2, 1), 1);
}

TEST(IndexState, OnesOwnPostsAreNoInteractions) {
  TestLog log;
  log.AddPost(1, 1, kNow);
  log.AddLike(1, 1, kNow);
  log.AddComment(1, 1, 1, kNow);
  log.AddEvent(EventType::kShare, 1, 1, kNow);
  EXPECT_TRUE(Fold(&log).FindUser(TestUser(1))->interactions.empty());
}

TEST(IndexState, ImpressionsAndViewsAreNoInteractions) {
  TestLog log;
  log.AddPost(1, 1, kNow);
  log.AddEvent(EventType::kImpression, 2, 1, kNow);
  log.AddEvent(EventType::kView, 2, 1, kNow);
  EXPECT_EQ(Fold(&log).FindUser(TestUser(2)), nullptr);
}

TEST(IndexState, ADeletedPostLeavesItsListsButItsInteractionsStay) {
  TestLog log;
  log.AddPost(1, 1, kNow);
  log.AddLike(2, 1, kNow);
  log.DeletePost(1, kNow);
  const IndexState state = Fold(&log);
  const PostSlot& post = *state.FindPost(TestPost(1));
  EXPECT_FALSE(post.live());
  EXPECT_TRUE(post.deleted);
  EXPECT_FALSE(post.content);
  EXPECT_TRUE(state.FindUser(TestUser(1))->posts.empty());
  EXPECT_TRUE(state.posts_by_hour.empty());
  EXPECT_EQ(InteractionsOf(state, 2, 1), 1);
}

TEST(IndexState, AnUnlikeOfADeletedPostStillCounts) {
  TestLog log;
  log.AddPost(1, 1, kNow);
  log.AddLike(2, 1, kNow);
  log.DeletePost(1, kNow);
  log.RemoveLike(2, 1);
  const IndexState state = Fold(&log);
  EXPECT_EQ(state.FindPost(TestPost(1))->likes, 0U);
  EXPECT_TRUE(state.FindUser(TestUser(2))->interactions.empty());
}

TEST(IndexState, AnEditChangesTheContentAndNothingElse) {
  TestLog log;
  log.AddPost(1, 1, kNow, "first");
  log.EditPost(1, "second");
  const IndexState state = Fold(&log);
  EXPECT_EQ(state.FindPost(TestPost(1))->content.text(), "second");
  EXPECT_EQ(state.FindUser(TestUser(1))->posts.size(), 1U);
}

TEST(IndexState, AnEditOfAPostThatIsOlderThanTheContentKeptLeavesNoOldText) {
  TestLog log;
  log.AddPost(1, 1, kNow - kContentKept + 1, "before");
  IndexState state = Fold(&log);
  state.AdvanceTo(kNow + 1, 10);  // out of the window, in an hour that is not dropped yet
  ASSERT_EQ(state.FindPost(TestPost(1))->content.text(), "before");
  log.EditPost(1, "after");
  state.Apply(log.Read(1, 1).front());
  EXPECT_FALSE(state.FindPost(TestPost(1))->content);
}

TEST(IndexState, FollowsAreKeptBothWays) {
  TestLog log;
  log.AddFollow(1, 2);
  log.AddFollow(1, 3);
  log.AddFollow(3, 2);
  log.RemoveFollow(1, 2);
  const IndexState state = Fold(&log);
  EXPECT_EQ(state.FindUser(TestUser(2))->followers.size(), 1U);
  EXPECT_EQ(state.FindUser(TestUser(1))->following.size(), 1U);
  EXPECT_EQ(state.follow_count, 2U);
}

std::vector<UserId> IdsOf(const IndexState& state, std::span<const UserRef> refs) {
  std::vector<UserId> ids;
  for (const UserRef ref : refs) ids.push_back(state.users[ref].id);
  return ids;
}

TEST(IndexState, FollowersStandInTheOrderOfTheirFollowsTiesByIdDescending) {
  TestLog log;
  log.AddFollow(5, 1, kNow);
  log.AddFollow(2, 1, kNow - 5);  // dated earlier than what came before it
  log.AddFollow(4, 1, kNow);
  log.AddFollow(6, 1, kNow);
  log.AddFollow(3, 1, kNow + 1);
  const IndexState state = Fold(&log);
  const UserRef user = state.user_refs.at(TestUser(1));
  EXPECT_EQ(IdsOf(state, state.users[user].followers),
            (std::vector{TestUser(2), TestUser(6), TestUser(5), TestUser(4), TestUser(3)}));
  EXPECT_EQ(IdsOf(state, state.LatestFollowers(user, 3)), (std::vector{TestUser(5), TestUser(4), TestUser(3)}));
  EXPECT_EQ(state.LatestFollowers(user, 9).size(), 5U);
}

TEST(IndexState, TheLatestFollowedAreThoseOfTheLatestFollowsTiesById) {
  TestLog log;
  log.AddFollow(1, 5, kNow);
  log.AddFollow(1, 3, kNow);
  log.AddFollow(1, 4, kNow);
  log.AddFollow(1, 2, kNow - 1);
  log.AddFollow(1, 6, kNow + 1);
  const IndexState state = Fold(&log);
  const UserRef user = state.user_refs.at(TestUser(1));
  std::vector<UserId> latest = IdsOf(state, state.LatestFollowing(user, 3));
  std::sort(latest.begin(), latest.end());
  EXPECT_EQ(latest, (std::vector{TestUser(3), TestUser(4), TestUser(6)}));
  EXPECT_EQ(state.LatestFollowing(user, 9).size(), 5U);
}

TEST(IndexState, AFollowAfterAnUnfollowIsTheLatest) {
  TestLog log;
  log.AddFollow(2, 1, kNow);
  log.AddFollow(3, 1, kNow + 1);
  log.RemoveFollow(2, 1);
  log.AddFollow(2, 1, kNow + 2);
  const IndexState state = Fold(&log);
  const UserRef user = state.user_refs.at(TestUser(1));
  EXPECT_EQ(IdsOf(state, state.users[user].followers), (std::vector{TestUser(3), TestUser(2)}));
}

TEST(IndexState, PostsOfAnAuthorStandOldestFirstTiesByIdDescending) {
  TestLog log;
  log.AddPost(5, 1, kNow);
  log.AddPost(3, 1, kNow - 5);
  log.AddPost(4, 1, kNow);
  const IndexState state = Fold(&log);
  std::vector<PostId> order;
  for (const PostRef ref : state.FindUser(TestUser(1))->posts) order.push_back(state.posts[ref].id);
  EXPECT_EQ(order, (std::vector{TestPost(3), TestPost(5), TestPost(4)}));
}

TEST(IndexState, AnActionIsCountedInTheHourOfItsOwnTime) {
  const TimeMs hour_start = HourOf(kNow) * kMsPerHour;
  TestLog log;
  log.AddPost(1, 1, hour_start - kMsPerDay);
  log.AddLike(2, 1, hour_start);
  log.AddLike(3, 1, hour_start - 1);
  const IndexState state = Fold(&log, hour_start);
  EXPECT_EQ(state.hours.at(HourOf(hour_start)).begin()->second.likes, 1);
  EXPECT_EQ(state.hours.at(HourOf(hour_start) - 1).begin()->second.likes, 1);
}

TEST(IndexState, WhatLiesBeforeTheWindowsIsNotHeld) {
  TestLog log;
  log.AddPost(1, 1, kNow - 200 * kMsPerDay);
  log.AddLike(2, 1, kNow - (kHoursKept + 1) * kMsPerHour);
  log.AddLike(3, 1, kNow - (kInteractionDaysKept + 1) * kMsPerDay);
  const IndexState state = Fold(&log);
  EXPECT_TRUE(state.hours.empty());
  EXPECT_EQ(InteractionsOf(state, 2, 1), 1);
  EXPECT_EQ(state.FindUser(TestUser(3)) == nullptr ? 0 : InteractionsOf(state, 3, 1), 0);
  EXPECT_EQ(state.FindPost(TestPost(1))->likes, 2U) << "totals have no window";
  EXPECT_FALSE(state.FindPost(TestPost(1))->content);
}

TEST(IndexState, AdvancingDropsHoursContentAndInteractions) {
  TestLog log;
  log.AddPost(1, 1, kNow);
  log.AddLike(2, 1, kNow);
  IndexState state = Fold(&log);
  state.AdvanceTo(kNow + (kHoursKept + 1) * kMsPerHour, 10);
  EXPECT_TRUE(state.hours.empty());
  EXPECT_TRUE(static_cast<bool>(state.FindPost(TestPost(1))->content));
  state.AdvanceTo(kNow + 31 * kMsPerDay, 10);
  EXPECT_FALSE(state.FindPost(TestPost(1))->content);
  EXPECT_EQ(InteractionsOf(state, 2, 1), 1);
  state.AdvanceTo(kNow + 92 * kMsPerDay, 10);
  EXPECT_TRUE(state.FindUser(TestUser(2))->interactions.empty());
  EXPECT_EQ(state.FindPost(TestPost(1))->likes, 1U);
}

TEST(IndexState, TheWindowsNeverMoveBack) {
  IndexState state;
  state.AdvanceTo(kNow, 1);
  state.AdvanceTo(kNow - kMsPerDay, 1);
  EXPECT_EQ(state.anchor, kNow);
}

TEST(IndexState, AnUnlikeOfALikeThatFellOutOfTheWindowsOnlyMovesTheTotal) {
  TestLog log;
  log.AddPost(1, 1, kNow);
  log.AddLike(2, 1, kNow);
  IndexState state = Fold(&log);
  state.AdvanceTo(kNow + 200 * kMsPerDay, 10);
  log.RemoveLike(2, 1);
  state.Apply(log.Read(2, 1).front());
  EXPECT_EQ(state.FindPost(TestPost(1))->likes, 0U);
  EXPECT_TRUE(state.hours.empty());
  EXPECT_TRUE(state.FindUser(TestUser(2))->interactions.empty());
}

TEST(IndexState, EventsMayComeBeforeTheirPost) {
  TestLog log;
  log.AddPost(1, 1, kNow);
  log.AddEvent(EventType::kShare, 2, 1, kNow);
  IndexState state;
  state.anchor = kNow;
  state.Apply(log.events.Read({}, 1).front());
  EXPECT_FALSE(state.FindPost(TestPost(1))->live());
  state.Apply(log.Read(0, 1).front());
  EXPECT_TRUE(state.FindPost(TestPost(1))->live());
  EXPECT_EQ(state.FindPost(TestPost(1))->shares, 1U);
  EXPECT_EQ(InteractionsOf(state, 2, 1), 1);
}

TEST(IndexState, PackedContentKeepsBothStrings) {
  const PackedContent content("ext", "text with \0 inside");
  EXPECT_EQ(content.external_id(), "ext");
  EXPECT_EQ(content.text(), "text with \0 inside");
  EXPECT_EQ(PackedContent().text(), "");
}

}  // namespace
}  // namespace novafeed
