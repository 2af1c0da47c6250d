// The routes over stores in memory: what each answers, and that the next answer shows it.
#include "api/service.h"

#include <gtest/gtest.h>

#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "api/test_node.h"

namespace novafeed {
namespace {

using testing::Answer;
using testing::kTestNow;
using testing::TestNode;

std::string TextOf(const boost::json::value& value) {
  return std::string(value.as_string());
}

std::string IdText(const Answer& answer) {
  return TextOf(answer.json.at("id"));
}

class ApiServiceTest : public ::testing::Test {
 protected:
  ApiServiceTest() {
    node_.Boot();
    for (const char* name : {"ada", "bob", "eve"}) CreateUser(name);
  }

  void CreateUser(const std::string& name) {
    const Answer answer = Platform(Method::kPost, "/api/v1/users",
                                   R"({"id":"ext:)" + name + R"(","handle":")" + name + R"(","name":"X"})");
    ASSERT_EQ(answer.status, 201) << answer.json;
  }

  Answer As(const std::string& user, Method method, const std::string& target, const std::string& body = "",
            Headers headers = {}) {
    return node_.Send(method, target, node_.Token(user), body, std::move(headers));
  }
  // A backend's token, for nobody unless `headers` name somebody.
  Answer Platform(Method method, const std::string& target, const std::string& body = "", Headers headers = {}) {
    return node_.Send(method, target, node_.Token("backend", Scope::kService), body, std::move(headers));
  }

  // The id of a new post.
  std::string Post(const std::string& user, const std::string& text) {
    const Answer answer = As(user, Method::kPost, "/api/v1/posts", R"({"text":")" + text + "\"}");
    EXPECT_EQ(answer.status, 201) << answer.json;
    return IdText(answer);
  }

  std::vector<std::string> FeedIds(const std::string& user, const std::string& query = "") {
    const Answer answer = As(user, Method::kGet, "/feed" + query);
    EXPECT_EQ(answer.status, 200) << answer.json;
    std::vector<std::string> ids;
    for (const boost::json::value& item : answer.json.at("items").as_array()) {
      ids.push_back(TextOf(item.at("post").at("id")));
    }
    return ids;
  }

  static std::string EventJson(const std::string& id, const std::string& type, const std::string& post,
                               TimeMs at = kTestNow) {
    return R"({"event_id":"ext:)" + id + R"(","type":")" + type + R"(","post_id":")" + post + R"(","at":)" +
           std::to_string(at) + "}";
  }
  Answer SendEvents(const std::string& user, const std::string& events) {
    return As(user, Method::kPost, "/events", R"({"events":[)" + events + "]}");
  }
  // "accepted", "duplicate", or the code of a rejected one.
  static std::vector<std::string> Outcomes(const Answer& answer) {
    EXPECT_EQ(answer.status, 202) << answer.json;
    std::vector<std::string> outcomes;
    for (const boost::json::value& result : answer.json.at("results").as_array()) {
      const boost::json::value* code = result.as_object().if_contains("code");
      outcomes.push_back(TextOf(code != nullptr ? *code : result.at("status")));
    }
    return outcomes;
  }

  TestNode node_;
};

using Strings = std::vector<std::string>;

TEST(ApiServiceBoot, AnswersBootingUntilItIsOpened) {
  TestNode node;
  const std::string token = node.Token("ada");
  EXPECT_EQ(node.Send(Method::kGet, "/healthz", "").status, 200);
  for (const char* path : {"/readyz", "/feed", "/nowhere"}) {
    const Answer answer = node.Send(Method::kGet, path, token);
    EXPECT_EQ(answer.status, 503) << path;
    EXPECT_EQ(answer.code(), "booting");
    EXPECT_EQ(answer.Header("Retry-After"), "1");
  }
  node.Boot();
  EXPECT_EQ(node.Send(Method::kGet, "/readyz", "").status, 200);
  EXPECT_EQ(node.Send(Method::kGet, "/feed", token).status, 200);
}

// Finds the posts that it is told to, as a warehouse that has applied what it is told to.
class TestWarehouse final : public CandidateEngine, public LogProgress {
 public:
  std::string_view Name() const override { return "warehouse"; }
  Result<CandidateSet> Find(const CandidateQuery&) override {
    if (broken) return Fail(Failure::kUnavailable, "warehouse_unavailable", "Nobody answers.", 1000);
    return found;
  }
  Result<std::vector<TrendingCandidate>> FindTrending(TimeMs, int) override { return std::vector<TrendingCandidate>(); }
  Result<std::vector<Candidate>> FindPosts(UserId, TimeMs, const std::vector<Candidate>& posts) override {
    return posts;
  }
  Result<std::vector<Candidate>> FindFollowing(const FollowingQuery&) override { return found.follow; }
  Position Applied() const override { return applied; }
  void WaitFor(const Position& wanted, std::int64_t, std::function<void(bool)> done) override {
    done(Reached(wanted, applied));
  }
  TimeMs CountersAsOf() const override { return kTestNow - 3; }

