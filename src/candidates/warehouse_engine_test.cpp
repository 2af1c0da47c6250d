#include "candidates/warehouse_engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "warehouse/sql.h"

namespace novafeed {
namespace {

using std::chrono::milliseconds;

constexpr TimeMs kNow = 1'790'000'000'000;

UserId TestUser(int number) {
  UserId id;
  id.value.bytes = {static_cast<std::uint8_t>(number), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return id;
}
PostId TestPost(int number) {
  return PostId{TestUser(number).value};
}

// Rows as the engine sends them.
class Bytes {
 public:
  Bytes& Id(const Uuid& id) {  // two numbers of 64 bits, little-endian
    text_.append(id.bytes.rend() - 8, id.bytes.rend());
    text_.append(id.bytes.rbegin(), id.bytes.rbegin() + 8);
    return *this;
  }
  Bytes& Int(std::int64_t value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    text_.append(bytes, sizeof value);
    return *this;
  }
  Bytes& Candidate(int post, std::int64_t likes = 0, int author = 200) {
    return Id(TestPost(post).value).Id(TestUser(author).value).Int(kNow - post).Int(likes).Int(0).Int(0).Int(0);
  }
  Bytes& Interactions(int author, std::int64_t count) { return Id(TestUser(author).value).Int(count); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// Answers each statement as the test says; empty where it says nothing.
class FakeOlap final : public Olap {
 public:
  using Answer = std::function<Result<std::string>(const OlapParams& params, const OlapCall& call)>;

  void On(std::string_view statement, Answer answer) { answers_[WarehouseSql(statement)] = std::move(answer); }
  void Give(std::string_view statement, const Bytes& rows) {
    On(statement, [text = rows.text()](const OlapParams&, const OlapCall&) -> Result<std::string> { return text; });
  }
  void Break(std::string_view statement) {
    On(statement, [](const OlapParams&, const OlapCall&) -> Result<std::string> {
      return Fail(Failure::kUnavailable, "olap_unavailable", "nobody is there");
    });
  }
  int asked(std::string_view statement) {
    const std::scoped_lock lock(mutex_);
    return asked_[WarehouseSql(statement)];
  }

  Result<OlapRows> Query(std::string_view sql, const OlapParams& params, const OlapCall& call) override {
    {
      const std::scoped_lock lock(mutex_);
      ++asked_[sql];
    }
    const auto found = answers_.find(sql);
    if (found == answers_.end()) return OlapRows("");
    Result<std::string> answer = found->second(params, call);
    if (!answer) return tl::unexpected<Error>(answer.error());
    return OlapRows(*std::move(answer));
  }
  Status Execute(std::string_view, const OlapParams&, const OlapCall&) override { return {}; }
  Status Insert(std::string_view, std::string_view, std::string_view, const OlapCall&) override { return {}; }

 private:
  std::map<std::string_view, Answer> answers_;
  std::mutex mutex_;
  std::map<std::string_view, int> asked_;
};

std::string ParamOf(const OlapParams& params, std::string_view name) {
  for (const auto& [candidate, value] : params) {
    if (candidate == name) return value;
  }
  return "(none)";
}

class WarehouseEngineTest : public ::testing::Test {
 protected:
  explicit WarehouseEngineTest(milliseconds deadline = milliseconds(60'000)) {
    options_.source_deadline = deadline;
    for (int post = 100; post < 120; ++post) many_.Candidate(post);
    engine_ = std::make_unique<WarehouseEngine>(&olap_, [this] { return applied_; }, options_, &metrics_);
    olap_.Give("interactions", Bytes().Interactions(200, 1));
  }
  Result<CandidateSet> TryFind(const std::vector<int>& trending = {}) {
    return engine_->Find({TestUser(1), kNow, ListOf(trending)});
  }
  static std::shared_ptr<const TrendingList> ListOf(const std::vector<int>& posts) {
    auto list = std::make_shared<TrendingList>();
    for (const int post : posts) list->posts.push_back({TestPost(post), TestUser(200), 0, {}, 0});
    return list;
  }
  static std::vector<int> Numbers(const std::vector<Candidate>& candidates) {
    std::vector<int> numbers;
    for (const Candidate& candidate : candidates) numbers.push_back(candidate.id.value.bytes[0]);
    return numbers;
  }
  bool Counted(const std::string& source, int times) {
    return metrics_.Render().find("novafeed_source_failures_total{source=\"" + source + "\"} " +
                                  std::to_string(times)) != std::string::npos;
  }

  FakeOlap olap_;
  Metrics metrics_;
  Position applied_{"g", 7, {9}};
  Bytes many_;  // enough that no fallback is needed
  WarehouseEngineOptions options_;
  std::unique_ptr<WarehouseEngine> engine_;
};

TEST_F(WarehouseEngineTest, ReadsEachSourceWithItsIntegers) {
  olap_.Give("f1_follow", Bytes().Candidate(2, 5));
  olap_.Give("f3_affinity", Bytes().Candidate(3, 1));
  olap_.Give("interactions", Bytes().Interactions(201, 9).Interactions(200, 3));
  olap_.Give("posts_of_list", Bytes().Candidate(4));
  olap_.Give("fallback", Bytes().Candidate(6).Candidate(5));
  const CandidateSet set = *TryFind({4});
  EXPECT_EQ(set.position, applied_);
  EXPECT_TRUE(set.failed.empty());
  EXPECT_EQ(Numbers(set.fallback), (std::vector<int>{6, 5}));
  ASSERT_EQ(set.follow.size(), 1U);
  const Candidate& post = set.follow[0];
  EXPECT_EQ(post.id, TestPost(2));
  EXPECT_EQ(post.author, TestUser(200));
  EXPECT_EQ(post.created_at, kNow - 2);
  EXPECT_EQ(post.counters, (Counters{5, 0, 0, 0}));
  EXPECT_EQ(post.interactions, 3);
  EXPECT_EQ(post.source, Source::kFollow);
  EXPECT_EQ(set.affinity.at(0).source, Source::kAffinity);
  EXPECT_EQ(set.trending.at(0).source, Source::kTrending);
  EXPECT_EQ(set.fallback.at(0).source, Source::kFallback);
  EXPECT_EQ(set.trending.at(0).interactions, 3);
  EXPECT_EQ(set.fallback.at(0).interactions, 3);
}

TEST_F(WarehouseEngineTest, AffinityIsOfThoseWithWhomTheViewerInteractedOnOneOfTheDays) {
  olap_.Give("f1_follow", Bytes().Candidate(2, 0, 201));
  olap_.Give("f3_affinity", Bytes().Candidate(3).Candidate(4, 0, 201).Candidate(5));
  const CandidateSet set = *TryFind();
  EXPECT_EQ(Numbers(set.affinity), (std::vector<int>{3, 5}));
  EXPECT_EQ(set.follow.at(0).interactions, 0);
}

TEST_F(WarehouseEngineTest, WithoutInteractionsThereIsNoAffinityAndItIsSaid) {
  olap_.Give("f1_follow", many_);
  olap_.Give("f3_affinity", Bytes().Candidate(3));
  olap_.Break("interactions");
  const CandidateSet set = *TryFind();
  EXPECT_EQ(set.failed, std::vector<Source>{Source::kAffinity});
  EXPECT_TRUE(set.affinity.empty());
  EXPECT_EQ(set.follow.at(0).interactions, 0);
  EXPECT_TRUE(Counted("affinity", 1));

  olap_.Break("f3_affinity");
  EXPECT_EQ(TryFind()->failed, std::vector<Source>{Source::kAffinity}) << "once";
  EXPECT_TRUE(Counted("affinity", 2));
  EXPECT_EQ(engine_->FindPosts(TestUser(1), kNow, {{}}).error().code, "warehouse_unavailable");
}

TEST_F(WarehouseEngineTest, TheListsPostsAreReadOnceForAllWhileNothingNewIsApplied) {
  olap_.Give("posts_of_list", Bytes().Candidate(4).Candidate(5, 0, 1).Candidate(6));
  const auto list = ListOf({6, 5, 4});
  for (const int viewer : {1, 2, 3}) {
    const CandidateSet set = *engine_->Find({TestUser(viewer), kNow, list});
    EXPECT_EQ(Numbers(set.trending), viewer == 1 ? (std::vector<int>{6, 4}) : (std::vector<int>{6, 5, 4}));
  }
  EXPECT_EQ(Numbers(engine_->Find({TestUser(2), kNow - 5, list})->trending), (std::vector<int>{6, 5}))
      << "none of after the instant";
  EXPECT_EQ(olap_.asked("posts_of_list"), 1);
  applied_ = {"g", 8, {9}};
  static_cast<void>(*engine_->Find({TestUser(1), kNow, list}));
  EXPECT_EQ(olap_.asked("posts_of_list"), 2) << "they may count more now";
  static_cast<void>(*engine_->Find({TestUser(1), kNow, ListOf({6, 5, 4})}));
  EXPECT_EQ(olap_.asked("posts_of_list"), 3) << "another list";
}

TEST_F(WarehouseEngineTest, AFailureToReadTheListsPostsIsNotKept) {
  const auto list = ListOf({4});
  olap_.Give("f1_follow", many_);
  olap_.Break("posts_of_list");
  EXPECT_EQ(engine_->Find({TestUser(1), kNow, list})->failed, std::vector<Source>{Source::kTrending});
  olap_.Give("posts_of_list", Bytes().Candidate(4));
  EXPECT_EQ(Numbers(engine_->Find({TestUser(1), kNow, list})->trending), std::vector<int>{4});
}

TEST_F(WarehouseEngineTest, SaysWhoAsksAndForWhen) {
  OlapParams asked;
  olap_.On("f1_follow", [&](const OlapParams& params, const OlapCall&) -> Result<std::string> {
    asked = params;
    return "";
  });
  static_cast<void>(*TryFind());
  EXPECT_EQ(ParamOf(asked, "viewer"), TestUser(1).ToString());
  EXPECT_EQ(ParamOf(asked, "as_of"), std::to_string(kNow));
}

TEST_F(WarehouseEngineTest, TrendingKeepsTheOrderOfTheListAndNothingBesideIt) {
  olap_.Give("posts_of_list", Bytes().Candidate(5).Candidate(77).Candidate(6).Candidate(4));
  EXPECT_EQ(Numbers(TryFind({4, 5, 6, 7})->trending), (std::vector<int>{4, 5, 6}));
}

TEST_F(WarehouseEngineTest, AnEmptyListIsNotAskedFor) {
  static_cast<void>(*TryFind());
  EXPECT_EQ(olap_.asked("posts_of_list"), 0);
}

TEST_F(WarehouseEngineTest, FallbackIsAskedForOnlyWhereTheOthersGiveTooFewDifferentPosts) {
  olap_.Give("f1_follow", many_);
  static_cast<void>(*TryFind());
  EXPECT_EQ(olap_.asked("fallback"), 0);
  Bytes fewer;
  for (int post = 100; post < 119; ++post) fewer.Candidate(post);
  olap_.Give("f1_follow", fewer);
  olap_.Give("f3_affinity", fewer);
  static_cast<void>(*TryFind());
  EXPECT_EQ(olap_.asked("fallback"), 1);
}

TEST_F(WarehouseEngineTest, ASourceThatFailsGivesNothingAndIsNamedAndCounted) {
  olap_.Give("f1_follow", many_);
  olap_.Break("f3_affinity");
  olap_.Break("posts_of_list");
  const CandidateSet set = *TryFind({4});
  EXPECT_EQ(set.follow.size(), 20U);
  std::vector<Source> failed = set.failed;
  std::sort(failed.begin(), failed.end());
  EXPECT_EQ(failed, (std::vector<Source>{Source::kTrending, Source::kAffinity}));
  EXPECT_TRUE(Counted("affinity", 1));
  EXPECT_TRUE(Counted("trending", 1));
  EXPECT_TRUE(Counted("follow", 0));
}

TEST_F(WarehouseEngineTest, WhereAllFailThereIsNoAnswer) {
  for (const char* statement : {"f1_follow", "f3_affinity", "posts_of_list"}) olap_.Break(statement);
  EXPECT_EQ(TryFind().error().code, "warehouse_unavailable");
  EXPECT_EQ(TryFind({4}).error().code, "warehouse_unavailable");
}

TEST_F(WarehouseEngineTest, MalformedRowsAreAFailureOfTheirSource) {
  olap_.Give("f1_follow", Bytes().Candidate(1).Int(3));
  olap_.Give("f3_affinity", many_);
  const CandidateSet set = *TryFind();
  EXPECT_TRUE(set.follow.empty());
  EXPECT_EQ(set.failed, std::vector<Source>{Source::kFollow});

  olap_.Give("f2_trending", Bytes().Int(3));
  EXPECT_EQ(engine_->FindTrending(kNow, 24).error().code, "warehouse_unavailable");
}

TEST_F(WarehouseEngineTest, TheSourcesRunAtTheSameTime) {
  std::mutex mutex;
  std::condition_variable all_there;
  int there = 0;
  const auto meet = [&](const OlapParams&, const OlapCall&) -> Result<std::string> {
    std::unique_lock lock(mutex);
    ++there;
    all_there.notify_all();
    all_there.wait(lock, [&] { return there == 4; });
    return "";
  };
  for (const char* statement : {"f1_follow", "f3_affinity", "posts_of_list", "interactions"}) olap_.On(statement, meet);
  EXPECT_TRUE(TryFind({4})->failed.empty());
}

class HurriedWarehouseEngineTest : public WarehouseEngineTest {
 protected:
  HurriedWarehouseEngineTest() : WarehouseEngineTest(milliseconds(50)) {}
};

TEST_F(HurriedWarehouseEngineTest, ALateSourceIsNotWaitedFor) {
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  milliseconds told{};
  olap_.Give("f1_follow", many_);
  olap_.On("f3_affinity", [&, released](const OlapParams&, const OlapCall& call) -> Result<std::string> {
    told = call.deadline;
    released.wait();
    return "";
  });
  const CandidateSet set = *TryFind();
  EXPECT_EQ(set.failed, std::vector<Source>{Source::kAffinity});
  EXPECT_EQ(set.follow.size(), 20U);
  release.set_value();
  engine_.reset();  // ends the late query
  EXPECT_LE(told, milliseconds(50));
}

TEST_F(WarehouseEngineTest, TheSharedListIsAskedForWithItsWindow) {
  OlapParams asked;
  olap_.On("f2_trending", [&](const OlapParams& params, const OlapCall&) -> Result<std::string> {
    asked = params;
    return Bytes().Id(TestPost(3).value).Id(TestUser(4).value).Int(kNow - 9).Int(1).Int(2).Int(3).Int(4).text();
  });
  const std::vector<TrendingCandidate> found = *engine_->FindTrending(kNow, 24);
  EXPECT_EQ(ParamOf(asked, "as_of"), std::to_string(kNow));
  EXPECT_EQ(ParamOf(asked, "hours"), "24");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].author, TestUser(4));
  EXPECT_EQ(found[0].window, (Counters{1, 2, 3, 4}));
}

TEST_F(WarehouseEngineTest, PostsAreLookedUpByIdAndAuthorAndKeepTheirSources) {
  OlapParams asked;
  olap_.On("posts_of_list", [&](const OlapParams& params, const OlapCall&) -> Result<std::string> {
    asked = params;
    return Bytes().Candidate(3).Candidate(4).Candidate(5, 0, 1).text();
  });
  std::vector<Candidate> posts(3);
  for (int i = 0; i < 3; ++i) posts[static_cast<std::size_t>(i)].id = TestPost(3 + i);
  posts[1].source = Source::kAffinity;
  const std::vector<Candidate> found = *engine_->FindPosts(TestUser(1), kNow, posts);
  EXPECT_EQ(Numbers(found), (std::vector<int>{3, 4})) << "the viewer's own is left out";
  EXPECT_EQ(found[0].interactions, 1);
  EXPECT_EQ(found[0].source, Source::kFollow);
  EXPECT_EQ(found[1].source, Source::kAffinity);
  EXPECT_EQ(ParamOf(asked, "posts"),
            "['" + TestPost(3).ToString() + "','" + TestPost(4).ToString() + "','" + TestPost(5).ToString() + "']");

  olap_.Break("posts_of_list");
  EXPECT_EQ(engine_->FindPosts(TestUser(1), kNow, posts).error().code, "warehouse_unavailable");
}

TEST_F(WarehouseEngineTest, FollowingGoesOnStrictlyAfterItsPlace) {
  OlapParams asked;
  olap_.On("following", [&](const OlapParams& params, const OlapCall&) -> Result<std::string> {
    asked = params;
    return Bytes().Candidate(3).text();
  });
  FollowingQuery query{TestUser(1), kNow, std::pair(kNow - 5, TestPost(9)), 21};
  EXPECT_EQ(Numbers(*engine_->FindFollowing(query)), std::vector<int>{3});
  EXPECT_EQ(ParamOf(asked, "after_ms"), std::to_string(kNow - 5));
  EXPECT_EQ(ParamOf(asked, "after_id"), TestPost(9).ToString());
  EXPECT_EQ(ParamOf(asked, "limit"), "21");

  query.after.reset();
  static_cast<void>(*engine_->FindFollowing(query));
  EXPECT_EQ(ParamOf(asked, "after_ms"), std::to_string(kNow + 1)) << "from the newest that may be shown";

  olap_.Break("following");
  EXPECT_EQ(engine_->FindFollowing(query).error().code, "warehouse_unavailable");
}

}  // namespace
}  // namespace novafeed
