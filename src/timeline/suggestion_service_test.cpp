#include "timeline/suggestion_service.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>

#include "candidates/index_suggestions.h"
#include "index/test_log.h"
#include "timeline/instants.h"
#include "timeline/test_progress.h"

namespace novafeed {
namespace {

using testing::kBase;
using testing::TestLog;
using testing::TestUser;

// The formula as it stands in the contract, without any thought of speed.
class Formula {
 public:
  void Follow(UserId follower, UserId followee, TimeMs at) {
    if (follower == followee || !following_[follower].emplace(followee, at).second) return;
    followers_[followee].emplace(follower, at);
  }

  std::vector<std::pair<UserId, double>> Scores(UserId viewer, const std::set<UserId>& dismissed) {
    std::map<UserId, int> overlap;
    for (const UserId& followee : Latest(following_[viewer], 500)) {
      for (const UserId& user : Latest(followers_[followee], 1000)) ++overlap[user];
    }
    overlap.erase(viewer);
    std::vector<std::pair<UserId, double>> near;
    for (const auto& [user, count] : overlap) {
      const double product = static_cast<double>(following_[viewer].size() * following_[user].size());
      near.emplace_back(user, count / std::sqrt(product));
    }
    Order(&near, 200);
    std::set<UserId> candidates;
    for (const auto& [user, similarity] : near) {
      for (const UserId& one : Latest(following_[user], 500)) candidates.insert(one);
    }
    std::vector<std::pair<UserId, double>> scores;
    for (const UserId& one : candidates) {
      if (one == viewer || following_[viewer].contains(one) || dismissed.contains(one)) continue;
      double score = 0;
      for (const auto& [user, similarity] : near) {
        if (following_[user].contains(one)) {
          score += similarity / std::log2(2 + static_cast<double>(followers_[one].size()));
        }
      }
      scores.emplace_back(one, score);
    }
    Order(&scores, scores.size());
    return scores;
  }

 private:
  using Dated = std::map<UserId, TimeMs>;

  static std::vector<UserId> Latest(const Dated& follows, std::size_t limit) {
    std::vector<std::pair<TimeMs, UserId>> dated;
    for (const auto& [user, at] : follows) dated.emplace_back(-at, user);
    std::sort(dated.begin(), dated.end());
    std::vector<UserId> latest;
    for (std::size_t i = 0; i < std::min(limit, dated.size()); ++i) latest.push_back(dated[i].second);
    return latest;
  }
  static void Order(std::vector<std::pair<UserId, double>>* items, std::size_t limit) {
    std::sort(items->begin(), items->end(), [](const auto& a, const auto& b) {
      return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    items->resize(std::min(limit, items->size()));
  }

  std::map<UserId, Dated> following_;
  std::map<UserId, Dated> followers_;
};

class SuggestionServiceTest : public ::testing::Test {
 protected:
  void AddFollow(int follower, int followee, TimeMs at = kBase) {
    log_.AddFollow(follower, followee, at);
    formula_.Follow(TestUser(follower), TestUser(followee), at);
  }
  SuggestionList Suggest(int viewer, std::size_t limit = 20, std::vector<UserId> dismissed = {}) {
    index_.ApplyChanges(log_.Read(index_.position().changes, 1'000'000));
    index_.ApplyEvents(log_.events.Read(index_.position().events, 1'000'000));
    SuggestionRequest request;
    request.viewer = TestUser(viewer);
    request.limit = limit;
    request.dismissed = std::move(dismissed);
    return *service_.Suggest(request);
  }
  // As the formula says, as far as it reaches; what follows has score 0.
  void ExpectFormula(int viewer, const std::vector<UserId>& dismissed = {}) {
    const SuggestionList list = Suggest(viewer, kMaxSuggestions, dismissed);
    const auto scores = formula_.Scores(TestUser(viewer), {dismissed.begin(), dismissed.end()});
    ASSERT_GE(list.users.size(), std::min(scores.size(), kMaxSuggestions));
    for (std::size_t i = 0; i < list.users.size(); ++i) {
      if (i >= scores.size()) {
        EXPECT_EQ(list.users[i].score, 0);
        continue;
      }
      EXPECT_EQ(list.users[i].user, scores[i].first) << "place " << i << " for " << viewer;
      EXPECT_EQ(list.users[i].score, scores[i].second) << "place " << i << " for " << viewer;
    }
  }

  ManualClock clock_{kBase};
  Metrics metrics_;
  TestLog log_;
  Formula formula_;
  FeedIndex index_{"g", kBase};
  IndexSuggestions engine_{&index_};
  testing::TestProgress progress_{&index_, kBase};
  SuggestionService service_{&clock_, {&engine_, &progress_, nullptr}, &metrics_};
};

TEST_F(SuggestionServiceTest, RandomGraphsAreSuggestedFromAsTheFormulaSays) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int user = 0; user < 60; ++user) log_.AddUser(user);
  for (int i = 0; i < 500; ++i) {
    AddFollow(static_cast<int>(random() % 60), static_cast<int>(random() % 60 * (random() % 60) / 60),
              kBase - static_cast<TimeMs>(random() % 4));
  }
  for (int viewer = 0; viewer < 60; ++viewer) {
    ExpectFormula(viewer);
    ExpectFormula(viewer, {TestUser(static_cast<int>(random() % 60)), TestUser(static_cast<int>(random() % 60))});
  }
}

TEST_F(SuggestionServiceTest, SaysWhereWhatItIsMadeFromIsOld) {
  AddFollow(1, 2);
  using Reasons = std::vector<std::string_view>;
  clock_.Advance(kStaleAfter);
  EXPECT_EQ(Suggest(3).degraded, Reasons());
  clock_.Advance(1);
  EXPECT_EQ(Suggest(3).degraded, Reasons{"stale"});
  progress_.counters_as_of = clock_.Now();
  EXPECT_EQ(Suggest(3).degraded, Reasons());
}

TEST_F(SuggestionServiceTest, EveryBoundOfTheFormulaHolds) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 1500; ++i) AddFollow(1000 + i, 1, kBase + static_cast<TimeMs>(random() % 50));  // a celebrity
  for (int i = 0; i < 620; ++i) AddFollow(2, 3000 + i, kBase + static_cast<TimeMs>(random() % 50));
  AddFollow(2, 1, kBase + 60);
  AddFollow(3, 1, kBase + 60);
  for (int i = 0; i < 900; ++i) {  // followers of whom the viewer follows, and one of them follows very many
    AddFollow(1000 + static_cast<int>(random() % 700), 3000 + static_cast<int>(random() % 700));
    AddFollow(1499, 4000 + i, kBase - i);
    AddFollow(1000 + static_cast<int>(random() % 700), 4000 + static_cast<int>(random() % 900));
  }
  ExpectFormula(2);
  ExpectFormula(3);
  ExpectFormula(1499);
}