  CandidateSet found;
  Position applied;
  bool broken = false;
};

Strings Degraded(const Answer& answer) {
  Strings reasons;
  for (const boost::json::value& reason : answer.json.at("degraded").as_array()) {
    reasons.emplace_back(reason.as_string());
  }
  return reasons;
}

class ApiServiceWarehouse : public ::testing::Test {
 protected:
  ApiServiceWarehouse() {
    warehouse_.applied.generation = node_.generation();
    node_.OpenWarehouse(&warehouse_, &warehouse_);
  }

  // A post that the graph holds, and the warehouse finds.
  PostId AddPost(const std::string& text) {
    const PostId id{NewUuid(kTestNow)};
    std::promise<void> written;
    node_.graph().Write(
        [&](GraphTransaction& tx) {
          tx.InsertPost(Post{id, std::nullopt, TestNode::IdOf("ada"), text, kTestNow, std::nullopt});
        },
        [&](const Result<std::int64_t>&) { written.set_value(); });
    written.get_future().wait();
    warehouse_.found.follow.push_back(Candidate{id, TestNode::IdOf("ada"), kTestNow, {}, 0, Source::kFollow});
    return id;
  }
  Answer Ask(const std::string& query, Scope scope = Scope::kService) {
    return node_.Send(Method::kGet, "/feed" + query, node_.Token("ada", scope), "", {{"Novafeed-User", "ext:ada"}});
  }

  TestWarehouse warehouse_;
  TestNode node_;
};

TEST_F(ApiServiceWarehouse, StandsInForAnIndexThatBoots) {
  AddPost("hello");
  EXPECT_EQ(Ask("").code(), "booting") << "not before it holds what the index will";
  node_.engines().LetWarehouseStandIn();
  const Answer answer = Ask("", Scope::kUser);
  ASSERT_EQ(answer.status, 200) << answer.json;
  EXPECT_EQ(answer.json.at("engine").as_string(), "warehouse");
  EXPECT_EQ(Degraded(answer), (Strings{"booting"}));
  EXPECT_EQ(answer.json.at("counters_as_of").as_int64(), kTestNow - 3);
  EXPECT_EQ(answer.json.at("items").at(0).at("post").at("text").as_string(), "hello");
  EXPECT_EQ(Degraded(Ask("?mode=following")), (Strings{"booting"}));
  EXPECT_EQ(Ask("?engine=index").code(), "booting");
  EXPECT_EQ(node_.Send(Method::kGet, "/readyz", "").status, 503);
  EXPECT_EQ(node_.Send(Method::kGet, "/api/v1/users/ext:ada", node_.Token("ada")).code(), "booting");

  warehouse_.broken = true;
  EXPECT_EQ(Ask("").code(), "booting");

  node_.Boot();
  EXPECT_EQ(Ask("").json.at("engine").as_string(), "index");
  EXPECT_EQ(Degraded(Ask("")), Strings{});
}

TEST_F(ApiServiceWarehouse, AnswersAPlatformThatAsksForIt) {
  node_.Boot();
  AddPost("hello");
  const Answer answer = Ask("?engine=warehouse");
  ASSERT_EQ(answer.status, 200) << answer.json;
  EXPECT_EQ(answer.json.at("engine").as_string(), "warehouse");
  EXPECT_EQ(answer.json.at("items").as_array().size(), 1u);
  EXPECT_EQ(Ask("?engine=warehouse", Scope::kUser).code(), "scope_required");
  EXPECT_EQ(Ask("?engine=fastest").code(), "bad_engine");
  warehouse_.broken = true;
  EXPECT_EQ(Ask("?engine=warehouse").code(), "warehouse_unavailable");
}

TEST_F(ApiServiceWarehouse, NamesTheSourcesThatFailed) {
  node_.Boot();
  AddPost("hello");
  warehouse_.found.failed = {Source::kTrending, Source::kAffinity};
  EXPECT_EQ(Degraded(Ask("?engine=warehouse")), (Strings{"trending", "affinity"}));
}

TEST_F(ApiServiceWarehouse, WaitsForPositionsOfTheEngineThatAnswers) {
  node_.Boot();
  const Position wanted{node_.generation(), 0, {5}};
  const std::string query = "&min_position=" + EncodePosition(wanted);
  EXPECT_EQ(Degraded(Ask("?engine=warehouse" + query)), (Strings{"behind"}));
  warehouse_.applied = wanted;
  EXPECT_EQ(Degraded(Ask("?engine=warehouse" + query)), Strings{});
}

TEST_F(ApiServiceWarehouse, KeepsPagesUntilTheViewerFollowsSomebodyElse) {
  node_.Boot();
  for (const char* text : {"one", "two"}) AddPost(text);  // a page of one, and more
  for (const std::string name : {"ada", "bob"}) {
    const std::string body = R"({"id":"ext:)" + name + R"(","handle":")" + name + R"(","name":"X"})";
    ASSERT_EQ(node_.Send(Method::kPost, "/api/v1/users", node_.Token("a", Scope::kService), body).status, 201);
  }
  const auto is_cached = [&] { return Ask("?engine=warehouse&limit=1").json.at("cached").as_bool(); };
  warehouse_.found.position = warehouse_.applied;
  EXPECT_FALSE(is_cached());
  EXPECT_TRUE(is_cached());
  for (const Method method : {Method::kPut, Method::kDelete}) {
    const Answer answer = node_.Send(method, "/api/v1/users/ext:bob/follow", node_.Token("ada"));
    ASSERT_EQ(answer.status, 204) << answer.json;
    EXPECT_FALSE(is_cached()) << "the warehouse has not applied it";
    EXPECT_FALSE(is_cached()) << "so what it finds does not count";
    warehouse_.found.position.changes = warehouse_.applied.changes = node_.applied().changes;
    EXPECT_FALSE(is_cached());
    EXPECT_TRUE(is_cached());
  }
}

TEST_F(ApiServiceWarehouse, LeavesOutWhatTheGraphHasDeletedSince) {
  node_.Boot();
  for (int i = 0; i < 3; ++i) AddPost(std::to_string(i));
  const PostId gone = AddPost("gone");
  warehouse_.found.position = {node_.generation(), 0, {0}};
  node_.Send(Method::kDelete, "/api/v1/posts/" + gone.ToString(), node_.Token("ada", Scope::kAdmin));
  const Answer page = Ask("?engine=warehouse&limit=3");
  EXPECT_EQ(page.json.at("items").as_array().size(), 3u);
  for (const boost::json::value& item : page.json.at("items").as_array()) {
    EXPECT_NE(item.at("post").at("id").as_string(), gone.ToString());
  }
}

TEST(ApiServiceLimits, CallersHaveBucketsOfTheirOwn) {
  TestNode node(ApiRateRules{{0.001, 2}, {}, {0.001, 1}});
  node.Boot();
  const auto feed = [&node](const std::string& token) { return node.Send(Method::kGet, "/feed", token); };
  const Answer first = feed(node.Token("ada"));
  EXPECT_EQ(first.Header("RateLimit-Policy"), "\"user\";q=2;w=2000");
  EXPECT_EQ(first.Header("RateLimit"), "\"user\";r=1;t=1000");
  EXPECT_EQ(feed(node.Token("ada")).status, 200);
  const Answer refused = feed(node.Token("ada"));
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.code(), "rate_limited");
  EXPECT_GE(std::stoi(refused.Header("Retry-After")), 1);
  EXPECT_EQ(refused.Header("RateLimit"), "\"user\";r=0;t=2000");
  EXPECT_EQ(feed(node.Token("bob")).status, 200);
  EXPECT_EQ(feed(node.Token("platform", Scope::kService)).Header("RateLimit"), "") << "this caller has no limit";
  // Strangers are counted by address, and hold no valid token back.
  EXPECT_EQ(feed("").Header("RateLimit-Policy"), "\"stranger\";q=1;w=1000");
  EXPECT_EQ(feed("").status, 429);
  EXPECT_EQ(feed(node.Token("eve")).status, 200);
  EXPECT_TRUE(node.Shows("novafeed_rate_limited_total{caller=\"user\"} 1"));
  EXPECT_TRUE(node.Shows("novafeed_rate_limited_total{caller=\"service\"} 0"));
  EXPECT_TRUE(node.Shows("novafeed_rate_limited_total{caller=\"stranger\"} 1"));
}

