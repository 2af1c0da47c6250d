#include "app/live_api.h"

#include <gtest/gtest.h>

namespace novafeed {
namespace {

const Uuid kPost = *ParseUuid("0190163d-8694-739b-aea5-966c26f8ad91");
const Uuid kOther = *ParseUuid("0190163d-8694-739b-aea5-966c26f8ad92");
const std::string kPostText = kPost.ToString();
const std::string kOtherText = kOther.ToString();

TEST(CallFor, SendsOneEventForEachPostThatWasSeen) {
  LiveStep step;
  step.act = LiveAct::kSee;
  step.posts = {kPost, kOther};
  step.event_ids = {kOther, kPost};
  const LiveCall call = CallFor(step, 5);
  EXPECT_EQ(call.method, Method::kPost);
  EXPECT_EQ(call.target, "/api/v1/events");
  EXPECT_EQ(call.body, R"({"events":[{"event_id":")" + kOtherText + R"(","type":"impression","post_id":")" + kPostText +
                           R"(","at":5},{"event_id":")" + kPostText + R"(","type":"impression","post_id":")" +
                           kOtherText + R"(","at":5}]})");
}

TEST(CallFor, SendsAViewAsOneEventAndATextAsABody) {
  LiveStep view;
  view.act = LiveAct::kView;
  view.subject = kPost;
  view.event_ids = {kOther};
  EXPECT_EQ(CallFor(view, 7).body, R"({"events":[{"event_id":")" + kOtherText + R"(","type":"view","post_id":")" +
                                       kPostText + R"(","at":7}]})");
  LiveStep comment;
  comment.act = LiveAct::kComment;
  comment.subject = kPost;
  comment.text = "a \"b\"";
  EXPECT_EQ(CallFor(comment, 7).target, "/api/v1/posts/" + kPostText + "/comments");
  EXPECT_EQ(CallFor(comment, 7).body, R"({"text":"a \"b\""})");
}

TEST(ReadFeedItems, TakesWhatPeopleMind) {
  const auto items = ReadFeedItems(R"({"items":[{"post":{"id":")" + kPostText + R"(","author_id":")" + kOtherText +
                                   R"(","text":"hi","likes":3},"source":"follow","score":1},{"post":{"id":"x"}},7]})");
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].post, kPost);
  EXPECT_EQ(items[0].author, kOther);
  EXPECT_EQ(items[0].text, "hi");
  EXPECT_TRUE(items[0].followed);
  EXPECT_EQ(items[0].interactions, 0);
  for (const char* odd : {"", "7", "{}", R"({"items":3})"}) EXPECT_TRUE(ReadFeedItems(odd).empty());
}

TEST(ReadFeedItems, TakesTheInteractionsThatAnExplainedFeedTells) {
  LiveStep step;
  step.limit = 20;
  EXPECT_TRUE(CallFor(step, 7).target.ends_with("&explain=1"));
  const auto items = ReadFeedItems(R"({"items":[{"post":{"id":")" + kPostText + R"(","author_id":")" + kOtherText +
                                   R"(","text":"hi"},"source":"follow","explain":{"affinity":{"interactions":3}}}]})");
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].interactions, 3);
}

TEST(ReadSuggestions, TakesTheUsersInTheirOrder) {
  const auto users = ReadSuggestions(R"({"users":[{"user":{"id":")" + kOtherText + R"("},"score":2},{"user":{"id":")" +
                                     kPostText + R"("}},{}]})");
  EXPECT_EQ(users, (std::vector<Uuid>{kOther, kPost}));
}

}  // namespace
}  // namespace novafeed
