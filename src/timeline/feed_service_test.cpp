#include "timeline/feed_service.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "candidates/index_engine.h"
#include "index/test_log.h"
#include "timeline/test_engine.h"
#include "timeline/test_progress.h"

namespace novafeed {
namespace {

using testing::kBase;
using testing::TestLog;
using testing::TestPost;
using testing::TestProgress;
using testing::TestUser;

class FeedServiceTest : public ::testing::Test {
 protected:
  FeedParts Parts() { return {&engine_, &ranker_, &contents_, &progress_, false, nullptr}; }
  void Apply() {
    index_.ApplyChanges(log_.Read(index_.position().changes, 100'000));
    index_.ApplyEvents(log_.events.Read(index_.position().events, 100'000));
  }
  Result<FeedPage> TryPage(FeedRequest request) {
    Apply();
    Result<OpenedFeed> opened = service_.Open(std::move(request));
    if (!opened) return tl::unexpected(opened.error());
    return service_.Page(*opened, false);
  }
  FeedPage Page(std::size_t limit, std::optional<std::string> cursor = std::nullopt) {
    FeedRequest request;
    request.viewer = TestUser(1);
    request.limit = limit;
    request.cursor = std::move(cursor);
    return *TryPage(request);
  }
  std::string CodeOf(const FeedRequest& request) {
    const Result<FeedPage> page = TryPage(request);
    return page ? "" : page.error().code;
  }
  std::vector<PostId> RankingNow(TimeMs as_of) {
    Apply();
    std::vector<PostId> ids;
    const FullRanking full = *ranker_.RankAt(TestUser(1), as_of, clock_.Now());
    for (const RankedPost& post : full.ranking.posts) ids.push_back(post.candidate.id);
    return ids;
  }
  void AddFollowedPosts(int count) {
    log_.AddUser(1);
    log_.AddFollow(1, 2);
    for (int post = 1; post <= count; ++post) log_.AddPost(post, 2, clock_.Now() - post * 1000);
  }

  ManualClock clock_{kBase};
  Metrics metrics_;
  TestLog log_;
  FeedIndex index_{"g", kBase};
  IndexEngine engine_{&index_};
  TrendingBoard trending_{&clock_, &engine_, &metrics_};
  Ranker ranker_{&engine_, &trending_, &metrics_};
  IndexContents contents_{&index_};
  TestProgress progress_{&index_, kBase};
  FeedService service_{&clock_, Parts(), CursorCodec(std::string(32, 'k'), "g"), &metrics_};
};

TEST_F(FeedServiceTest, AWalkServesTheWholeRankingOnceInOrder) {
  AddFollowedPosts(95);
  const std::vector<PostId> expected = RankingNow(kBase);
  std::vector<PostId> walked;
  std::optional<std::string> cursor;
  do {
    const FeedPage page = Page(20, cursor);
    for (const FeedItem& item : page.items) walked.push_back(item.content.id);
    cursor = page.next_cursor;
    EXPECT_TRUE(page.items.size() == 20 || !cursor);
  } while (cursor);
  EXPECT_EQ(walked, expected);
}

TEST_F(FeedServiceTest, APageThatEndsTheRankingExactlyHasNoCursor) {
  AddFollowedPosts(40);
  const FeedPage first = Page(20);
  ASSERT_TRUE(first.next_cursor);
  const FeedPage second = Page(20, first.next_cursor);
  EXPECT_EQ(second.items.size(), 20U);
  EXPECT_FALSE(second.next_cursor);
}

TEST_F(FeedServiceTest, NothingIsServedTwiceWhileTheRankingIsTurnedAround) {
  AddFollowedPosts(100);
  std::set<PostId> served;
  std::optional<std::string> cursor;
  int liker = 100;
  do {
    const FeedPage page = Page(7, cursor);
    for (const FeedItem& item : page.items) EXPECT_TRUE(served.insert(item.content.id).second);
    for (int post = 100; post > 90; --post) log_.AddLike(liker++, post, clock_.Now());  // the last become first
    cursor = page.next_cursor;
  } while (cursor);
  EXPECT_EQ(served.size(), 100U);
}

TEST_F(FeedServiceTest, AWalkEndsWithTheFullPageThatReaches560Served) {
  AddFollowedPosts(500);
  std::size_t served = 0;
  int next_post = 1000;
  std::optional<std::string> cursor;
  do {
    const FeedPage page = Page(100, cursor);
    served += page.items.size();
    for (int i = 0; i < 150; ++i) log_.AddPost(next_post++, 2, clock_.Now() - 5);  // fresh ones crowd in
    cursor = page.next_cursor;
  } while (cursor);
  EXPECT_EQ(served, 600U);
}

TEST_F(FeedServiceTest, AgesStayThoseOfTheWalkUntilItIsAnHourOld) {
  AddFollowedPosts(90);
  const FeedPage first = Page(20);
  clock_.Advance(kMsPerHour - 1);
  const FeedPage second = Page(20, first.next_cursor);
  EXPECT_EQ(second.as_of, kBase);
  EXPECT_EQ(second.trending_as_of, clock_.Now());
  clock_.Advance(1);
  const FeedPage third = Page(20, second.next_cursor);
  EXPECT_EQ(third.as_of, kBase + kMsPerHour);
  const FeedPage fourth = Page(20, third.next_cursor);
  EXPECT_EQ(fourth.as_of, kBase + kMsPerHour);
  std::set<PostId> served;
  for (const FeedPage* page : {&first, &second, &third, &fourth}) {
    for (const FeedItem& item : page->items) EXPECT_TRUE(served.insert(item.content.id).second);
  }
}

TEST_F(FeedServiceTest, PostsWrittenDuringAWalkStayOutOfIt) {
  AddFollowedPosts(30);
  const FeedPage first = Page(20);
  log_.AddPost(77, 2, kBase + 5);
  clock_.Advance(1000);
  const FeedPage second = Page(20, first.next_cursor);
  EXPECT_EQ(second.items.size(), 10U);
  for (const FeedItem& item : second.items) EXPECT_NE(item.content.id, TestPost(77));
}

TEST_F(FeedServiceTest, ADeletedPostIsGoneFromTheNextPage) {
  AddFollowedPosts(30);
  const FeedPage first = Page(20);
  const std::vector<PostId> ranking = RankingNow(kBase);
  log_.DeletePost(ranking[25].value.bytes[15], kBase);
  const FeedPage second = Page(20, first.next_cursor);
  EXPECT_EQ(second.items.size(), 9U);
}

TEST_F(FeedServiceTest, OffsetSlicesTheRanking) {
  AddFollowedPosts(60);
  const std::vector<PostId> ranking = RankingNow(kBase);
  FeedRequest request;
  request.viewer = TestUser(1);
  request.limit = 10;
  request.offset = 25;
  const FeedPage page = *TryPage(request);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(page.items[i].content.id, ranking[25 + i]);
  const FeedPage next = Page(10, page.next_cursor);
  EXPECT_EQ(next.items[0].content.id, ranking[35]);
  request.offset = 500;
  EXPECT_TRUE(TryPage(request)->items.empty());
}

TEST_F(FeedServiceTest, FollowingWalksBackInTime) {
  AddFollowedPosts(25);
  FeedRequest request;
  request.viewer = TestUser(1);
  request.mode = FeedMode::kFollowing;
  request.limit = 10;
  std::vector<TimeMs> times;
  do {
    const FeedPage page = *TryPage(request);
    for (const FeedItem& item : page.items) {
      EXPECT_FALSE(item.parts);
      times.push_back(item.created_at);
    }
    request.cursor = page.next_cursor;
  } while (request.cursor);
  EXPECT_EQ(times.size(), 25U);
  EXPECT_TRUE(std::is_sorted(times.rbegin(), times.rend()));
}

TEST_F(FeedServiceTest, AFollowingPageThatEndsExactlyHasNoCursor) {
  AddFollowedPosts(10);
  FeedRequest request;
  request.viewer = TestUser(1);
  request.mode = FeedMode::kFollowing;
  request.limit = 10;
  EXPECT_FALSE(TryPage(request)->next_cursor);
}

TEST_F(FeedServiceTest, BadRequestsAreNamed) {
  FeedRequest good;
  good.viewer = TestUser(1);
  FeedRequest request = good;
  request.limit = 0;
  EXPECT_EQ(CodeOf(request), "bad_limit");
  request.limit = 101;
  EXPECT_EQ(CodeOf(request), "bad_limit");
  request = good;
  request.offset = 501;
  EXPECT_EQ(CodeOf(request), "bad_offset");
  request = good;
  request.cursor = "x";
  EXPECT_EQ(CodeOf(request), "bad_cursor");
  request.offset = 1;
  EXPECT_EQ(CodeOf(request), "cursor_with_offset");
  request = good;
  request.as_of = kBase - kMsPerHour - 1;
  EXPECT_EQ(CodeOf(request), "bad_as_of");
  request.trending_as_of = kBase + kMsPerHour;
  request.as_of.reset();
  EXPECT_EQ(CodeOf(request), "bad_trending_as_of");
  request.trending_as_of.reset();
  request.as_of = kBase - kMsPerHour;
  EXPECT_EQ(CodeOf(request), "");
}

TEST_F(FeedServiceTest, SaysSoWhereItIsBehindOrStale) {
  Result<OpenedFeed> opened = service_.Open(FeedRequest());
  EXPECT_TRUE(service_.Page(*opened, false)->degraded.empty());
  progress_.counters_as_of = kBase - 5001;
  const FeedPage page = *service_.Page(*opened, true);
  EXPECT_EQ(page.degraded, (std::vector<std::string_view>{"behind", "stale"}));
}

TEST_F(FeedServiceTest, WithoutTrendingTheOthersAnswerAndItIsSaidAndCounted) {
  testing::TestEngine engine(&engine_);
  engine.no_trending = true;
  TrendingBoard board(&clock_, &engine, &metrics_);
  FeedParts parts = Parts();
  const Ranker ranker(&engine, &board, &metrics_);
  parts.engine = &engine;
  parts.ranker = &ranker;
  FeedService service(&clock_, parts, CursorCodec(std::string(32, 'k'), "g"), &metrics_);
  AddFollowedPosts(5);
  Apply();
  FeedRequest request;
  request.viewer = TestUser(1);
  const FeedPage page = *service.Page(*service.Open(request), false);
  EXPECT_EQ(page.items.size(), 5U);
  EXPECT_EQ(page.degraded, (std::vector<std::string_view>{"trending"}));
  EXPECT_NE(metrics_.Render().find("novafeed_trending_failures_total{engine=\"test\"} 1"), std::string::npos);
}

TEST_F(FeedServiceTest, OnlyPagesThatNeedANewListMayTakeLong) {
  trending_.Refresh();
  FeedRequest request;
  EXPECT_FALSE(service_.MayTakeLong(*service_.Open(request)));
  request.as_of = kBase - 1;
  EXPECT_TRUE(service_.MayTakeLong(*service_.Open(request)));
  clock_.Advance(kTrendingMaxAge + 1);
  EXPECT_TRUE(service_.MayTakeLong(*service_.Open(FeedRequest())));
  trending_.Refresh();
  FeedParts parts = Parts();
  parts.blocks = true;
  const FeedService blocking(&clock_, parts, CursorCodec(std::string(32, 'k'), "g"), &metrics_);
  EXPECT_TRUE(blocking.MayTakeLong(*blocking.Open(FeedRequest()))) << "nothing of an engine that blocks";
}

TEST_F(FeedServiceTest, TheTrendingListIsSharedAndAtMostASecondOld) {
  const auto first = trending_.Current();
  clock_.Advance(kTrendingMaxAge);
  EXPECT_EQ(trending_.Current(), first);
  clock_.Advance(1);
  EXPECT_NE(trending_.Current(), first);
  EXPECT_EQ(trending_.Current()->as_of, clock_.Now());
  clock_.Advance(-kMsPerHour);
  EXPECT_EQ(trending_.Current()->as_of, clock_.Now()) << "a clock that goes back does not keep the list";
}

}  // namespace
}  // namespace novafeed