TEST_F(ApiServiceTest, TokenIsRequired) {
  const Answer answer = node_.Send(Method::kGet, "/feed", "");
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.code(), "no_token");
  EXPECT_EQ(answer.Header("WWW-Authenticate"), "Bearer realm=\"novafeed\"");
}

TEST_F(ApiServiceTest, UserIsCreatedOnceAndFound) {
  const std::string body = R"({"id":"ext:zoe","handle":"zoe","name":"Zoë"})";
  const Answer created = Platform(Method::kPost, "/api/v1/users", body);
  EXPECT_EQ(created.status, 201);
  EXPECT_EQ(created.Header("Location"), "/api/v1/users/" + TestNode::IdOf("zoe").ToString());
  EXPECT_NE(created.Header("Novafeed-Position"), "");
  EXPECT_EQ(Platform(Method::kPost, "/api/v1/users", body).json, created.json);
  EXPECT_EQ(Platform(Method::kPost, "/api/v1/users", R"({"id":"ext:zoe","handle":"zoe","name":"Z"})").status, 409);
  EXPECT_EQ(As("ada", Method::kGet, "/api/v1/users/ext:zoe").json, created.json);
  EXPECT_EQ(As("ada", Method::kGet, "/api/v1/users/ext:nobody").code(), "unknown_user");
  EXPECT_EQ(As("ada", Method::kGet, "/api/v1/users/zoe").code(), "bad_id");
  EXPECT_EQ(As("ada", Method::kPost, "/api/v1/users", body).code(), "scope_required");
}

