#include "api/render.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <string>

#include "api/parameters.h"
#include "ranking/ranking.h"

namespace novafeed {
namespace {

const Uuid kPostUuid = *ParseUuid("00000000-0000-0000-0000-000000000001");
const Uuid kAuthorUuid = *ParseUuid("00000000-0000-0000-0000-000000000002");
const Uuid kUserUuid = *ParseUuid("00000000-0000-0000-0000-000000000003");
const Uuid kCommentUuid = *ParseUuid("00000000-0000-0000-0000-000000000004");

template <class... Arguments>
std::string Written(const Arguments&... arguments) {
  std::string text;
  EntityWriter(&text).Write(arguments...);
  return text;
}

FeedItem MakeItem() {
  FeedItem item;
  item.content = PostContent{PostId{kPostUuid}, "p-1", "hello"};
  item.author = UserId{kAuthorUuid};
  item.created_at = 1000;
  item.counters = Counters{1, 2, 3, 4};
  item.interactions = 5;
  item.source = Source::kTrending;
  return item;
}

TEST(Render, User) {
  const User user{UserId{kUserUuid}, std::nullopt, "ada", "Ada <script>", 1234};
  EXPECT_EQ(Written(user, UserCounts{5, 6}),
            R"({"id":"00000000-0000-0000-0000-000000000003","handle":"ada","name":"Ada <script>",)"
            R"("created_at":1234,"followers":5,"following":6})");
}

TEST(Render, Post) {
  Post post;
  post.id = {kPostUuid};
  post.external_id = "p-1";
  post.author = {kAuthorUuid};
  post.text = "a \"quoted\" line\n\xe2\x80\xae";
  post.created_at = 1234;
  EXPECT_EQ(Written(post, Counters{1, 2, 3, 4}),
            R"({"id":"00000000-0000-0000-0000-000000000001","external_id":"p-1",)"
            R"("author_id":"00000000-0000-0000-0000-000000000002",)"
            "\"text\":\"a \\\"quoted\\\" line\\n\xe2\x80\xae\","
            R"("created_at":1234,"likes":1,"comments":2,"shares":3,"impressions":4})");
}

TEST(Render, Comment) {
  Comment comment;
  comment.id = {kCommentUuid};
  comment.post = {kPostUuid};
  comment.user = {kUserUuid};
  comment.text = "yes";
  comment.created_at = 7;
  EXPECT_EQ(Written(comment),
            R"({"id":"00000000-0000-0000-0000-000000000004","post_id":"00000000-0000-0000-0000-000000000001",)"
            R"("user_id":"00000000-0000-0000-0000-000000000003","text":"yes","created_at":7})");
}

TEST(Render, FeedItemWithoutAScore) {
  EXPECT_EQ(Written(MakeItem(), true),
            R"({"post":{"id":"00000000-0000-0000-0000-000000000001","external_id":"p-1",)"
            R"("author_id":"00000000-0000-0000-0000-000000000002","text":"hello","created_at":1000,)"
            R"("likes":1,"comments":2,"shares":3,"impressions":4},"source":"trending","score":null})");
}

TEST(Render, ExplainHasTheTermsAndTheirCounts) {
  FeedItem item = MakeItem();
  item.parts = ScoreParts{2.0, 0.5, 0.25, 1.0, 0.30 * 0.5 + 0.40 * 0.25 + 0.30 * 1.0};
  const std::string text = Written(item, true);
  EXPECT_NE(text.find(R"("explain":{"freshness":{"value":0.5,"weight":0.3,"term":0.15,"age_hours":2},)"
                      R"("engagement":{"value":0.25,"weight":0.4,"term":0.1,"likes":1,"comments":2,"shares":3,)"
                      R"("impressions":4},"affinity":{"value":1,"weight":0.3,"term":0.3,"interactions":5}}})"),
            std::string::npos)
      << text;
  EXPECT_EQ(Written(item, false).find("explain"), std::string::npos);
}

// The number after `name` behind `from`, read exactly (Boost.JSON rounds the last digit its own way).
double NumberAfter(const std::string& text, std::string_view from, const std::string& name) {
  const std::size_t start = text.find("\"" + name + "\":", text.find(from));
  return std::strtod(text.c_str() + start + name.size() + 3, nullptr);
}

TEST(Render, TermsSumToTheScoreToTheLastDigit) {
  for (std::int64_t likes = 0; likes < 200; ++likes) {
    FeedItem item = MakeItem();
    Candidate candidate;
    candidate.created_at = likes * 12'345;
    candidate.counters = Counters{likes, likes / 3, likes % 7, 1 + likes % 11};
    candidate.interactions = likes % 13;
    item.parts = Score(candidate, 400 * 12'345);
    const std::string text = Written(item, true);
    const double sum = NumberAfter(text, "\"freshness\"", "term") + NumberAfter(text, "\"engagement\"", "term") +
                       NumberAfter(text, "\"affinity\"", "term");
    EXPECT_EQ(sum, NumberAfter(text, "\"score\"", "score"));
    EXPECT_EQ(sum, item.parts->score);
  }
}

TEST(Render, TrendingPageExplainsByTheCountersOfTheWindow) {
  TrendingItem listed{MakeItem(), Counters{1, 0, 0, 2}};
  listed.item.parts = TrendingScore(1000, listed.window, 1000 + 5 * kMsPerHour);
  TrendingPage page;
  page.as_of = 7;
  page.items.push_back(listed);
  const std::string text = RenderTrendingPage(page, true);
  EXPECT_NE(text.find(R"("likes":1,"comments":2,"shares":3,"impressions":4},"source":"trending","score":)"), text.npos);
  EXPECT_NE(text.find(R"("likes":1,"comments":0,"shares":0,"impressions":2}}}],"trending_as_of":7})"), text.npos)
      << text;
  EXPECT_NE(text.find(R"(,"age_hours":5},"engagement":{)"), text.npos) << text;
  EXPECT_EQ(text.find("affinity"), text.npos) << text;
  EXPECT_EQ(NumberAfter(text, "\"freshness\"", "term") + NumberAfter(text, "\"engagement\"", "term"),
            NumberAfter(text, "\"source\"", "score"));
  EXPECT_EQ(RenderTrendingPage(page, false).find("explain"), std::string::npos);
}

TEST(Render, FeedPage) {
  FeedPage page;
  page.next_cursor = "abc";
  page.as_of = 1;
  page.trending_as_of = 2;
  page.counters_as_of = 3;
  page.degraded = {"behind", "stale"};
  EXPECT_EQ(RenderFeedPage(page, false),
            R"({"items":[],"next_cursor":"abc","as_of":1,"trending_as_of":2,"counters_as_of":3,"profile":"v1",)"
            R"("engine":"index","cached":false,"degraded":["behind","stale"]})");
  page.next_cursor.reset();
  page.degraded.clear();
  page.items = {MakeItem(), MakeItem()};
  const boost::json::value json = boost::json::parse(RenderFeedPage(page, false));
  EXPECT_TRUE(json.at("next_cursor").is_null());
  EXPECT_EQ(json.at("items").as_array().size(), 2u);
  EXPECT_TRUE(json.at("degraded").as_array().empty());
}

TEST(Render, ListsEndWithNull) {
  ListPage<Comment> page;
  const auto write = [](EntityWriter& writer, const Comment& comment) { writer.Write(comment); };
  EXPECT_EQ(RenderList("comments", page, write), R"({"comments":[],"next_cursor":null})");
  page.items.resize(2);
  page.next = ListCursor{5, kPostUuid};
  const boost::json::value json = boost::json::parse(RenderList("comments", page, write));
  EXPECT_EQ(json.at("comments").as_array().size(), 2u);
  EXPECT_EQ(json.at("next_cursor").as_string(), EncodeListCursor(*page.next));
}

TEST(Render, NoContentHasNoType) {
  EXPECT_EQ(NoContent().status, 204);
  EXPECT_EQ(NoContent().content_type, "");
}

}  // namespace
}  // namespace novafeed
