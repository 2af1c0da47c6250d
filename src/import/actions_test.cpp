#include "import/actions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace novafeed {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kUuid = "C33E9F97-218b-5065-bcd3-e9170eace301";

ImportAction Parse(const std::string& line) {
  Result<ImportAction> action = ParseImportLine(line);
  EXPECT_TRUE(action) << line << ": " << action.error().code << ": " << action.error().detail;
  return action.value_or(ImportAction{});
}

template <class Body>
Body ParseAs(const std::string& line) {
  ImportAction action = Parse(line);
  EXPECT_TRUE(std::holds_alternative<Body>(action.body)) << line;
  return std::get<Body>(std::move(action.body));
}

std::string CodeOf(const std::string& line) {
  const Result<ImportAction> action = ParseImportLine(line);
  return action ? "accepted" : action.error().code;
}

std::string Repeated(const std::string& text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

TEST(ParseImportLine, ReadsUsers) {
  const auto user = ParseAs<UserLine>(R"({"type":"user","id":"alice","at":5,"handle":"al","name":"Alice"})");
  EXPECT_EQ(user.id.external_id, "alice");
  EXPECT_EQ(user.handle, "al");
  EXPECT_EQ(user.name, "Alice");
  const auto bare = ParseAs<UserLine>(R"({"type":"user","id":"alice","at":5,"handle":null})");
  EXPECT_FALSE(bare.handle);
  EXPECT_FALSE(bare.name);
}

TEST(ParseImportLine, ReadsPosts) {
  const auto post = ParseAs<PostLine>(R"({"type":"post","id":"p","author":"a","at":5,"text":"<b>hi</b>"})");
  EXPECT_EQ(post.id.id, IdFromExternal(IdKind::kPost, "p"));
  EXPECT_EQ(post.author.id, IdFromExternal(IdKind::kUser, "a"));
  EXPECT_EQ(post.text, "<b>hi</b>");
  EXPECT_EQ(ParseAs<PostLine>(R"({"type":"post","id":"p","author":"a","at":5})").text, "");
  EXPECT_EQ(ParseAs<EditPostLine>(R"({"type":"edit_post","post":"p","at":5,"text":"x"})").text, "x");
  EXPECT_EQ(ParseAs<DeletePostLine>(R"({"type":"delete_post","post":"p","at":5})").post.external_id, "p");
}

TEST(ParseImportLine, ReadsFollowsAndLikes) {
  const auto follow = ParseAs<FollowLine>(R"({"type":"follow","user":"a","target":"b","at":5})");
  EXPECT_EQ(follow.user.external_id, "a");
  EXPECT_EQ(follow.target.external_id, "b");
  EXPECT_FALSE(follow.undo);
  EXPECT_TRUE(ParseAs<FollowLine>(R"({"type":"unfollow","user":"a","target":"b","at":5})").undo);
  EXPECT_FALSE(ParseAs<LikeLine>(R"({"type":"like","user":"a","post":"b","at":5})").undo);
  EXPECT_TRUE(ParseAs<LikeLine>(R"({"type":"unlike","user":"a","post":"b","at":5})").undo);
}

TEST(ParseImportLine, ReadsComments) {
  const auto comment = ParseAs<CommentLine>(R"({"type":"comment","id":1,"user":"a","post":"b","at":5,"text":"x"})");
  EXPECT_EQ(comment.id.id, IdFromExternal(IdKind::kComment, "1"));
  EXPECT_EQ(comment.text, "x");
  EXPECT_EQ(ParseAs<CommentLine>(R"({"type":"comment","id":1,"user":"a","post":"b","at":5})").text, "");
  EXPECT_EQ(ParseAs<DeleteCommentLine>(R"({"type":"delete_comment","id":1,"at":5})").id.external_id, "1");
}

TEST(ParseImportLine, ReadsEvents) {
  const auto share = ParseAs<EventLine>(R"({"type":"share","user":"a","post":"b","at":5,"id":"e"})");
  EXPECT_EQ(share.type, EventType::kShare);
  EXPECT_EQ(share.id->id, IdFromExternal(IdKind::kEvent, "e"));
  EXPECT_FALSE(ParseAs<EventLine>(R"({"type":"view","user":"a","post":"b","at":5})").id);
}

TEST(ParseImportLine, KnowsTheTypeOfEachAction) {
  for (const std::string type : {"user", "post", "edit_post", "delete_post", "follow", "unfollow", "like", "unlike",
                                 "comment", "delete_comment", "impression", "view", "share"}) {
    const ImportAction action = Parse(R"({"id":"i","user":"u","post":"p","target":"t","author":"a","text":"x","at":1,)"
                                      R"("type":")" +
                                      type + "\"}");
    EXPECT_EQ(ActionTypeName(TypeOf(action)), type);
  }
}