TEST_F(ApiServiceTest, FollowIsIdempotentAndCounted) {
  for (int i = 0; i < 2; ++i) EXPECT_EQ(As("ada", Method::kPut, "/api/v1/users/ext:bob/follow").status, 204);
  EXPECT_EQ(As("eve", Method::kGet, "/api/v1/users/ext:bob").json.at("followers").as_int64(), 1);
  EXPECT_EQ(As("eve", Method::kGet, "/api/v1/users/ext:ada").json.at("following").as_int64(), 1);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(As("ada", Method::kDelete, "/api/v1/users/ext:bob/follow").status, 204);
  EXPECT_EQ(As("eve", Method::kGet, "/api/v1/users/ext:bob").json.at("followers").as_int64(), 0);
  EXPECT_EQ(As("ada", Method::kPut, "/api/v1/users/ext:ada/follow").code(), "self_follow");
  EXPECT_EQ(As("ada", Method::kPut, "/api/v1/users/ext:nobody/follow").status, 404);
  EXPECT_EQ(Platform(Method::kPut, "/api/v1/users/ext:bob/follow").code(), "user_required");
  EXPECT_EQ(Platform(Method::kPut, "/api/v1/users/ext:bob/follow", "", {{"Novafeed-User", "ext:ada"}}).status, 204);
}

TEST_F(ApiServiceTest, FollowersArePagedNewestFirst) {
  for (const char* name : {"bob", "eve"}) {
    node_.clock().Advance(1000);
    EXPECT_EQ(As(name, Method::kPut, "/api/v1/users/ext:ada/follow").status, 204);
  }
  const Answer first = As("ada", Method::kGet, "/api/v1/users/ext:ada/followers?limit=1");
  ASSERT_EQ(first.status, 200);
  EXPECT_EQ(first.json.at("users").at(0).at("handle").as_string(), "eve");
  const Answer last =
      As("ada", Method::kGet, "/api/v1/users/ext:ada/followers?limit=1&cursor=" + TextOf(first.json.at("next_cursor")));
  EXPECT_EQ(last.json.at("users").at(0).at("handle").as_string(), "bob");
  EXPECT_TRUE(last.json.at("next_cursor").is_null());
  EXPECT_EQ(As("ada", Method::kGet, "/api/v1/users/ext:eve/following").json.at("users").as_array().size(), 1u);
  EXPECT_EQ(As("ada", Method::kGet, "/api/v1/users/ext:nobody/following").status, 404);
}

TEST_F(ApiServiceTest, PostShowsInTheFollowersNextAnswerAndGoesWithItsDeletion) {
  As("bob", Method::kPut, "/api/v1/users/ext:ada/follow");
  const std::string id = Post("ada", "hello");
  EXPECT_EQ(FeedIds("bob"), Strings{id});
  EXPECT_EQ(As("bob", Method::kPut, "/api/v1/posts/" + id + "/like").status, 204);
  EXPECT_EQ(As("eve", Method::kGet, "/api/v1/posts/" + id).json.at("likes").as_int64(), 1);

  EXPECT_EQ(As("bob", Method::kDelete, "/api/v1/posts/" + id).code(), "not_yours");
  EXPECT_EQ(As("ada", Method::kDelete, "/api/v1/posts/" + id).status, 204);
  EXPECT_EQ(FeedIds("bob"), Strings());
  EXPECT_EQ(As("bob", Method::kGet, "/api/v1/posts/" + id).status, 404);
  EXPECT_EQ(As("eve", Method::kPut, "/api/v1/posts/" + id + "/like").status, 404);
  EXPECT_EQ(As("bob", Method::kDelete, "/api/v1/posts/" + id + "/like").status, 204);
  EXPECT_EQ(As("bob", Method::kGet, "/api/v1/posts/" + id + "/comments").status, 404);
  EXPECT_TRUE(As("bob", Method::kGet, "/api/v1/users/ext:ada/posts").json.at("posts").as_array().empty());
}

TEST_F(ApiServiceTest, PlatformEditsAndDeletesAnyPostAndActsAsWhomItNames) {
  const std::string path = "/api/v1/posts/" + Post("ada", "hello");
  const std::string edit = R"({"text":"edited"})";
  EXPECT_EQ(Platform(Method::kPatch, path, edit, {{"Novafeed-User", "ext:bob"}}).status, 403);
  EXPECT_EQ(Platform(Method::kPatch, path, edit, {{"Novafeed-User", "ext:ada"}}).status, 200);
  EXPECT_EQ(Platform(Method::kPatch, path, R"({"text":"again"})").json.at("text").as_string(), "again");
  EXPECT_EQ(Platform(Method::kDelete, path).status, 204);
}

TEST_F(ApiServiceTest, KnownPostIdIsTheSamePostOrAConflict) {
  const Headers for_ada = {{"Novafeed-User", "ext:ada"}};
  const auto post = [&](const std::string& text) {
    return Platform(Method::kPost, "/api/v1/posts", R"({"id":"ext:p","text":")" + text + "\"}", for_ada);
  };
  const Answer created = post("one");
  EXPECT_EQ(created.status, 201);
  EXPECT_EQ(created.json.at("external_id").as_string(), "p");
  EXPECT_EQ(post("one").json, created.json);
  EXPECT_EQ(post("two").status, 409);
  EXPECT_EQ(As("ada", Method::kDelete, "/api/v1/posts/ext:p").status, 204);
  EXPECT_EQ(post("one").status, 409);
  EXPECT_EQ(As("ada", Method::kPost, "/api/v1/posts", R"({"id":"ext:q","text":"x"})").code(), "id_not_allowed");
}

