#include "timeline/suggestion_cache.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "cache/keys.h"
#include "cache/memory_cache.h"
#include "candidates/index_suggestions.h"
#include "index/test_log.h"
#include "timeline/suggestion_service.h"
#include "timeline/test_progress.h"

namespace novafeed {
namespace {

using testing::kBase;
using testing::TestLog;
using testing::TestProgress;
using testing::TestUser;

class SuggestionCacheTest : public ::testing::Test {
 protected:
  // Viewer 1 follows 2, as the users from 100 on do; each of these follows one of 200 to 239.
  SuggestionCacheTest() {
    for (int user = 1; user < 240; ++user) log_.AddUser(user);
    log_.AddFollow(1, 2);
    for (int user = 0; user < 40; ++user) {
      log_.AddFollow(100 + user, 2);
      log_.AddFollow(100 + user, 200 + user);
    }
    Apply();
  }
  void Apply() { index_.ApplyChanges(log_.Read(index_.position().changes, 100'000)); }
  static SuggestionRequest For(std::size_t limit) {
    SuggestionRequest request;
    request.viewer = TestUser(1);
    request.limit = limit;
    return request;
  }
  SuggestionList Suggest(const SuggestionRequest& request) { return *service_.Suggest(request); }
  // Whether the list comes from the cache: then no engine has taken any time for it.
  bool IsCached(const SuggestionRequest& request) { return Suggest(request).timings.empty(); }

  ManualClock clock_{kBase};
  Metrics metrics_;
  TestLog log_;
  FeedIndex index_{"g", kBase};
  IndexSuggestions engine_{&index_};
  TestProgress progress_{&index_, kBase};
  MemoryCache cache_{&clock_, 16UL << 20, &metrics_};
  OwnFollows follows_{&cache_, "g"};
  SuggestionCache kept_{&cache_, &follows_, &metrics_};
  SuggestionService service_{&clock_, {&engine_, &progress_, &kept_}, &metrics_};
};

TEST_F(SuggestionCacheTest, TheListIsKeptWhole) {
  const SuggestionList made = Suggest(For(30));
  const SuggestionList kept = Suggest(For(30));
  ASSERT_EQ(made.users.size(), 30U);
  EXPECT_FALSE(made.timings.empty());
  EXPECT_TRUE(kept.timings.empty());
  EXPECT_EQ(kept.as_of, made.as_of);
  EXPECT_EQ(kept.engine, made.engine);
  ASSERT_EQ(kept.users.size(), made.users.size());
  for (std::size_t i = 0; i < made.users.size(); ++i) {
    EXPECT_EQ(kept.users[i].user, made.users[i].user);
    EXPECT_EQ(kept.users[i].score, made.users[i].score);
    EXPECT_EQ(kept.users[i].affinity_score, made.users[i].affinity_score);
    EXPECT_EQ(kept.users[i].mutual_followers, made.users[i].mutual_followers);
    EXPECT_EQ(kept.users[i].counts.followers, made.users[i].counts.followers);
    EXPECT_EQ(kept.users[i].counts.following, made.users[i].counts.following);
    EXPECT_EQ(kept.users[i].mutual, made.users[i].mutual);
  }
  EXPECT_NE(metrics_.Render().find("novafeed_cache_hits_total{kind=\"suggestions\"} 1\n"), std::string::npos);
}

TEST_F(SuggestionCacheTest, AGreaterListAnswersForSmallerOnesAndNotTheOtherWay) {
  const SuggestionList made = Suggest(For(30));
  const SuggestionList ten = Suggest(For(10));
  EXPECT_TRUE(ten.timings.empty());
  ASSERT_EQ(ten.users.size(), 10U);
  EXPECT_TRUE(std::ranges::equal(ten.users, std::span(made.users).first(10), {}, &Suggestion::user, &Suggestion::user));
  EXPECT_FALSE(IsCached(For(31)));
  EXPECT_TRUE(IsCached(For(31)));
}

TEST_F(SuggestionCacheTest, WhomTheViewerDismissedIsNotSuggestedAgain) {
  Suggest(For(21));
  SuggestionRequest request = For(20);
  for (const bool cached : {true, false}) {  // the list of 21 has room for one
    request.dismissed.push_back(Suggest(request).users.front().user);
    const SuggestionList list = Suggest(request);
    EXPECT_EQ(list.timings.empty(), cached);
    EXPECT_EQ(list.users.size(), 20U);
    for (const UserId& user : request.dismissed) EXPECT_FALSE(std::ranges::count(list.users, user, &Suggestion::user));
  }
}

TEST_F(SuggestionCacheTest, AListOfAllAnswersEveryLimit) {
  const std::size_t all = Suggest(For(100)).users.size();
  ASSERT_LT(all, 100U);
  SuggestionRequest request = For(100);
  request.dismissed.push_back(Suggest(request).users.front().user);
  const SuggestionList list = Suggest(request);
  EXPECT_TRUE(list.timings.empty());
  EXPECT_EQ(list.users.size(), all - 1);
}

TEST_F(SuggestionCacheTest, WhatTheCallerHasSeenIsInTheList) {
  Suggest(For(20));
  log_.AddFollow(150, 2);
  Apply();
  SuggestionRequest request = For(20);
  request.wanted = index_.position();
  EXPECT_FALSE(IsCached(request));
  EXPECT_TRUE(IsCached(request));
}

TEST_F(SuggestionCacheTest, OnesOwnFollowsCountAtOnce) {
  const UserId first = Suggest(For(20)).users.front().user;
  log_.AddFollow(1, first.value.bytes[15]);
  Apply();
  follows_.Note(TestUser(1), index_.position());
  EXPECT_FALSE(std::ranges::count(Suggest(For(20)).users, first, &Suggestion::user));
  EXPECT_TRUE(IsCached(For(20)));
}

TEST_F(SuggestionCacheTest, AnotherInstantOrANamedEngineIsNotAnsweredFromIt) {
  Suggest(For(20));
  SuggestionRequest request = For(20);
  request.as_of = kBase - 1;
  EXPECT_FALSE(IsCached(request));
  request.as_of.reset();
  request.engine = "index";
  EXPECT_FALSE(IsCached(request));
}

TEST_F(SuggestionCacheTest, ItsTimeEnds) {
  Suggest(For(20));
  clock_.Advance(std::chrono::milliseconds(kSuggestionsTtl).count() - 1);
  EXPECT_TRUE(IsCached(For(20)));
  clock_.Advance(1);
  EXPECT_FALSE(IsCached(For(20)));
}

TEST_F(SuggestionCacheTest, BytesThatAreNoListAreMadeAnew) {
  const std::string bytes = EncodeKeptSuggestions(*service_.Prepare(For(20)));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodeKeptSuggestions(bytes.substr(0, size)).error().code, "bad_cached") << size;
  }
  ASSERT_TRUE(cache_.Put(SuggestionsKey(TestUser(1)), bytes.substr(0, 40), kSuggestionsTtl));
  EXPECT_FALSE(IsCached(For(20)));
}

}  // namespace
}  // namespace novafeed
