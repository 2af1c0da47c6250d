#include "timeline/trending_service.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/test_support.h"
#include "cache/keys.h"
#include "cache/memory_cache.h"
#include "candidates/index_engine.h"
#include "index/test_log.h"
#include "timeline/test_engine.h"

namespace novafeed {
namespace {

using testing::kBase;
using testing::TestEngine;
using testing::TestLog;
using testing::TestPost;
using testing::TestUser;

class TrendingServiceTest : public ::testing::Test {
 protected:
  TrendingServiceTest() {
    log_.AddUser(1);
    log_.AddUser(2);
  }
  void Apply() {
    index_.ApplyChanges(log_.Read(index_.position().changes, 100'000));
    index_.AdvanceTo(clock_.Now());
  }
  std::vector<PostId> IdsOf(TrendingWindow window, std::size_t limit = 200) {
    Apply();
    std::vector<PostId> ids;
    const TrendingPage page = *service_.Page(window, limit);
    for (const TrendingItem& listed : page.items) ids.push_back(listed.item.content.id);
    return ids;
  }
  bool Shows(const std::string& line) const { return metrics_.Render().find(line + "\n") != std::string::npos; }

  ManualClock clock_{kBase};
  Metrics metrics_;
  TestLog log_;
  FeedIndex index_{"g", kBase};
  IndexEngine engine_{&index_};
  TestEngine flaky_{&engine_};
  TrendingBoard day_{&clock_, &engine_, &metrics_};
  MemoryCache cache_{&clock_, 1UL << 20, &metrics_};
  HotPosts hour_{&clock_, &cache_, [this] { return std::vector<CandidateEngine*>{&flaky_, &engine_}; }, &metrics_};
  TrendingService service_{&day_, &hour_, &index_};
};

TEST_F(TrendingServiceTest, TheHourHoldsTheCurrentClockHourAndTheOneBeforeIt) {
  const TimeMs hour = HourOf(kBase) * kMsPerHour;
  for (int post = 1; post <= 3; ++post) log_.AddPost(post, 1, kBase - kMsPerDay);
  log_.AddLike(2, 1, hour);
  log_.AddLike(2, 2, hour - kMsPerHour);
  log_.AddLike(2, 3, hour - kMsPerHour - 1);
  EXPECT_EQ(IdsOf(TrendingWindow::kHour).size(), 2U);
  EXPECT_EQ(IdsOf(TrendingWindow::kDay).size(), 3U);
}

TEST_F(TrendingServiceTest, ScoresAreTheListsOwnAndCountersThePosts) {
  log_.AddPost(1, 1, kBase - kMsPerDay);
  log_.AddLike(1, 1, kBase - 5 * kMsPerHour);  // counts for the post, and not for the hour; one's own counts, too
  log_.AddLike(2, 1, kBase);
  Apply();
  const TrendingPage page = *service_.Page(TrendingWindow::kHour, 20);
  ASSERT_EQ(page.items.size(), 1U);
  EXPECT_EQ(page.as_of, kBase);
  EXPECT_EQ(page.items[0].item.counters.likes, 2);
  EXPECT_EQ(page.items[0].item.parts->score,
            0.40 * Engagement({1, 0, 0, 0}) + 0.30 * Freshness(kBase - kMsPerDay, kBase));
}

TEST_F(TrendingServiceTest, WhatTheScoreWasComputedFromIsThatOfTheWindowAlsoFromTheCache) {
  log_.AddPost(1, 1, kBase - kMsPerDay);
  log_.AddLike(1, 1, kBase - 5 * kMsPerHour);
  log_.AddLike(2, 1, kBase);
  Apply();
  for (const TrendingWindow window : {TrendingWindow::kHour, TrendingWindow::kHour, TrendingWindow::kDay}) {
    const TrendingPage page = *service_.Page(window, 20);
    ASSERT_EQ(page.items.size(), 1U);
    const ScoreParts& parts = *page.items[0].item.parts;
    EXPECT_EQ(page.items[0].window, (Counters{window == TrendingWindow::kDay ? 2 : 1, 0, 0, 0}));
    EXPECT_EQ(parts.engagement, Engagement(page.items[0].window));
    EXPECT_EQ(parts.freshness, Freshness(kBase - kMsPerDay, page.as_of));
    EXPECT_EQ(parts.age_hours, 24.0);
    EXPECT_EQ(parts.affinity, 0.0);
    EXPECT_EQ(parts.score, 0.40 * parts.engagement + 0.30 * parts.freshness);
  }
  EXPECT_TRUE(Shows("novafeed_cache_hits_total{kind=\"hot\"} 1"));
}

TEST_F(TrendingServiceTest, TheListIsKeptForItsTime) {
  log_.AddPost(1, 1, kBase);
  log_.AddLike(2, 1, kBase);
  EXPECT_EQ(IdsOf(TrendingWindow::kHour).size(), 1U);
  log_.AddPost(2, 1, kBase);
  log_.AddLike(2, 2, kBase);
  clock_.Advance(119'000);
  EXPECT_EQ(IdsOf(TrendingWindow::kHour).size(), 1U) << "the one that is kept";
  EXPECT_EQ(flaky_.lists, 1);
  clock_.Advance(1000);
  EXPECT_EQ(IdsOf(TrendingWindow::kHour).size(), 2U) << "made anew";
  ASSERT_TRUE(hour_.Refresh());
  EXPECT_EQ(flaky_.lists, 3);
  EXPECT_TRUE(Shows("novafeed_cache_hits_total{kind=\"hot\"} 1"));
  EXPECT_TRUE(Shows("novafeed_cache_misses_total{kind=\"hot\"} 2"));
}

TEST_F(TrendingServiceTest, ADeletedPostIsGoneAtOnceAndTheNextTakesItsPlace) {
  for (int post = 1; post <= 3; ++post) {
    log_.AddPost(post, 1, kBase - post);
    log_.AddLike(2, post, kBase);
  }
  EXPECT_EQ(IdsOf(TrendingWindow::kHour, 2), (std::vector{TestPost(1), TestPost(2)}));
  log_.DeletePost(1, kBase);
  EXPECT_EQ(IdsOf(TrendingWindow::kHour, 2), (std::vector{TestPost(2), TestPost(3)}));
}

TEST_F(TrendingServiceTest, TheNextEngineStandsInForOneThatFails) {
  log_.AddPost(1, 1, kBase);
  log_.AddLike(2, 1, kBase);
  flaky_.no_trending = true;
  EXPECT_EQ(IdsOf(TrendingWindow::kHour).size(), 1U);
  EXPECT_TRUE(Shows("novafeed_hot_posts_fallbacks_total 1"));
}

TEST_F(TrendingServiceTest, SaysWhereNoEngineCan) {
  HotPosts none(&clock_, &cache_, [] { return std::vector<CandidateEngine*>(); }, &metrics_);
  TrendingService service(&day_, &none, &index_);
  EXPECT_EQ(service.Page(TrendingWindow::kHour, 20).error().code, "no_engine");
}

TEST_F(TrendingServiceTest, WhatTheCacheHoldsOfAnotherVersionIsMadeAnew) {
  log_.AddPost(1, 1, kBase);
  log_.AddLike(2, 1, kBase);
  for (const char* text : {"", "[]", "{", R"({"as_of":1})", R"({"as_of":1,"posts":[{"id":"x"}]})"}) {
    ASSERT_TRUE(cache_.Put(kHotPostsKey, text, kHotPostsTtl));
    EXPECT_EQ(IdsOf(TrendingWindow::kHour).size(), 1U) << text;
  }
}

TEST(HotPostsCodecTest, ReadsBackEqual) {
  std::mt19937_64 random(TestSeed());
  std::vector<TrendingCandidate> posts;
  for (int number = 1; number <= 300; ++number) {
    const Counters window{static_cast<std::int64_t>(random() % 5), static_cast<std::int64_t>(random() % 5),
                          static_cast<std::int64_t>(random() % 5), static_cast<std::int64_t>(random() % 5)};
    posts.push_back({TestPost(number), TestUser(1), kBase - static_cast<TimeMs>(random() % kMsPerDay), window});
  }
  const TrendingList list = RankTrending(posts, kBase);
  const TrendingList read = *DecodeHotPosts(EncodeHotPosts(list));
  ASSERT_EQ(read.as_of, list.as_of);
  ASSERT_EQ(read.posts.size(), list.posts.size());
  for (std::size_t i = 0; i < list.posts.size(); ++i) {
    EXPECT_EQ(read.posts[i].id, list.posts[i].id);
    EXPECT_EQ(read.posts[i].author, list.posts[i].author);
    EXPECT_EQ(read.posts[i].window, list.posts[i].window);
    EXPECT_EQ(read.posts[i].score, list.posts[i].score);
  }
}

}  // namespace
}  // namespace novafeed