TEST_F(ApiServiceTest, BadBodiesAreRefused) {
  const auto post = [this](const std::string& body) { return As("ada", Method::kPost, "/api/v1/posts", body); };
  EXPECT_EQ(post(R"({"text":""})").status, 422);
  EXPECT_EQ(post(R"({"text":")" + std::string(10'001, 'x') + "\"}").status, 422);
  EXPECT_EQ(post(R"({"text":")" + std::string(10'000, 'x') + "\"}").status, 201);
  EXPECT_EQ(post(R"({"text":"x","likes":5})").code(), "unknown_field");
  EXPECT_EQ(post("{").status, 400);
  EXPECT_EQ(post("").status, 415);
}

TEST_F(ApiServiceTest, CommentsAreDeletedByWriterAndPostAuthorOnly) {
  const std::string post = Post("ada", "hello");
  const auto comment = [&](const std::string& user) {
    const Answer answer = As(user, Method::kPost, "/api/v1/posts/" + post + "/comments", R"({"text":"yes"})");
    EXPECT_EQ(answer.status, 201);
    return "/api/v1/comments/" + IdText(answer);
  };
  const std::string first = comment("bob");
  const std::string second = comment("bob");
  const Answer list = As("eve", Method::kGet, "/api/v1/posts/" + post + "/comments");
  EXPECT_EQ(list.json.at("comments").as_array().size(), 2u);
  EXPECT_EQ(As("eve", Method::kGet, "/api/v1/posts/" + post).json.at("comments").as_int64(), 2);
  EXPECT_EQ(As("eve", Method::kDelete, first).status, 403);
  EXPECT_EQ(As("bob", Method::kDelete, first).status, 204);
  EXPECT_EQ(As("ada", Method::kDelete, second).status, 204);
  EXPECT_EQ(As("eve", Method::kGet, "/api/v1/posts/" + post).json.at("comments").as_int64(), 0);
}

TEST_F(ApiServiceTest, EventsAreJudgedOneByOneAndCountedOnce) {
  const std::string post = Post("ada", "hello");
  const std::string batch = EventJson("1", "impression", post) + "," + EventJson("1", "impression", post) + "," +
                            EventJson("2", "share", post) + "," + EventJson("3", "share", "ext:nowhere") + "," +
                            EventJson("4", "poke", post) + "," + EventJson("5", "view", post, kTestNow - kMsPerDay - 1);
  const Answer answer = SendEvents("bob", batch);
  EXPECT_EQ(Outcomes(answer),
            (Strings{"accepted", "duplicate", "accepted", "unknown_post", "unknown_type", "time_out_of_range"}));
  EXPECT_EQ(answer.json.at("accepted").as_int64(), 2);
  EXPECT_EQ(answer.json.at("duplicates").as_int64(), 1);
  EXPECT_EQ(answer.json.at("rejected").as_int64(), 3);
  EXPECT_NE(answer.Header("Novafeed-Position"), "");
  EXPECT_EQ(Outcomes(SendEvents("bob", batch))[0], "duplicate");

  const boost::json::value counted = As("eve", Method::kGet, "/api/v1/posts/" + post).json;
  EXPECT_EQ(counted.at("impressions").as_int64(), 1);
  EXPECT_EQ(counted.at("shares").as_int64(), 1);
}

TEST_F(ApiServiceTest, BatchIsRefusedAsAWholeWhereTheLogIsFull) {
  const std::string post = Post("ada", "hello");
  node_.events().Refuse(Error{Failure::kStorageFull, "log_full", "The event log is full: make room.", 0});
  const Answer answer = SendEvents("bob", EventJson("1", "share", post) + "," + EventJson("2", "like", post));
  EXPECT_EQ(answer.status, 507);
  EXPECT_EQ(answer.code(), "log_full");
  node_.events().Refuse(std::nullopt);
  EXPECT_EQ(Outcomes(SendEvents("bob", EventJson("1", "share", post))), Strings{"accepted"});
}

TEST_F(ApiServiceTest, LikesOfNamedPostsAreToldToWhomTheyBelong) {
  const std::string liked = Post("ada", "one");
  const std::string other = Post("ada", "two");
  ASSERT_EQ(As("bob", Method::kPut, "/api/v1/posts/" + liked + "/like").status, 204);
  const std::string target = "/api/v1/likes?posts=" + other + "," + liked;
  const auto told = [](const Answer& answer) {
    EXPECT_EQ(answer.status, 200) << answer.json;
    Strings ids;
    for (const boost::json::value& id : answer.json.at("liked").as_array()) ids.push_back(TextOf(id));
    return ids;
  };
  EXPECT_EQ(told(As("bob", Method::kGet, target)), Strings{liked});
  EXPECT_TRUE(told(As("ada", Method::kGet, target)).empty());
  EXPECT_EQ(told(Platform(Method::kGet, target, "", {{"Novafeed-User", "ext:bob"}})), Strings{liked});
  EXPECT_EQ(Platform(Method::kGet, target).code(), "user_required");
  EXPECT_EQ(As("bob", Method::kGet, "/api/v1/likes").code(), "bad_posts");
}

