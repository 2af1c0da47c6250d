#include "api/parameters.h"

#include <gtest/gtest.h>

#include <boost/json/value.hpp>
#include <random>
#include <string>
#include <vector>

#include "api/feed_parameters.h"
#include "base/test_support.h"

namespace novafeed {
namespace {

QueryParams Query(const std::string& text) {
  return QueryParams::Parse(text).value();
}

template <class T>
std::string CodeOf(const Result<T>& result) {
  return result ? "ok" : result.error().code;
}

Caller CallerOf(Scope scope) {
  return Caller{UserId{NewUuid(1)}, scope};
}

TEST(Parameters, LimitIsFromOneToAHundred) {
  EXPECT_EQ(LimitParam(Query("")).value(), 20u);
  EXPECT_EQ(LimitParam(Query("limit=1")).value(), 1u);
  EXPECT_EQ(LimitParam(Query("limit=100")).value(), 100u);
  for (const char* bad : {"limit=0", "limit=101", "limit=-1", "limit=", "limit=ten", "limit=1.5", "limit=+5",
                          "limit=%205", "limit=5x", "limit=99999999999999999999"}) {
    const Result<std::size_t> limit = LimitParam(Query(bad));
    EXPECT_EQ(CodeOf(limit), "bad_limit") << bad;
    EXPECT_EQ(limit.error().failure, Failure::kInvalid);
  }
}

TEST(Parameters, FlagIsZeroOrOne) {
  EXPECT_FALSE(FlagParam(Query(""), "explain").value());
  EXPECT_FALSE(FlagParam(Query("explain=0"), "explain").value());
  EXPECT_TRUE(FlagParam(Query("explain=1"), "explain").value());
  for (const char* bad : {"explain=", "explain=2", "explain=true"}) {
    EXPECT_EQ(CodeOf(FlagParam(Query(bad), "explain")), "bad_explain") << bad;
  }
}

TEST(Parameters, PostsAreOneToAHundredIdsAsTheyAreNamed) {
  const std::string uuid = "00112233-4455-6677-8899-AABBCCDDEEFF";
  const std::vector<NamedPost> posts = PostsParam(Query("posts=" + uuid + ",ext:42%2Cext:a%20b," + uuid)).value();
  ASSERT_EQ(posts.size(), 4u);
  EXPECT_EQ(posts[0].name, uuid);
  EXPECT_EQ(posts[0].id.value, ParseUuid(uuid).value());
  EXPECT_EQ(posts[1].name, "ext:42");
  EXPECT_EQ(posts[1].id.value, IdFromExternal(IdKind::kPost, "42"));
  EXPECT_EQ(posts[2].name, "ext:a b");
  EXPECT_EQ(posts[3].name, uuid);

  std::string most = "posts=ext:1";
  for (int i = 2; i <= 100; ++i) most += ",ext:" + std::to_string(i);
  EXPECT_EQ(PostsParam(Query(most)).value().size(), 100u);
  const std::vector<std::string> bad_ones = {"limit=1",        "posts=",   "posts=,",    "posts=" + uuid + ",",
                                             "posts=," + uuid, "posts=42", "posts=ext:", most + ",ext:101"};
  for (const std::string& bad : bad_ones) {
    const Result<std::vector<NamedPost>> refused = PostsParam(Query(bad));
    EXPECT_EQ(CodeOf(refused), "bad_posts") << bad;
    EXPECT_EQ(refused.error().failure, Failure::kInvalid);
  }
}

TEST(Parameters, PathIdIsAUuidOrAnExternalId) {
  const std::string uuid = "00112233-4455-6677-8899-AABBCCDDEEFF";
  EXPECT_EQ(PathId(IdKind::kPost, uuid).value(), ParseUuid(uuid).value());
  EXPECT_EQ(PathId(IdKind::kPost, "ext:42").value(), IdFromExternal(IdKind::kPost, "42"));
  EXPECT_NE(PathId(IdKind::kUser, "ext:42").value(), IdFromExternal(IdKind::kPost, "42"));
  for (const std::string bad : {"", "42", "ext:", "00112233445566778899AABBCCDDEEFF", "{}"}) {
    const Result<Uuid> id = PathId(IdKind::kPost, bad);
    EXPECT_EQ(CodeOf(id), "bad_id") << bad;
    EXPECT_EQ(id.error().failure, Failure::kInvalid);
  }
}

TEST(Parameters, ListCursorComesBackAsItWas) {
  std::mt19937_64 random(TestSeed());
  for (int i = 0; i < 1000; ++i) {
    ListCursor cursor;
    cursor.created_at = static_cast<TimeMs>(random() % kMaxTime);
    for (std::uint8_t& byte : cursor.id.bytes) byte = static_cast<std::uint8_t>(random());
    const Result<ListRequest> request = ListParams(Query("limit=7&cursor=" + EncodeListCursor(cursor)));
    ASSERT_TRUE(request) << request.error().detail;
    EXPECT_EQ(request->limit, 7u);
    ASSERT_TRUE(request->after);
    EXPECT_EQ(request->after->created_at, cursor.created_at);
    EXPECT_EQ(request->after->id, cursor.id);
  }
}

TEST(Parameters, ListCursorThatIsNoneIsRefused) {
  const std::string good = EncodeListCursor(ListCursor{1, NewUuid(1)});
  for (const std::string& bad : {std::string(), std::string("x"), good + "A", good.substr(1), good + "="}) {
    EXPECT_EQ(CodeOf(ListParams(Query("cursor=" + bad))), "bad_cursor") << bad;
  }
  EXPECT_FALSE(ListParams(Query(""))->after);
}

TEST(Parameters, BodyMustBeSentAsJson) {
  const auto body = [](const char* content_type, const char* text) {
    HttpRequest request;
    if (*content_type != 0) request.headers.emplace_back("content-type", content_type);
    request.body = text;
    return JsonBody(request);
  };
  EXPECT_EQ(CodeOf(body("application/json", "{}")), "ok");
  EXPECT_EQ(CodeOf(body("Application/JSON; charset=utf-8", "{}")), "ok");
  EXPECT_EQ(CodeOf(body("application/json ;x=1", "{}")), "ok");
  for (const char* other : {"", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json"}) {
    const auto refused = body(other, "{}");
    EXPECT_EQ(CodeOf(refused), "not_json") << other;
    EXPECT_EQ(refused.error().failure, Failure::kUnsupported);
  }
  EXPECT_EQ(CodeOf(body("application/json", "")), "malformed_json");
  EXPECT_EQ(CodeOf(body("application/json", "{")), "malformed_json");
}

TEST(Parameters, MalformedQueryIsRefused) {
  HttpRequest request;
  request.query = "a=%ff";
  EXPECT_EQ(CodeOf(ParseQuery(request)), "bad_query");
  request.query = "a=%4";
  EXPECT_EQ(CodeOf(ParseQuery(request)), "bad_query");
}

TEST(FeedParameters, DefaultsAreTheFirstPageForYou) {
  const FeedRequest request = ParseFeedRequest(Query(""), CallerOf(Scope::kUser)).value();
  EXPECT_EQ(request.mode, FeedMode::kForYou);
  EXPECT_EQ(request.limit, 20u);
  EXPECT_FALSE(request.cursor || request.offset || request.as_of || request.trending_as_of || request.engine);
}

TEST(FeedParameters, EveryParameterIsRead) {
  const FeedRequest request =
      ParseFeedRequest(Query("limit=3&offset=500&mode=following&cursor=c&engine=index&as_of=5&trending_as_of=6"),
                       CallerOf(Scope::kService))
          .value();
  EXPECT_EQ(request.limit, 3u);
  EXPECT_EQ(request.offset, 500u);
  EXPECT_EQ(request.mode, FeedMode::kFollowing);
  EXPECT_EQ(request.cursor, "c");
  EXPECT_EQ(request.engine, "index");
  EXPECT_EQ(request.as_of, 5);
  EXPECT_EQ(request.trending_as_of, 6);
}

TEST(FeedParameters, BadOnesAreNamed) {
  const auto code = [](const char* query) { return CodeOf(ParseFeedRequest(Query(query), CallerOf(Scope::kAdmin))); };
  EXPECT_EQ(code("limit=0"), "bad_limit");
  EXPECT_EQ(code("limit=101"), "bad_limit");
  EXPECT_EQ(code("offset=501"), "bad_offset");
  EXPECT_EQ(code("offset=-1"), "bad_offset");
  EXPECT_EQ(code("mode="), "bad_mode");
  EXPECT_EQ(code("mode=all"), "bad_mode");
  EXPECT_EQ(code("as_of=yesterday"), "bad_as_of");
  EXPECT_EQ(code("trending_as_of=-1"), "bad_trending_as_of");
}

TEST(FeedParameters, UsersDoNotChooseEngineOrInstant) {
  for (const char* query : {"engine=index", "as_of=5", "trending_as_of=5", "engine="}) {
    const Result<FeedRequest> refused = ParseFeedRequest(Query(query), CallerOf(Scope::kUser));
    EXPECT_EQ(CodeOf(refused), "scope_required") << query;
    EXPECT_EQ(refused.error().failure, Failure::kForbidden);
    EXPECT_EQ(CodeOf(ParseFeedRequest(Query(query), CallerOf(Scope::kService))), "ok") << query;
    EXPECT_EQ(CodeOf(ParseFeedRequest(Query(query), CallerOf(Scope::kAdmin))), "ok") << query;
  }
}

}  // namespace
}  // namespace novafeed