TEST(ParseImportLine, TakesUuidsStringsAndIntegersAsIds) {
  const auto id = [](const std::string& json) {
    return ParseAs<DeletePostLine>(R"({"type":"delete_post","at":5,"post":)" + json + "}").post;
  };
  EXPECT_EQ(id("\"" + std::string(kUuid) + "\"").id.ToString(), "c33e9f97-218b-5065-bcd3-e9170eace301");
  EXPECT_FALSE(id("\"" + std::string(kUuid) + "\"").external_id);
  EXPECT_EQ(id("42"), id("\"42\""));
  EXPECT_EQ(id("-42").external_id, "-42");
  EXPECT_EQ(id("18446744073709551615").external_id, "18446744073709551615");
  EXPECT_EQ(id("\"" + std::string(128, 'x') + "\"").external_id, std::string(128, 'x'));
  for (const std::string bad : {"\"\"", "1.5", "1e3", "true", "[]", "{}", "18446744073709551616"}) {
    EXPECT_EQ(CodeOf(R"({"type":"delete_post","at":5,"post":)" + bad + "}"), "bad_id") << bad;
  }
  EXPECT_EQ(CodeOf(R"({"type":"delete_post","at":5,"post":")" + std::string(129, 'x') + "\"}"), "bad_id");
}

TEST(ParseImportLine, TakesTimesFrom1970To2100) {
  const auto at = [](const std::string& json) {
    return Parse(R"({"type":"delete_post","post":"p","at":)" + json + "}").at;
  };
  EXPECT_EQ(at("0"), 0);
  EXPECT_EQ(at("4133980799999"), 4133980799999);
  EXPECT_EQ(at(R"("2018-03-12T17:00:45.5679+01:00")"), 1520870445567);
  for (const std::string bad : {"-1", "4133980800000", "1.5", "\"5\"", "\"2018-03-12\"", "true", "[]",
                                "\"1969-12-31T23:59:59Z\"", "\"2101-01-01T00:00:00Z\"", "9223372036854775808"}) {
    EXPECT_EQ(CodeOf(R"({"type":"delete_post","post":"p","at":)" + bad + "}"), "bad_time") << bad;
  }
  EXPECT_EQ(CodeOf(R"({"type":"delete_post","post":"p"})"), "missing_field");
}

TEST(ParseImportLine, ListsFieldsThatTheActionDoesNotHave) {
  EXPECT_THAT(Parse(R"({"type":"like","user":"a","post":"b","at":5,"text":"x","mood":null})").ignored_fields,
              ElementsAre("text", "mood"));
  EXPECT_THAT(Parse(R"({"type":"share","user":"a","post":"b","at":5,"id":null})").ignored_fields, IsEmpty());
  // Of equal names the last one counts.
  const auto like = ParseAs<LikeLine>(R"({"type":"like","user":"a","user":"c","post":"b","at":5})");
  EXPECT_EQ(like.user.external_id, "c");
}