TEST_F(ApiServiceTest, LikeEventIsTheSameWriteOnce) {
  const std::string post = Post("ada", "hello");
  const auto likes = [&] { return As("eve", Method::kGet, "/api/v1/posts/" + post).json.at("likes").as_int64(); };
  const std::string like = EventJson("1", "like", post);
  EXPECT_EQ(Outcomes(SendEvents("bob", like)), Strings{"accepted"});
  EXPECT_EQ(likes(), 1);
  EXPECT_EQ(Outcomes(SendEvents("bob", EventJson("2", "unlike", post) + "," + like)),
            (Strings{"accepted", "duplicate"}));
  EXPECT_EQ(likes(), 0);
}

TEST_F(ApiServiceTest, DeletedPostTakesEventsAndUnlikesButNoLikes) {
  const std::string post = Post("ada", "hello");
  As("ada", Method::kDelete, "/api/v1/posts/" + post);
  EXPECT_EQ(Outcomes(SendEvents("bob", EventJson("1", "share", post) + "," + EventJson("2", "like", post) + "," +
                                           EventJson("3", "unlike", post))),
            (Strings{"accepted", "unknown_post", "accepted"}));
}

TEST_F(ApiServiceTest, PlatformSendsEventsOfUsersThatExist) {
  const std::string post = Post("ada", "hello");
  const auto with_user = [&](const std::string& user) {
    std::string event = EventJson("1", "share", post);
    return event.insert(event.size() - 1, R"(,"user_id":"ext:)" + user + "\"");
  };
  const Answer answer =
      Platform(Method::kPost, "/api/v1/events", R"({"events":[)" + with_user("bob") + "," + with_user("nobody") + "]}");
  EXPECT_EQ(Outcomes(answer), (Strings{"accepted", "unknown_user"}));
  EXPECT_EQ(Outcomes(SendEvents("bob", with_user("bob"))), Strings{"user_not_allowed"});
}

TEST_F(ApiServiceTest, FeedHasTheContractsShape) {
  As("bob", Method::kPut, "/api/v1/users/ext:ada/follow");
  const std::string post = Post("ada", "hello");
  node_.clock().Advance(kMsPerHour);
  const Answer answer = As("bob", Method::kGet, "/api/v1/feed?explain=1");
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.json.at("as_of").as_int64(), kTestNow + kMsPerHour);
  EXPECT_EQ(answer.json.at("profile").as_string(), "v1");
  EXPECT_EQ(answer.json.at("engine").as_string(), "index");
  EXPECT_FALSE(answer.json.at("cached").as_bool());
  EXPECT_TRUE(answer.json.at("next_cursor").is_null());
  const boost::json::value& item = answer.json.at("items").at(0);
  EXPECT_EQ(item.at("source").as_string(), "follow");
  EXPECT_EQ(item.at("post").at("text").as_string(), "hello");
  EXPECT_EQ(item.at("explain").at("freshness").at("age_hours").to_number<double>(), 1.0);
  EXPECT_EQ(answer.Header("Cache-Control"), "no-store");
  for (const char* stage : {"wait;", "candidates;", "ranking;", "page;", "render;", "total;"}) {
    EXPECT_NE(answer.Header("Server-Timing").find(stage), std::string::npos) << stage;
  }

  const Answer following = As("bob", Method::kGet, "/feed?mode=following&explain=1");
  EXPECT_TRUE(following.json.at("items").at(0).at("score").is_null());
  EXPECT_FALSE(following.json.at("items").at(0).as_object().contains("explain"));
}

TEST_F(ApiServiceTest, FeedIsWalkedByCursorWithoutRepeats) {
  As("bob", Method::kPut, "/api/v1/users/ext:ada/follow");
  std::set<std::string> posted;
  for (int i = 0; i < 7; ++i) posted.insert(Post("ada", std::to_string(i)));
  std::set<std::string> seen;
  std::string query = "?limit=3";
  for (int pages = 0; pages < 3; ++pages) {
    const Answer page = As("bob", Method::kGet, "/feed" + query);
    for (const boost::json::value& item : page.json.at("items").as_array()) {
      EXPECT_TRUE(seen.insert(TextOf(item.at("post").at("id"))).second);
    }
    if (page.json.at("next_cursor").is_null()) break;
    query = "?limit=3&cursor=" + TextOf(page.json.at("next_cursor"));
    EXPECT_EQ(As("eve", Method::kGet, "/feed" + query).code(), "bad_cursor");
  }
  EXPECT_EQ(seen, posted);
}

TEST_F(ApiServiceTest, FeedWhoseTrendingListMustBeMadeComesFromThePool) {
  const std::string post = Post("ada", "hello");
  As("eve", Method::kPut, "/api/v1/posts/" + post + "/like");
  const std::string instants = "&as_of=" + std::to_string(kTestNow) + "&trending_as_of=" + std::to_string(kTestNow);
  const Answer answer = Platform(Method::kGet, "/feed?limit=5" + instants, "", {{"Novafeed-User", "ext:bob"}});
  ASSERT_EQ(answer.status, 200) << answer.json;
  EXPECT_EQ(answer.json.at("items").at(0).at("source").as_string(), "trending");
}