TEST_F(SuggestionServiceTest, FewerThanTwentyAreFilledUpWithWhomMostFollow) {
  for (int user = 1; user <= 40; ++user) log_.AddUser(user);
  AddFollow(1, 2);
  AddFollow(3, 2);
  AddFollow(3, 4);
  for (int i = 0; i < 4; ++i) AddFollow(20 + i, 9);
  for (int i = 0; i < 3; ++i) AddFollow(20 + i, 8);
  const SuggestionList list = Suggest(1, 100, {TestUser(8)});
  ASSERT_EQ(list.users.size(), kSuggestAtLeast);
  EXPECT_EQ(list.users[0].user, TestUser(4));
  EXPECT_GT(list.users[0].score, 0);
  EXPECT_EQ(list.users[1].user, TestUser(9));
  EXPECT_EQ(list.users[1].score, 0);
  std::set<UserId> shown;
  for (const Suggestion& one : list.users) shown.insert(one.user);
  EXPECT_EQ(shown.size(), kSuggestAtLeast);
  for (const int user : {1, 2, 8}) EXPECT_FALSE(shown.contains(TestUser(user))) << user;
}

TEST_F(SuggestionServiceTest, ASmallerLimitIsTheBeginningOfAGreaterOne) {
  for (int user = 1; user <= 30; ++user) log_.AddUser(user);
  AddFollow(1, 2);
  AddFollow(3, 2);
  for (int i = 4; i < 12; ++i) AddFollow(3, i);
  const SuggestionList all = Suggest(1, 100);
  for (const std::size_t limit : {1U, 5U, 12U, 20U}) {
    const SuggestionList some = Suggest(1, limit);
    ASSERT_EQ(some.users.size(), limit);
    for (std::size_t i = 0; i < limit; ++i) EXPECT_EQ(some.users[i].user, all.users[i].user);
  }
}

TEST_F(SuggestionServiceTest, LimitsAndInstantsAreChecked) {
  SuggestionRequest request;
  EXPECT_TRUE(service_.Check(request));
  request.limit = 0;
  EXPECT_EQ(service_.Check(request).error().code, "bad_limit");
  request.limit = 101;
  EXPECT_EQ(service_.Check(request).error().code, "bad_limit");
  request.limit = 100;
  request.as_of = kBase - 2 * kMsPerHour;
  EXPECT_EQ(service_.Check(request).error().code, "bad_as_of");
}

}  // namespace
}  // namespace novafeed
