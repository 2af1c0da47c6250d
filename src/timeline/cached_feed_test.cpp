// Feeds of an engine with the cache before it.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/test_support.h"
#include "cache/keys.h"
#include "cache/memory_cache.h"
#include "candidates/index_engine.h"
#include "index/test_log.h"
#include "timeline/feed_service.h"
#include "timeline/test_engine.h"
#include "timeline/test_progress.h"

namespace novafeed {
namespace {

using testing::kBase;
using testing::TestEngine;
using testing::TestLog;
using testing::TestPost;
using testing::TestProgress;
using testing::TestUser;

class CachedFeedTest : public ::testing::Test {
 protected:
  void Apply() {
    index_.ApplyChanges(log_.Read(index_.position().changes, 100'000));
    index_.ApplyEvents(log_.events.Read(index_.position().events, 100'000));
    progress_.counters_as_of = clock_.Now();
  }
  Result<FeedPage> TryPage(FeedRequest request, const Position& carried = {}) {
    request.viewer = TestUser(1);
    Result<OpenedFeed> opened = service_.Open(std::move(request));
    if (!opened) return tl::unexpected(opened.error());
    opened->wait_for = Union(opened->wait_for, carried);
    return service_.Page(*opened, false);
  }
  FeedPage Page(std::optional<std::string> cursor = std::nullopt, std::size_t limit = 20) {
    FeedRequest request;
    request.limit = limit;
    request.cursor = std::move(cursor);
    return *TryPage(std::move(request));
  }
  FeedPage PageAt(std::size_t offset) {
    FeedRequest request;
    request.offset = offset;
    return *TryPage(std::move(request));
  }
  // Posts 1 to count, the first the newest, by a user whom the viewer follows.
  void AddFollowedPosts(int count) {
    log_.AddUser(1);
    log_.AddUser(2);
    log_.AddFollow(1, 2);
    for (int post = 1; post <= count; ++post) log_.AddPost(post, 2, clock_.Now() - post * 10'000);
    Apply();
  }
  bool Shows(const std::string& metric) const { return metrics_.Render().find(metric + "\n") != std::string::npos; }

  static std::vector<PostId> IdsOf(const FeedPage& page) {
    std::vector<PostId> ids;
    for (const FeedItem& item : page.items) ids.push_back(item.content.id);
    return ids;
  }

  ManualClock clock_{kBase};
  Metrics metrics_;
  TestLog log_;
  FeedIndex index_{"g", kBase};
  IndexEngine index_engine_{&index_};
  TestEngine engine_{&index_engine_};
  TestProgress progress_{&index_, kBase};
  MemoryCache cache_{&clock_, 16UL << 20, &metrics_};
  OwnFollows follows_{&cache_, "g"};
  std::vector<LiveEngine> live_{{&index_engine_, &progress_}};
  PageCache pages_{&clock_, &cache_, &follows_, [this] { return live_; }, &metrics_};
  TrendingBoard trending_{&clock_, &engine_, &metrics_};
  Ranker ranker_{&engine_, &trending_, &metrics_};
  IndexContents contents_{&index_};
  FeedService service_{&clock_,
                       {&engine_, &ranker_, &contents_, &progress_, true, &pages_},
                       CursorCodec(std::string(32, 'k'), "g"),
                       &metrics_};
};

TEST_F(CachedFeedTest, TheSamePageIsNotMadeTwice) {
  AddFollowedPosts(30);
  const FeedPage made = Page();
  const FeedPage kept = Page();
  EXPECT_FALSE(made.cached);
  EXPECT_TRUE(kept.cached);
  EXPECT_EQ(engine_.rankings, 1);
  EXPECT_EQ(IdsOf(kept), IdsOf(made));
  EXPECT_EQ(kept.as_of, made.as_of);
  EXPECT_EQ(kept.trending_as_of, made.trending_as_of);
  for (std::size_t i = 0; i < kept.items.size(); ++i) {
    EXPECT_EQ(kept.items[i].parts->score, made.items[i].parts->score);
    EXPECT_EQ(kept.items[i].source, made.items[i].source);
  }
  EXPECT_TRUE(Shows("novafeed_cache_hits_total{kind=\"feed\"} 1"));
  EXPECT_TRUE(Shows("novafeed_cache_misses_total{kind=\"feed\"} 1"));
}

TEST_F(CachedFeedTest, AWalkServesTheRankingOnceThoughItsFirstPagesAreKept) {
  AddFollowedPosts(95);
  std::vector<PostId> expected;
  for (const RankedPost& post : ranker_.RankAt(TestUser(1), kBase, kBase)->ranking.posts) {
    expected.push_back(post.candidate.id);
  }
  engine_.rankings = 0;
  std::vector<PostId> walked;
  std::vector<bool> cached;
  std::optional<std::string> cursor;
  do {
    const FeedPage page = Page(cursor);
    for (const PostId& id : IdsOf(page)) walked.push_back(id);
    cached.push_back(page.cached);
    cursor = page.next_cursor;
  } while (cursor);
  EXPECT_EQ(walked, expected);
  EXPECT_EQ(cached, (std::vector<bool>{false, true, true, false, false}));
  EXPECT_EQ(engine_.rankings, 3);
}

TEST_F(CachedFeedTest, AWalkThatBeginsWithAnOffsetCountsWhatItPassedOverAsServed) {
  AddFollowedPosts(70);
  const std::vector<PostId> first = IdsOf(Page());
  const FeedPage second = PageAt(20);
  EXPECT_TRUE(second.cached);
  std::set<PostId> served(first.begin(), first.end());
  for (FeedPage page = second;; page = Page(page.next_cursor)) {
    for (const PostId& id : IdsOf(page)) EXPECT_TRUE(served.insert(id).second);
    if (!page.next_cursor) break;
  }
  EXPECT_EQ(served.size(), 70U);
}

TEST_F(CachedFeedTest, OnlyWholePagesAsOfNowAreKept) {
  AddFollowedPosts(70);
  Page();
  EXPECT_FALSE(PageAt(10).cached);
  EXPECT_FALSE(PageAt(60).cached);
  FeedRequest as_of;
  as_of.as_of = kBase;
  EXPECT_FALSE(TryPage(as_of)->cached);
  FeedRequest trending;
  trending.trending_as_of = kBase;
  EXPECT_FALSE(TryPage(trending)->cached);
  EXPECT_FALSE(Page(std::nullopt, 19).cached);
}

TEST_F(CachedFeedTest, OldCountersAreLookedUpAgainAndThePageIsOrderedByThem) {
  AddFollowedPosts(20);
  const FeedPage made = Page();
  for (int liker = 10; liker < 30; ++liker) log_.AddLike(liker, 20, clock_.Now());
  clock_.Advance(kRescoreAfter + 1);
  Apply();
  const FeedPage kept = Page();
  EXPECT_TRUE(kept.cached);
  EXPECT_EQ(engine_.rankings, 1);
  EXPECT_EQ(kept.items.front().content.id, TestPost(20)) << "the last of the page before";
  EXPECT_EQ(kept.items.front().counters.likes, 20);
  EXPECT_EQ(kept.counters_as_of, clock_.Now());
  EXPECT_EQ(kept.as_of, made.as_of) << "ages are those of the walk";
  EXPECT_TRUE(kept.degraded.empty());
  Page();
  EXPECT_TRUE(Shows("novafeed_cached_pages_rescored_total 1")) << "and kept with what was looked up";
}

TEST_F(CachedFeedTest, CountersThatNobodyKnowsAreStaleAfterFiveSecondsAndThatIsSaidAndCounted) {
  AddFollowedPosts(20);
  Page();
  live_.clear();
  clock_.Advance(kStaleAfter);
  EXPECT_TRUE(Page().degraded.empty());
  clock_.Advance(1);
  const FeedPage kept = Page();
  EXPECT_TRUE(kept.cached);
  EXPECT_EQ(kept.degraded, std::vector<std::string_view>{"stale"});
  EXPECT_TRUE(Shows("novafeed_stale_answers_total 1"));
}

TEST_F(CachedFeedTest, TheNextEngineIsAskedWhereOneCannotTell) {
  AddFollowedPosts(20);
  Page();
  live_.insert(live_.begin(), {&engine_, &progress_});
  clock_.Advance(kRescoreAfter + 1);
  Apply();
  engine_.broken = true;
  const FeedPage kept = Page();
  EXPECT_TRUE(kept.cached);
  EXPECT_EQ(kept.counters_as_of, clock_.Now());
  EXPECT_TRUE(Shows("novafeed_cached_page_rescore_failures_total 1"));
}

TEST_F(CachedFeedTest, ADeletedPostIsGoneAtOnceAndThePageIsFull) {
  AddFollowedPosts(30);
  Page();
  log_.DeletePost(5, clock_.Now());
  Apply();
  const FeedPage page = Page();
  EXPECT_FALSE(page.cached);
  EXPECT_EQ(page.items.size(), 20U);
  EXPECT_FALSE(std::ranges::count(IdsOf(page), TestPost(5)));
}

TEST_F(CachedFeedTest, OnesOwnFollowCountsAtOnce) {
  AddFollowedPosts(20);
  log_.AddUser(3);
  log_.AddPost(100, 3, clock_.Now() - kMsPerDay);
  Apply();
  Page();
  log_.AddFollow(1, 3);
  Apply();
  EXPECT_TRUE(Page().cached) << "nobody has said so yet";
  follows_.Note(TestUser(1), index_.position());
  const FeedPage page = Page();
  EXPECT_FALSE(page.cached);
  EXPECT_TRUE(Page().cached) << "what is made from then on is kept";
  FeedRequest two;
  two.limit = 100;
  EXPECT_TRUE(std::ranges::count(IdsOf(*TryPage(two)), TestPost(100)));
}

TEST_F(CachedFeedTest, WhatTheCallerHasSeenIsInThePage) {
  AddFollowedPosts(20);
  Page();
  log_.AddLike(9, 7, clock_.Now());
  Apply();
  FeedRequest request;
  EXPECT_FALSE(TryPage(request, index_.position())->cached);
  EXPECT_TRUE(TryPage(request, index_.position())->cached);
}

TEST_F(CachedFeedTest, ANewPostByAFolloweeMakesThePageAnew) {
  AddFollowedPosts(20);
  Page();
  clock_.Advance(kRescoreAfter + 1);
  log_.AddPost(100, 2, clock_.Now());
  Apply();
  engine_.broken = true;
  for (int i = 0; i < 2; ++i) {
    const FeedPage outdated = Page();
    EXPECT_TRUE(outdated.cached);
    EXPECT_EQ(outdated.degraded, std::vector<std::string_view>{"stale"}) << "nothing else can answer";
  }
  engine_.broken = false;
  const FeedPage page = Page();
  EXPECT_FALSE(page.cached);
  EXPECT_EQ(page.items.front().content.id, TestPost(100));
}

TEST_F(CachedFeedTest, ARankingThatLacksASourceIsNotKept) {
  AddFollowedPosts(20);
  engine_.failed = {Source::kAffinity};
  EXPECT_EQ(Page().degraded, std::vector<std::string_view>{"affinity"});
  EXPECT_FALSE(Page().cached);
  engine_.failed.clear();
  EXPECT_FALSE(Page().cached);
  EXPECT_TRUE(Page().cached);
}

TEST_F(CachedFeedTest, AWalkGoesOnInItsOwnRankingWhereTheCacheHoldsAnother) {
  AddFollowedPosts(60);
  const FeedPage first = Page();
  clock_.Advance(kFeedPageTtl / std::chrono::milliseconds(1));
  Apply();
  EXPECT_FALSE(Page().cached) << "its time is over; another walk begins";
  const FeedPage second = Page(first.next_cursor);
  EXPECT_FALSE(second.cached);
  EXPECT_EQ(second.as_of, first.as_of);
  std::set<PostId> served;
  for (const FeedPage* page : {&first, &second}) {
    for (const PostId& id : IdsOf(*page)) EXPECT_TRUE(served.insert(id).second);
  }
}

TEST_F(CachedFeedTest, WarmedPagesStayForTheirOwnTime) {
  AddFollowedPosts(30);
  pages_.Keep(TestUser(1), 20, *ranker_.RankAt(TestUser(1), kBase, kBase), kBase, 1, kWarmedPageTtl);
  clock_.Advance(149'000);
  Apply();
  EXPECT_TRUE(Page().cached);
  EXPECT_FALSE(pages_.Find(PageSlot{TestUser(1), 1, 20}, {})) << "only the first";
  clock_.Advance(1000);
  Apply();
  EXPECT_FALSE(Page().cached);
}

TEST_F(CachedFeedTest, OfThoseWhoAskAtTheSameTimeOneMakesThePage) {
  AddFollowedPosts(30);
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([this] { EXPECT_EQ(Page().items.size(), 20U); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(engine_.rankings, 1);
}

// The promises of the cursor, freshness and the formula, while everything changes.
TEST_F(CachedFeedTest, RandomWalksKeepTheirPromises) {
  std::mt19937_64 random(TestSeed());
  const auto below = [&](int bound) { return static_cast<int>(random() % static_cast<std::uint64_t>(bound)); };
  AddFollowedPosts(150);
  for (int user = 3; user <= 6; ++user) log_.AddUser(user);
  int next_post = 1000;
  int next_liker = 100;
  std::set<int> deleted;
  std::map<int, bool> follows{{2, true}};
  int hits = 0;
  for (int walk = 0; walk < 60; ++walk) {
    std::set<PostId> served;
    std::optional<std::string> cursor;
    const std::size_t limit = walk % 3 == 0 ? 7 : 20;
    do {
      for (int change = below(4); change > 0; --change) {
        switch (below(5)) {
          case 0:
            log_.AddPost(next_post++, 2 + below(5), clock_.Now());
            break;
          case 1: {
            const int post = 1 + below(150);
            if (deleted.insert(post).second) log_.DeletePost(post, clock_.Now());
            break;
          }
          case 2: {
            const int user = 2 + below(5);
            bool& follow = follows[user];
            follow ? log_.RemoveFollow(1, user) : log_.AddFollow(1, user);
            follow = !follow;
            Apply();
            follows_.Note(TestUser(1), index_.position());
            break;
          }
          default: {
            const int post = 1 + below(150);
            if (!deleted.contains(post)) log_.AddLike(next_liker++ % 20'000, post, clock_.Now());
          }
        }
      }
      clock_.Advance(below(4) == 0 ? below(20'000) : below(1500));
      Apply();
      const FeedPage page = Page(cursor, limit);
      hits += page.cached ? 1 : 0;
      ASSERT_LE(clock_.Now() - page.counters_as_of, kStaleAfter);
      ASSERT_TRUE(page.degraded.empty());
      double last = std::numeric_limits<double>::infinity();
      for (const FeedItem& item : page.items) {
        ASSERT_TRUE(served.insert(item.content.id).second);
        Candidate candidate;
        candidate.created_at = item.created_at;
        candidate.counters = item.counters;
        candidate.interactions = item.interactions;
        ASSERT_EQ(item.parts->score, Score(candidate, page.as_of).score);
        if (item.source == Source::kFallback) continue;
        ASSERT_LE(item.parts->score, last);
        last = item.parts->score;
      }
      for (const int post : deleted) ASSERT_FALSE(std::ranges::count(IdsOf(page), TestPost(post)));
      if (page.next_cursor) ASSERT_EQ(page.items.size(), limit);
      cursor = page.next_cursor;
    } while (cursor);
  }
  EXPECT_GT(hits, 20) << "or nothing was tried";
}

}  // namespace
}  // namespace novafeed