TEST_F(ApiServiceTest, FeedShowsTextsThatTheIndexNoLongerHolds) {
  const std::string post = Post("ada", "an old one");
  node_.clock().Advance(40 * kMsPerDay);
  node_.AwaitTextDropped(PostId{ParseUuid(post).value()});
  // A quiet platform: the newest posts fill the page, however old.
  const Answer answer = As("bob", Method::kGet, "/feed");
  ASSERT_EQ(answer.json.at("items").as_array().size(), 1u);
  EXPECT_EQ(answer.json.at("items").at(0).at("source").as_string(), "fallback");
  EXPECT_EQ(answer.json.at("items").at(0).at("post").at("text").as_string(), "an old one");
}

TEST_F(ApiServiceTest, ViewerNeedNotBeKnown) {
  Post("ada", "hello");
  const Answer answer = As("stranger", Method::kGet, "/feed");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.json.at("items").as_array().size(), 1u);
  EXPECT_EQ(As("stranger", Method::kPost, "/api/v1/posts", R"({"text":"x"})").code(), "unknown_user");
  EXPECT_EQ(Platform(Method::kGet, "/feed").code(), "user_required");
}

TEST_F(ApiServiceTest, ErrorsNameIdsAsTheyWereSent) {
  const auto detail = [](const Answer& answer) { return TextOf(answer.json.at("detail")); };
  const auto has = [&](const Answer& answer, const char* words) {
    EXPECT_NE(detail(answer).find(words), std::string::npos) << detail(answer);
  };
  has(As("ada", Method::kGet, "/api/v1/users/ext:nobody"), "no user ext:nobody;");
  has(As("ada", Method::kPut, "/api/v1/users/ext:nobody/follow"), "no user ext:nobody; check");
  has(As("ada", Method::kPut, "/api/v1/posts/ext:none/like"), "no post ext:none,");
  has(As("ada", Method::kDelete, "/api/v1/comments/ext:none"), "no comment ext:none;");
  has(Platform(Method::kPost, "/api/v1/posts", R"({"text":"x"})", {{"Novafeed-User", "ext:nobody"}}),
      "no user ext:nobody; create");
  has(Platform(Method::kPost, "/api/v1/users", R"({"id":"ext:ada","handle":"other","name":"X"})"),
      "user ext:ada exists");
  const Answer erased = node_.Send(Method::kDelete, "/api/v1/users/ext:nobody", node_.Token("backend", Scope::kAdmin));
  has(erased, "no user ext:nobody; check");
  const std::string uuid = IdFromExternal(IdKind::kUser, "nobody").ToString();
  has(As("ada", Method::kGet, "/api/v1/users/" + uuid), uuid.c_str());
  const Answer others =
      Platform(Method::kDelete, "/api/v1/posts/" + Post("ada", "x"), "", {{"Novafeed-User", "ext:bob"}});
  EXPECT_EQ(others.code(), "not_yours");
  has(others, "Novafeed-User");
}

TEST_F(ApiServiceTest, ABodyThatIsNoObjectIsSaidToBeNone) {
  EXPECT_EQ(TextOf(As("ada", Method::kPost, "/api/v1/posts", "[1]").json.at("detail")),
            "The body must be a JSON object.");
}

TEST_F(ApiServiceTest, ErasedUserIsGoneAndTheirTokenStops) {
  As("bob", Method::kPut, "/api/v1/users/ext:ada/follow");
  const std::string post = Post("ada", "hello");
  EXPECT_EQ(As("bob", Method::kDelete, "/api/v1/users/ext:ada").code(), "not_yours");
  EXPECT_EQ(As("ada", Method::kDelete, "/api/v1/users/ext:ada").status, 204);
  EXPECT_EQ(As("bob", Method::kGet, "/api/v1/users/ext:ada").status, 404);
  EXPECT_EQ(As("bob", Method::kGet, "/api/v1/posts/" + post).status, 404);
  EXPECT_EQ(FeedIds("bob"), Strings());
  const Answer stopped = As("ada", Method::kGet, "/feed");
  EXPECT_EQ(stopped.status, 401);
  EXPECT_EQ(stopped.code(), "user_erased");
}

TEST_F(ApiServiceTest, ErasedUserStopsTokensOfAnyScope) {
  const auto feed = [this](Scope scope) {
    return node_.Send(Method::kGet, "/feed", node_.Token("ada", scope), "", {{"Novafeed-User", "ext:ada"}});
  };
  for (const Scope scope : {Scope::kUser, Scope::kService, Scope::kAdmin}) EXPECT_EQ(feed(scope).status, 200);
  EXPECT_EQ(As("ada", Method::kDelete, "/api/v1/users/ext:ada").status, 204);
  for (const Scope scope : {Scope::kUser, Scope::kService, Scope::kAdmin}) {
    EXPECT_EQ(feed(scope).code(), "user_erased") << ScopeName(scope);
  }
}

TEST_F(ApiServiceTest, TokensAreCheckedWithoutTheWriter) {
  node_.RefuseWrites(Error{Failure::kStorageFull, "disk_full", "Make room.", 0});
  EXPECT_EQ(As("stranger", Method::kGet, "/feed").status, 200) << "nobody that the index knows, so the graph is asked";
  EXPECT_EQ(As("ada", Method::kPost, "/api/v1/posts", R"({"text":"x"})").status, 507);
}

