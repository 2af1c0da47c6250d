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

// An index stands for the warehouse: the engine's. Another one, the live index, is ahead of it.
class CachedFeedTest : public ::testing::Test {
 protected:
  // Both have the whole log.
  void Apply() {
    ApplyTo(&index_, &progress_);
    ApplyLive();
  }
  void ApplyLive() { ApplyTo(&live_index_, &live_progress_); }
  void ApplyTo(FeedIndex* index, TestProgress* progress) {
    index->ApplyChanges(log_.Read(index->position().changes, 100'000));
    index->ApplyEvents(log_.events.Read(index->position().events, 100'000));
    progress->counters_as_of = clock_.Now();
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
  FeedIndex live_index_{"g", kBase};
  IndexEngine live_engine_{&live_index_};
  TestProgress live_progress_{&live_index_, kBase};
  std::vector<LiveEngine> live_{{&live_engine_, &live_progress_}};
  PageCache pages_{&clock_, &cache_, &follows_, [this] { return live_; }, &metrics_};
  TrendingBoard trending_{&clock_, &engine_, &metrics_};
  Ranker ranker_{&engine_, &trending_, &metrics_};
  IndexContents contents_{&live_index_};
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
  const FullRanking full = *ranker_.RankAt(TestUser(1), kBase, kBase);
  for (const RankedPost& post : full.ranking.posts) expected.push_back(post.candidate.id);
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

TEST_F(CachedFeedTest, APageOfTheRankingIsNoAnswerToTheFollowingFeed) {
  AddFollowedPosts(30);
  Page();
  FeedRequest request;
  request.viewer = TestUser(1);
  request.mode = FeedMode::kFollowing;
  const OpenedFeed following = *service_.Open(request);
  EXPECT_FALSE(service_.MayBeKept(following));
  EXPECT_FALSE(service_.FindKept(following));
  request.cursor = service_.Page(following, false)->next_cursor;
  const OpenedFeed next = *service_.Open(request);
  EXPECT_TRUE(next.following);
  EXPECT_FALSE(service_.FindKept(next));
}

TEST_F(CachedFeedTest, OldCountersAreLookedUpAgainAndThePageIsOrderedByThem) {
  AddFollowedPosts(25);
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
  AddFollowedPosts(25);
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
  AddFollowedPosts(25);
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
  AddFollowedPosts(25);
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
  AddFollowedPosts(25);
  Page();
  log_.AddLike(9, 7, clock_.Now());
  Apply();
  FeedRequest request;
  EXPECT_FALSE(TryPage(request, index_.position())->cached);
  EXPECT_TRUE(TryPage(request, index_.position())->cached);
}

TEST_F(CachedFeedTest, ANewPostByAFolloweeMakesThePageAnew) {
  AddFollowedPosts(25);
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

TEST_F(CachedFeedTest, AWalkThatGoesOnMissesNothingOfANewPost) {
  AddFollowedPosts(60);
  const FeedPage first = Page();
  clock_.Advance(kRescoreAfter + 1);
  log_.AddPost(100, 2, clock_.Now());
  Apply();
  EXPECT_TRUE(Page(first.next_cursor).cached);
}

TEST_F(CachedFeedTest, APageIsNotMadeAnewForAPostThatTheEngineHasNotHeardOf) {
  AddFollowedPosts(25);
  Page();
  clock_.Advance(kRescoreAfter + 1);
  log_.AddPost(100, 2, clock_.Now());
  ApplyLive();
  const FeedPage kept = Page();
  EXPECT_TRUE(kept.cached);
  EXPECT_TRUE(kept.degraded.empty());
  EXPECT_EQ(engine_.rankings, 1);
  clock_.Advance(kRescoreAfter + 1);
  Apply();
  EXPECT_EQ(Page().items.front().content.id, TestPost(100));
}

TEST_F(CachedFeedTest, CountersAreNotTakenFromWhoIsBehindThePage) {
  AddFollowedPosts(25);
  log_.AddLike(9, 7, clock_.Now());
  ApplyTo(&index_, &progress_);
  Page();
  clock_.Advance(kRescoreAfter + 1);
  live_progress_.counters_as_of = clock_.Now();
  const FeedPage kept = Page();
  EXPECT_TRUE(kept.cached);
  EXPECT_EQ(kept.items.front().content.id, TestPost(7));
  EXPECT_EQ(kept.items.front().counters.likes, 1) << "that the other index does not know of";
}

TEST_F(CachedFeedTest, TheLastPageIsMadeEachTimeAndLeavesTheOthersAsTheyAre) {
  AddFollowedPosts(25);
  const TimeMs as_of = Page().as_of;
  clock_.Advance(1);
  EXPECT_FALSE(PageAt(20).cached);
  EXPECT_FALSE(PageAt(40).cached);
  EXPECT_EQ(Page().as_of, as_of);
  EXPECT_TRUE(Page().cached);
}

TEST_F(CachedFeedTest, ALaterPageWithADeletedPostMakesTheWholeWalkAnew) {
  AddFollowedPosts(60);
  Page();
  log_.DeletePost(30, clock_.Now());
  Apply();
  const FeedPage first = Page();
  EXPECT_TRUE(first.cached);
  const FeedPage second = Page(first.next_cursor);
  EXPECT_FALSE(second.cached);
  EXPECT_EQ(second.items.size(), 20U);
  const FeedPage again = Page();
  EXPECT_FALSE(again.cached);
  EXPECT_TRUE(Page(again.next_cursor).cached);
}

TEST_F(CachedFeedTest, OfTwoOwnFollowsAtTheSameTimeTheLaterOneStays) {
  follows_.Note(TestUser(1), Position{"g", 11, {}});
  follows_.Note(TestUser(1), Position{"g", 10, {}});
  EXPECT_FALSE(follows_.Holds(TestUser(1), Position{"g", 10, {5}}));
  EXPECT_TRUE(follows_.Holds(TestUser(1), Position{"g", 11, {}}));
  EXPECT_TRUE(follows_.Holds(TestUser(2), Position{"g", 0, {}}));
}

TEST_F(CachedFeedTest, WhatLacksOnesOwnFollowIsNotKept) {
  AddFollowedPosts(25);
  follows_.Note(TestUser(1), Position{"g", index_.position().changes + 1, {}});
  EXPECT_FALSE(Page().cached);
  ASSERT_TRUE(cache_.Remove(FollowsChangedKey(TestUser(1))));
  EXPECT_FALSE(Page().cached) << "as it would be where the note went first";
}

TEST_F(CachedFeedTest, ARankingThatLacksASourceIsNotKept) {
  AddFollowedPosts(25);
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
  AddFollowedPosts(50);
  pages_.Keep(TestUser(1), 20, *ranker_.RankAt(TestUser(1), kBase, kBase), kBase, kWarmedPageTtl);
  clock_.Advance(149'000);
  Apply();
  const FeedPage first = Page();
  EXPECT_TRUE(first.cached);
  EXPECT_TRUE(Page(first.next_cursor).cached);
  clock_.Advance(1000);
  Apply();
  EXPECT_FALSE(Page().cached);
}

TEST_F(CachedFeedTest, OfThoseWhoAskAtTheSameTimeOneMakesThePage) {
  AddFollowedPosts(30);
  constexpr int kReaders = 8;
  std::atomic<int> reading{0};
  engine_.on_ranking = [&] {
    while (reading < kReaders) std::this_thread::yield();
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kReaders; ++i) {
    threads.emplace_back([this, &reading] {
      ++reading;
      EXPECT_EQ(Page().items.size(), 20U);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(engine_.rankings, 1);
}

// A platform that changes at random under walks through the cache, with a warehouse that is now and then behind.
class RandomWorld {
 public:
  RandomWorld(TestLog* log, ManualClock* clock) : log_(log), clock_(clock) {
    for (int user = 3; user <= 6; ++user) log_->AddUser(user);
  }

  // True where the viewer has changed whom they follow.
  bool Change() {
    switch (Below(5)) {
      case 0:
        log_->AddPost(next_post_++, 2 + Below(5), clock_->Now());
        return false;
      case 1: {
        const int post = 1 + Below(150);
        if (deleted_.insert(TestPost(post)).second) log_->DeletePost(post, clock_->Now());
        return false;
      }
      case 2: {
        const int user = 2 + Below(5);
        if (!followed_.insert(user).second) followed_.erase(user);
        followed_.contains(user) ? log_->AddFollow(1, user) : log_->RemoveFollow(1, user);
        return true;
      }
      default: {
        const int post = 1 + Below(150);
        if (!deleted_.contains(TestPost(post))) log_->AddLike(next_liker_++, post, clock_->Now());
        return false;
      }
    }
  }
  int Below(int bound) { return static_cast<int>(random_() % static_cast<std::uint64_t>(bound)); }
  const std::set<PostId>& deleted() const { return deleted_; }
  bool Follows(UserId user) const { return followed_.contains(user.value.bytes[15]); }

 private:
  TestLog* const log_;
  ManualClock* const clock_;
  std::mt19937_64 random_{TestSeed()};
  std::set<PostId> deleted_;
  std::set<int> followed_{2};
  int next_post_ = 1000;
  int next_liker_ = 100;
};

TEST_F(CachedFeedTest, RandomWalksKeepTheirPromises) {
  AddFollowedPosts(150);
  RandomWorld world(&log_, &clock_);
  int hits = 0;
  for (int walk = 0; walk < 60; ++walk) {
    std::set<PostId> served;
    std::optional<std::set<PostId>> always;  // in the ranking at each page
    std::optional<std::string> cursor;
    const std::size_t limit = walk % 3 == 0 ? 7 : 20;
    do {
      bool follows_changed = false;
      for (int change = world.Below(4); change > 0; --change) follows_changed |= world.Change();
      clock_.Advance(world.Below(4) == 0 ? world.Below(20'000) : world.Below(1500));
      ApplyLive();
      if (follows_changed) follows_.Note(TestUser(1), live_index_.position());
      if (follows_changed || world.Below(3) > 0) Apply();
      const FeedPage page = Page(cursor, limit);
      hits += page.cached ? 1 : 0;
      ASSERT_LE(clock_.Now() - page.counters_as_of, page.degraded.empty() ? kStaleAfter : 60'000);
      double last = std::numeric_limits<double>::infinity();
      for (const FeedItem& item : page.items) {
        ASSERT_TRUE(served.insert(item.content.id).second);
        ASSERT_FALSE(world.deleted().contains(item.content.id));
        if (item.source == Source::kFollow) ASSERT_TRUE(world.Follows(item.author));
        Candidate candidate;
        candidate.created_at = item.created_at;
        candidate.counters = item.counters;
        candidate.interactions = item.interactions;
        ASSERT_EQ(item.parts->score, Score(candidate, page.as_of).score);
        if (item.source == Source::kFallback) continue;
        ASSERT_LE(item.parts->score, last);
        last = item.parts->score;
      }
      if (page.next_cursor) ASSERT_EQ(page.items.size(), limit);
      std::set<PostId> ranked;
      const FullRanking full = *ranker_.Rank(TestUser(1), page.as_of, trending_.Current());
      for (const RankedPost& post : full.ranking.posts) {
        const PostId id = post.candidate.id;
        if ((!always || always->contains(id)) && !world.deleted().contains(id)) ranked.insert(id);
      }
      always = std::move(ranked);
      cursor = page.next_cursor;
    } while (cursor);
    for (const PostId& id : *always) ASSERT_TRUE(served.contains(id)) << "walk " << walk;
  }
  EXPECT_GT(hits, 20) << "or nothing was tried";
}

}  // namespace
}  // namespace novafeed