TEST(ParseImportLine, RefusesWhatIsNoAction) {
  EXPECT_EQ(CodeOf(""), "malformed_json");
  EXPECT_EQ(CodeOf("{"), "malformed_json");
  EXPECT_EQ(CodeOf(R"({"type":"like"} {})"), "malformed_json");
  EXPECT_EQ(CodeOf("{\"type\":\"\xff\"}"), "malformed_json");
  EXPECT_EQ(CodeOf(Repeated("[", 5000)), "malformed_json");
  EXPECT_EQ(CodeOf("[]"), "wrong_type");
  EXPECT_EQ(CodeOf("{}"), "missing_field");
  EXPECT_EQ(CodeOf(R"({"type":7})"), "wrong_type");
  EXPECT_EQ(CodeOf(R"({"type":"invalid","at":5})"), "unknown_type");
  EXPECT_EQ(CodeOf(R"({"type":"Like","user":"a","post":"b","at":5})"), "unknown_type");
  EXPECT_EQ(CodeOf(R"({"type":"like","user":"a","at":5})"), "missing_field");
  EXPECT_EQ(CodeOf(R"({"type":"like","user":null,"post":"p","at":5})"), "missing_field");
  EXPECT_EQ(CodeOf(R"({"type":"follow","user":"a","target":"a","at":5})"), "self_follow");
  EXPECT_EQ(CodeOf(R"({"type":"unfollow","user":1,"target":"1","at":5})"), "self_follow");
}

TEST(ParseImportLine, ListsTheTypesWhereOneIsUnknown) {
  const Result<ImportAction> action = ParseImportLine(R"({"type":"dance","at":5})");
  ASSERT_FALSE(action);
  EXPECT_EQ(
      action.error().detail,
      "There is no type \"dance\": it must be user, post, edit_post, delete_post, follow, unfollow, like, unlike, "
      "comment, delete_comment, impression, view or share.");
}

TEST(ParseImportLine, BoundsTexts) {
  const auto post = [](const std::string& text) {
    return CodeOf(R"({"type":"post","id":"p","author":"a","at":5,"text":")" + text + "\"}");
  };
  EXPECT_EQ(post(Repeated("\xc3\xa4", 10'000)), "accepted");
  EXPECT_EQ(post(Repeated("x", 10'001)), "bad_text");
  EXPECT_EQ(post(""), "accepted");
  EXPECT_EQ(CodeOf(R"({"type":"edit_post","post":"p","at":5,"text":""})"), "bad_text");
  EXPECT_EQ(CodeOf(R"({"type":"edit_post","post":"p","at":5})"), "missing_field");
  EXPECT_EQ(CodeOf(R"({"type":"edit_post","post":"p","at":5,"text":5})"), "wrong_type");
  EXPECT_EQ(CodeOf(R"({"type":"user","id":"a","at":5,"handle":""})"), "bad_handle");
  EXPECT_EQ(CodeOf(R"({"type":"user","id":"a","at":5,"handle":"a\u202eb"})"), "bad_handle");
  EXPECT_EQ(CodeOf(R"({"type":"user","id":"a","at":5,"handle":5})"), "wrong_type");
  EXPECT_EQ(CodeOf(R"({"type":"user","id":"a","at":5,"name":")" + Repeated("x", 201) + "\"}"), "bad_name");
}

TEST(ParseImportLine, RefusesTheCharacterZero) {
  EXPECT_EQ(CodeOf(R"({"type":"post","id":"p","author":"a","at":5,"text":"a\u0000b"})"), "bad_text");
  EXPECT_EQ(CodeOf(R"({"type":"edit_post","post":"p","at":5,"text":"a\u0000b"})"), "bad_text");
  EXPECT_EQ(CodeOf(R"({"type":"comment","id":1,"user":"a","post":"b","at":5,"text":"\u0000"})"), "bad_text");
  EXPECT_EQ(CodeOf(R"({"type":"user","id":"a","at":5,"handle":"a\u0000b"})"), "bad_handle");
  EXPECT_EQ(CodeOf(R"({"type":"user","id":"a","at":5,"name":"a\u0000b"})"), "bad_name");
  EXPECT_EQ(CodeOf(R"({"type":"user","id":"a\u0000b","at":5})"), "bad_id");
  EXPECT_EQ(CodeOf(R"({"type":"view","user":"a","post":"b","at":5,"id":"a\u0000b"})"), "bad_id");
}

}  // namespace
}  // namespace novafeed