TEST_F(ApiServiceTest, APlatformReadsOnWhileTheGraphIsAway) {
  const auto feed = [this](const std::string& subject, Scope scope) {
    const std::string token = node_.Token(subject, scope);
    const Headers person = scope == Scope::kUser ? Headers() : Headers{{"Novafeed-User", "ext:ada"}};
    return node_.Send(Method::kGet, "/feed", token, "", person).code();
  };
  EXPECT_EQ(feed("backend", Scope::kService), "");
  EXPECT_EQ(feed("stranger", Scope::kUser), "");
  EXPECT_EQ(feed("eve", Scope::kAdmin), "");
  EXPECT_EQ(As("eve", Method::kDelete, "/api/v1/users/ext:eve").status, 204);
  node_.SetGraphAway(true);
  // What was seen within the last second goes on for everybody; this is about later.
  while (feed("stranger", Scope::kUser).empty()) std::this_thread::yield();
  EXPECT_EQ(feed("backend", Scope::kService), "");
  EXPECT_EQ(Platform(Method::kGet, "/api/v1/trending").status, 200);
  EXPECT_EQ(feed("ada", Scope::kUser), "") << "whom the index knows";
  EXPECT_EQ(feed("eve", Scope::kAdmin), "database_unavailable") << "erased, for all that can be told";
  EXPECT_EQ(feed("stranger", Scope::kUser), "database_unavailable") << "may be created and erased elsewhere";
  EXPECT_EQ(feed("never seen", Scope::kService), "database_unavailable");
  node_.SetGraphAway(false);
  EXPECT_EQ(feed("never seen", Scope::kService), "");
  EXPECT_EQ(feed("eve", Scope::kAdmin), "user_erased");
}

// A platform's name that becomes a user, and is erased: what was said of it before is not what holds.
TEST_F(ApiServiceTest, WhatWasSaidOfANameEndsWhenItBecomesAUser) {
  const auto feed = [this] {
    return node_.Send(Method::kGet, "/feed", node_.Token("zoe", Scope::kService), "", {{"Novafeed-User", "ext:ada"}})
        .code();
  };
  EXPECT_EQ(feed(), "");
  CreateUser("zoe");
  EXPECT_EQ(feed(), "");
  EXPECT_EQ(As("zoe", Method::kDelete, "/api/v1/users/ext:zoe").status, 204);
  node_.SetGraphAway(true);
  EXPECT_EQ(feed(), "database_unavailable");
}

TEST_F(ApiServiceTest, UserIsErasedByThemselvesOrByAnAdmin) {
  const std::string target = "/api/v1/users/ext:eve";
  const auto erase = [&](const std::string& subject, Scope scope, Headers headers) {
    return node_.Send(Method::kDelete, target, node_.Token(subject, scope), "", std::move(headers)).status;
  };
  EXPECT_EQ(erase("bob", Scope::kUser, {}), 403);
  EXPECT_EQ(erase("backend", Scope::kService, {}), 403);
  EXPECT_EQ(erase("backend", Scope::kService, {{"Novafeed-User", "ext:bob"}}), 403);
  EXPECT_EQ(As("ada", Method::kGet, target).status, 200);
  EXPECT_EQ(erase("backend", Scope::kAdmin, {{"Novafeed-User", "ext:bob"}}), 204);
  EXPECT_EQ(As("ada", Method::kGet, target).status, 404);
}

TEST_F(ApiServiceTest, PositionThatIsNotReachedIsSaid) {
  const std::string post = Post("ada", "hello");
  const Answer liked = As("bob", Method::kPut, "/api/v1/posts/" + post + "/like");
  const std::string reached = liked.Header("Novafeed-Position");
  EXPECT_EQ(As("eve", Method::kGet, "/api/v1/posts/" + post + "?min_position=" + reached).Header("Novafeed-Degraded"),
            "");
  // A token of the same data set, further on than anything written.
  Position ahead = DecodePosition(reached, node_.generation()).value();
  ahead.events[0] += 1'000'000;
  const std::string behind = "?min_position=" + EncodePosition(ahead);
  EXPECT_EQ(As("eve", Method::kGet, "/api/v1/posts/" + post + behind).Header("Novafeed-Degraded"), "behind");
  EXPECT_EQ(As("eve", Method::kGet, "/feed" + behind).json.at("degraded").at(0).as_string(), "behind");
  EXPECT_TRUE(node_.Shows("novafeed_behind_answers_total 2"));
  EXPECT_EQ(As("eve", Method::kGet, "/feed?min_position=x").status, 400);
}

TEST_F(ApiServiceTest, WriteAnswersWithTheUnionOfPositions) {
  const std::string earlier = As("ada", Method::kPost, "/api/v1/posts", R"({"text":"x"})").Header("Novafeed-Position");
  Position carried = DecodePosition(earlier, node_.generation()).value();
  carried.events[0] += 77;
  const Answer answer =
      As("bob", Method::kPut, "/api/v1/users/ext:ada/follow", "", {{"Novafeed-Position", EncodePosition(carried)}});
  const Position united = DecodePosition(answer.Header("Novafeed-Position"), node_.generation()).value();
  EXPECT_EQ(united.events, carried.events);
  EXPECT_GT(united.changes, carried.changes);
}

}  // namespace
}  // namespace novafeed
