#include "import/importer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <boost/json.hpp>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "base/json.h"
#include "graph/commands.h"
#include "import/import_test_support.h"
#include "stream/memory_event_log.h"

namespace novafeed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr TimeMs kNow = 1'800'000'000'000;

std::string Post(const std::string& id, const std::string& author, TimeMs at, const std::string& text = "text") {
  return R"({"type":"post","id":")" + id + R"(","author":")" + author + R"(","at":)" + std::to_string(at) +
         R"(,"text":")" + text + "\"}\n";
}

std::string Act(const std::string& type, const std::string& user, const std::string& post, TimeMs at,
                const std::string& more = "") {
  return R"({"type":")" + type + R"(","user":")" + user + R"(","post":")" + post + R"(","at":)" + std::to_string(at) +
         more + "}\n";
}

std::string Comment(const std::string& id, const std::string& user, const std::string& post, TimeMs at,
                    const std::string& text = "hm") {
  return Act("comment", user, post, at, R"(,"id":")" + id + R"(","text":")" + text + "\"");
}

std::string Follow(const std::string& user, const std::string& target, TimeMs at, const std::string& type = "follow") {
  return R"({"type":")" + type + R"(","user":")" + user + R"(","target":")" + target + R"(","at":)" +
         std::to_string(at) + "}\n";
}

std::string OfPost(const std::string& type, const std::string& post, TimeMs at, const std::string& more = "") {
  return R"({"type":")" + type + R"(","post":")" + post + R"(","at":)" + std::to_string(at) + more + "}\n";
}

std::string DeleteComment(const std::string& id, TimeMs at) {
  return R"({"type":"delete_comment","id":")" + id + R"(","at":)" + std::to_string(at) + "}\n";
}

std::string UserWith(const std::string& id, TimeMs at, const std::string& more = "") {
  return R"({"type":"user","id":")" + id + R"(","at":)" + std::to_string(at) + more + "}\n";
}

// A file with something of everything.
std::string Everything() {
  return UserWith("ann", 1000, R"(,"handle":"annie","name":"Ann")") + Post("p1", "ann", 2000) +
         Post("p2", "ben", 2500, "") + Follow("ben", "ann", 3000) + Act("impression", "ben", "p1", 3100) +
         Act("like", "ben", "p1", 3200) + Comment("c1", "ben", "p1", 3300) + Act("share", "cem", "p1", 3400) +
         Act("view", "cem", "p1", 3500) + Act("unlike", "ben", "p1", 3600) + Act("like", "ben", "p1", 3700) +
         OfPost("edit_post", "p1", 3800, R"(,"text":"new")") + DeleteComment("c1", 3900) +
         OfPost("delete_post", "p2", 4000) + Follow("ben", "ann", 4100, "unfollow");
}

class Importing : public testing::Test {
 protected:
  std::string Write(const std::string& content, const std::string& name = "actions.ndjson") {
    return WriteFile(files_, name, content);
  }
  ImportResult Import(const std::string& content) { return world_.Import(Write(content)); }

  static std::int64_t Count(const ImportResult& result, Outcome outcome) { return result.counts.Total(outcome); }

  // The codes of the lines that an import of `content` rejects.
  std::vector<std::string> RejectedCodes(const std::string& content) {
    ImportOptions options;
    options.files = {Write(content, "rejected.ndjson")};
    options.bad_file = (files_.path() / "bad.ndjson").string();
    std::filesystem::remove(options.bad_file);
    const ImportResult result = world_.Import(options);
    EXPECT_FALSE(result.error) << result.error->detail;
    std::vector<std::string> codes;
    std::istringstream lines(ReadFile(options.bad_file));
    for (std::string line; std::getline(lines, line);) {
      const auto value = ParseJson(line);
      EXPECT_TRUE(value) << line;
      JsonFields fields(*value);
      codes.push_back(*fields.RequireString("code"));
    }
    return codes;
  }

  TempDirectory files_;
  World world_;
};

// A server and its client without a network; loses what `lose` says, before or after the server has done it.
enum class Loss { kNone, kRequest, kAnswer };
ImportSend SendTo(World& server, std::function<Loss()> lose = [] { return Loss::kNone; }) {
  return [&server, lose = std::move(lose)](const std::string& body) -> Result<std::string> {
    const Loss loss = lose();
    if (loss == Loss::kRequest) return Fail(Failure::kUnavailable, "lost", "The request was lost.");
    Result<std::string> answer = HandleImportRequest(body, server.graph(), server.events());
    if (loss == Loss::kAnswer) return Fail(Failure::kUnavailable, "lost", "The answer was lost.");
    return answer;
  };
}

TEST_F(Importing, AppliesEveryAction) {
  const ImportResult result = Import(Everything());
  ASSERT_FALSE(result.error) << result.error->detail;
  EXPECT_EQ(Count(result, Outcome::kApplied), 15);
  EXPECT_EQ(result.counts.Total(), 15);
  EXPECT_THAT(result.warnings, ElementsAre(HasSubstr("line 1 and 14 more: dated before 2000-01-01")));

  const WorldState state = world_.State();
  EXPECT_THAT(state.users, SizeIs(3));
  const User ann = state.users.at(UserOf("ann"));
  EXPECT_EQ(ann.handle, "annie");
  EXPECT_EQ(ann.name, "Ann");
  EXPECT_EQ(ann.external_id, "ann");
  EXPECT_EQ(ann.created_at, 1000);
  EXPECT_EQ(state.users.at(UserOf("ben")).handle, "ben");
  EXPECT_EQ(state.users.at(UserOf("ben")).created_at, 2500);
  EXPECT_EQ(state.posts.at(PostOf("p1")).text, "new");
  EXPECT_EQ(state.posts.at(PostOf("p1")).created_at, 2000);
  EXPECT_EQ(state.posts.at(PostOf("p2")).deleted_at, 4000);
  EXPECT_THAT(state.comments, IsEmpty());
  EXPECT_THAT(state.follows, IsEmpty());
  const Like like = state.likes.at({UserOf("ben"), PostOf("p1")});
  EXPECT_EQ(like.created_at, 3700);
  EXPECT_EQ(like.post_author, UserOf("ann"));
  EXPECT_EQ(like.post_created_at, 2000);
  EXPECT_THAT(state.events, SizeIs(3));
}

TEST_F(Importing, DatesCommentsAndFollowsByTheirLines) {
  Import(Post("p", "ann", 1000) + Comment("c", "ben", "p", 2000, "") + Follow("ben", "ann", 3000));
  const WorldState state = world_.State();
  const auto comment = state.comments.begin()->second;
  EXPECT_EQ(comment.created_at, 2000);
  EXPECT_EQ(comment.text, "");
  EXPECT_EQ(comment.external_id, "c");
  EXPECT_EQ(comment.post_author, UserOf("ann"));
  EXPECT_EQ(comment.post_created_at, 1000);
  EXPECT_EQ(state.follows.at({UserOf("ben"), UserOf("ann")}).created_at, 3000);
}

TEST_F(Importing, FillsInUsersWhoWereNamedBefore) {
  const std::string uuid = "c33e9f97-218b-5065-bcd3-e9170eace301";
  const ImportResult result = Import(
      Follow("ann", uuid, 1000) + UserWith("ann", 2000, R"(,"handle":"annie","name":"Ann")") +
      UserWith("ann", 2000, R"(,"handle":"annie","name":"Ann")") + UserWith("ann", 3000, R"(,"handle":"other")"));
  EXPECT_EQ(result.counts.At(ActionType::kUser, Outcome::kApplied), 1);
  EXPECT_EQ(result.counts.At(ActionType::kUser, Outcome::kUnchanged), 1);
  EXPECT_EQ(result.counts.At(ActionType::kUser, Outcome::kConflict), 1);
  const WorldState state = world_.State();
  EXPECT_EQ(state.users.at(UserOf("ann")).handle, "annie");
  EXPECT_EQ(state.users.at(UserOf("ann")).name, "Ann");
  EXPECT_EQ(state.users.at(UserOf("ann")).created_at, 1000);
  EXPECT_EQ(state.users.at(UserId{*ParseUuid(uuid)}).handle, uuid);
}

TEST_F(Importing, AUserLineWithoutAHandleTakesTheIdOnce) {
  const ImportResult result = Import(UserWith("ann", 1000) + UserWith("ann", 2000, R"(,"handle":"late")"));
  EXPECT_EQ(result.counts.At(ActionType::kUser, Outcome::kConflict), 1) << "the first line wins";
  EXPECT_EQ(world_.State().users.at(UserOf("ann")).handle, "ann");
}

TEST_F(Importing, NumbersTakenHandles) {
  const std::string content = UserWith("1", 1, R"(,"handle":"bob")") + UserWith("2", 2, R"(,"handle":"bob")") +
                              Follow("bob", "1", 3) + UserWith("bob", 4, R"(,"handle":"bob")") +
                              UserWith("2", 5, R"(,"handle":"bob")");
  const ImportResult result = Import(content);
  EXPECT_EQ(Count(result, Outcome::kConflict), 0);
  const WorldState state = world_.State();
  EXPECT_EQ(state.users.at(UserOf("1")).handle, "bob");
  EXPECT_EQ(state.users.at(UserOf("2")).handle, "bob-2");
  EXPECT_EQ(state.users.at(UserOf("bob")).handle, "bob-3");
}

TEST_F(Importing, TheFirstOfAKnownIdWins) {
  const ImportResult result =
      Import(Post("p", "ann", 1000) + Post("p", "ann", 1000) + Post("p", "new", 1000) + Post("p", "ann", 1001) +
             Post("p", "ann", 1000, "other") + Comment("c", "ben", "p", 2000) + Comment("c", "ben", "p", 2000) +
             Comment("c", "new", "p", 2000));
  EXPECT_EQ(result.counts.At(ActionType::kPost, Outcome::kUnchanged), 1);
  EXPECT_EQ(result.counts.At(ActionType::kPost, Outcome::kConflict), 3);
  EXPECT_EQ(result.counts.At(ActionType::kComment, Outcome::kUnchanged), 1);
  EXPECT_EQ(result.counts.At(ActionType::kComment, Outcome::kConflict), 1);
  EXPECT_FALSE(world_.State().users.contains(UserOf("new"))) << "a conflict creates nothing";
}

TEST_F(Importing, IdsOfDeletedThingsStayTaken) {
  const ImportResult result =
      Import(Post("p", "ann", 1000) + Comment("c", "ben", "p", 2000) + DeleteComment("c", 2500) +
             Comment("c", "ben", "p", 2000) + OfPost("delete_post", "p", 3000) + Post("p", "ann", 1000));
  EXPECT_EQ(Count(result, Outcome::kConflict), 2);
  EXPECT_THAT(world_.State().comments, IsEmpty());
  EXPECT_TRUE(world_.State().posts.at(PostOf("p")).deleted_at);
}

TEST_F(Importing, WhatChangesNothingIsCountedAsSuch) {
  const ImportResult result =
      Import(Post("p", "ann", 1000) + Act("unlike", "new", "p", 1100) + Act("like", "ben", "p", 1200) +
             Act("like", "ben", "p", 1300) + Follow("new", "newer", 1400, "unfollow") + Follow("ben", "ann", 1500) +
             Follow("ben", "ann", 1600) + Comment("c", "ben", "p", 1700) + DeleteComment("c", 1800) +
             DeleteComment("c", 1900) + OfPost("delete_post", "p", 2000) + OfPost("delete_post", "p", 2100));
  EXPECT_EQ(Count(result, Outcome::kUnchanged), 6);
  EXPECT_EQ(Count(result, Outcome::kBad), 0);
  const WorldState state = world_.State();
  EXPECT_EQ(state.likes.begin()->second.created_at, 1200) << "a like while liked keeps its first time";
  EXPECT_EQ(state.follows.begin()->second.created_at, 1500);
  EXPECT_EQ(state.posts.at(PostOf("p")).deleted_at, 2000);
  EXPECT_THAT(state.users, SizeIs(2)) << "what does nothing creates nobody";
}

TEST_F(Importing, DeletedPostsTakeEverythingButEdits) {
  const std::string deleted = Post("p", "ann", 1000) + Comment("c", "ben", "p", 1050) + Act("like", "ben", "p", 1060) +
                              OfPost("delete_post", "p", 1100);
  const ImportResult result =
      Import(deleted + Act("like", "cem", "p", 1200) + Comment("d", "cem", "p", 1300) + Act("share", "cem", "p", 1400) +
             Act("unlike", "ben", "p", 1500) + DeleteComment("c", 1600));
  EXPECT_EQ(Count(result, Outcome::kApplied), 9);
  const WorldState state = world_.State();
  EXPECT_THAT(state.likes, SizeIs(1));
  EXPECT_THAT(state.comments, SizeIs(1));
  EXPECT_THAT(state.events, SizeIs(1));
  EXPECT_THAT(RejectedCodes(OfPost("edit_post", "p", 1700, R"(,"text":"x")")), ElementsAre("post_deleted"));
}

TEST_F(Importing, BadLinesCreateNothing) {
  const std::string unknown = "nowhere";
  EXPECT_THAT(
      RejectedCodes(Act("like", "u1", unknown, 1) + Act("unlike", "u2", unknown, 1) + Comment("c", "u3", unknown, 1) +
                    Act("share", "u4", unknown, 1) + OfPost("edit_post", unknown, 1, R"(,"text":"x")") +
                    OfPost("delete_post", unknown, 1) + DeleteComment(unknown, 1) + Follow("u5", "u5", 1) +
                    Act("like", "u6", "p", -1) + "nonsense\n" + Act("dance", "u7", "p", 1) +
                    UserWith("u8", 1, R"(,"handle":"")")),
      ElementsAre("unknown_post", "unknown_post", "unknown_post", "unknown_post", "unknown_post", "unknown_post",
                  "unknown_comment", "self_follow", "bad_time", "malformed_json", "unknown_type", "bad_handle"));
  EXPECT_EQ(world_.State(), WorldState());
}

TEST_F(Importing, WritesRejectedLinesWithNumberAndText) {
  ImportOptions options;
  options.files = {Write("\n" + Post("p", "a", 1) + "\xff{\r\n" + std::string(kMaxImportLineBytes + 1, 'x'))};
  options.bad_file = Write("before\n", "bad.ndjson");
  const ImportResult result = world_.Import(options);
  EXPECT_EQ(Count(result, Outcome::kBad), 2);
  std::istringstream lines(ReadFile(options.bad_file));
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, "before") << "what a stopped import rejected is not lost";
  std::getline(lines, line);
  EXPECT_THAT(line, HasSubstr(R"("line":3,"code":"malformed_json")"));
  EXPECT_THAT(line, HasSubstr("\"text\":\"\xef\xbf\xbd{\"}"));
  std::getline(lines, line);
  EXPECT_THAT(line, HasSubstr(R"("line":4,"code":"line_too_long")"));
  EXPECT_LT(line.size(), 2000u);
}

TEST_F(Importing, IdsAsInAddressesAreExplained) {
  ImportOptions options;
  options.files = {Write(Post("p", "ann", 1) + Act("like", "ann", "ext:p", 1) + Act("like", "ann", "q", 1))};
  options.bad_file = (files_.path() / "bad.ndjson").string();
  world_.Import(options);
  std::istringstream lines(ReadFile(options.bad_file));
  std::string line;
  std::getline(lines, line);
  EXPECT_THAT(line, HasSubstr("ext:"));
  EXPECT_THAT(line, HasSubstr("the plain string"));
  std::getline(lines, line);
  EXPECT_THAT(line, testing::Not(HasSubstr("plain string")));
}

TEST_F(Importing, ABadFileThatCannotBeWrittenIsAnError) {
  ImportOptions options;
  options.files = {Write(Everything())};
  options.bad_file = (files_.path() / "none" / "bad").string();
  const ImportResult result = world_.Import(options);
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->code, "bad_file_unwritable");
  EXPECT_EQ(world_.State(), WorldState());
}

TEST_F(Importing, ABadFileIsNotStandardOutput) {
  ImportOptions options;
  options.files = {Write(Everything())};
  options.bad_file = "-";
  const ImportResult result = world_.Import(options);
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->code, "bad_file_is_output");
  EXPECT_FALSE(std::filesystem::exists("-"));
}

TEST_F(Importing, TellsIdenticalEventsApartWithinAFile) {
  const std::string share = Act("share", "ben", "p", 2000);
  const std::string content = Post("p", "ann", 1000) + share + share + share;
  Import(content);
  EXPECT_THAT(world_.State().events, SizeIs(3));
  const ImportResult other = world_.Import(Write(UserWith("x", 1) + content, "other.ndjson"));
  EXPECT_EQ(Count(other, Outcome::kDuplicate), 3) << "another file's first one is the same event";
  EXPECT_THAT(world_.State().events, SizeIs(3));
}

// uuid5(namespace, "event:share|<ben>|<p>|2000|1"), from Python.
TEST_F(Importing, EventsWithoutIdGetTheOneOfTheContract) {
  const EventLine share{
      EventType::kShare, *ParseImportId(IdKind::kUser, "ben"), *ParseImportId(IdKind::kPost, "p"), {}};
  EXPECT_EQ(DeriveEventId(share, 2000, 1).ToString(), "304afa1f-b800-5d1d-8add-574f1c050f90");
}

TEST_F(Importing, EventsWithEqualIdsCountOnce) {
  const std::string view = Act("view", "ben", "p", 2000, R"(,"id":"e")");
  const std::string later = Act("view", "ben", "p", 2001, R"(,"id":"e")");
  const ImportResult result = Import(Post("p", "ann", 1000) + view + view + later);
  EXPECT_EQ(result.counts.At(ActionType::kView, Outcome::kApplied), 2) << "five things make the identity, not the id";
  EXPECT_EQ(result.counts.At(ActionType::kView, Outcome::kDuplicate), 1);
}

TEST_F(Importing, WarnsOnceOfEachThing) {
  const ImportResult result =
      Import(Post("p", "ann", 1000) + Act("view", "ben", "p", 900, R"(,"mood":1)") +
             Act("view", "ben", "p", 800, R"(,"mood":1,"color":2)") + Act("like", "ben", "p", 1001, R"(,"mood":1)"));
  EXPECT_EQ(Count(result, Outcome::kApplied), 4);
  ASSERT_THAT(result.warnings, SizeIs(4));
  EXPECT_THAT(result.warnings[0], HasSubstr("line 2 is dated before"));
  EXPECT_THAT(result.warnings[1], HasSubstr("line 2 has a field \"mood\""));
  EXPECT_THAT(result.warnings[2], HasSubstr("line 3 has a field \"color\""));
  EXPECT_THAT(result.warnings[3], HasSubstr("line 1 and 3 more: dated before 2000-01-01"));
}

TEST_F(Importing, WarnsOfUnlikelyTimesAndIds) {
  ImportOptions options;
  options.now = kNow;
  options.files = {Write(Post("p", "ann", kNow) + Act("view", "ext:ben", "p", kNow + kMsPerDay) +
                         Act("view", "ben", "p", kNow + kMsPerDay + 1) + Act("like", "ext:ben", "p", kNow / 1000))};
  options.batch_lines = 2;
  EXPECT_THAT(world_.Import(options).warnings,
              ElementsAre(HasSubstr("line 4 is dated before a line above it"),
                          HasSubstr("line 4: dated before 2000-01-01; a number in \"at\" is milliseconds"),
                          HasSubstr("line 3: dated more than a day ahead"),
                          HasSubstr("line 2 and 1 more: an id begins with \"ext:\"")));
  EXPECT_THAT(world_.Import(options).warnings, IsEmpty());
}

TEST_F(Importing, WhatIsShiftedIsNotAheadOfItsTime) {
  ImportOptions options;
  options.now = kNow;
  options.shift_to_now = true;
  options.files = {Write(Post("p", "ann", kNow + 100 * kMsPerDay))};
  EXPECT_THAT(world_.Import(options).warnings, IsEmpty());
}

TEST_F(Importing, WarnsOfAHundredIgnoredNamesAndOthers) {
  std::string content = Post("p", "ann", 1000);
  for (int i = 0; i < 150; ++i) content += Act("view", "ben", "p", 2000, ",\"key" + std::to_string(i) + "\":1");
  const ImportResult result = Import(content);
  ASSERT_THAT(result.warnings, SizeIs(102));
  EXPECT_THAT(result.warnings[99], HasSubstr("line 101 has a field \"key99\" that view does not have"));
  EXPECT_THAT(result.warnings[100], HasSubstr("line 102 has a field \"key100\", and there may be others"));
}

TEST_F(Importing, TellsOfConflictsHandlesAndUsersByMention) {
  const std::string content = UserWith("1", 1, R"(,"handle":"bob")") + Post("p", "ann", 2) + Post("p", "ann", 3) +
                              UserWith("2", 4, R"(,"handle":"bob")") + Follow("bob", "cem", 5) +
                              Act("like", "nobody", "nowhere", 6);
  ImportOptions options;
  options.files = {Write(content, "a")};
  World server;
  for (const ImportResult& result : {world_.Import(options), RunRemoteImport(options, SendTo(server))}) {
    EXPECT_EQ(result.users_by_mention, 3);
    EXPECT_EQ(result.numbered_handles, 2);
    ASSERT_THAT(result.warnings, SizeIs(4));
    EXPECT_THAT(result.warnings[0], HasSubstr("a: line 3 is a conflict"));
    EXPECT_THAT(result.warnings[1],
                HasSubstr("a: line 4 wants the handle \"bob\", which is taken: the user gets \"bob-2\""));
    EXPECT_THAT(result.warnings[2],
                HasSubstr("a: line 5 wants the handle \"bob\", which is taken: the user gets \"bob-3\""));
  }
}

TEST_F(Importing, WarnsOfTheFirstTwentyConflicts) {
  std::string content;
  for (int i = 0; i < 30; ++i) content += Post("p", "ann", i);
  ImportOptions options;
  options.files = {Write(content)};
  options.batch_lines = 7;
  const ImportResult result = world_.Import(options);
  EXPECT_EQ(Count(result, Outcome::kConflict), 29);
  ASSERT_THAT(result.warnings, SizeIs(21));
  EXPECT_THAT(result.warnings[19], HasSubstr("line 21 "));
}

// As the API and the eraser do.
void EraseWhole(World* world, const std::string& user) {
  std::promise<void> erased;
  world->graph()->Write(
      [&user](GraphTransaction& tx) {
        ASSERT_TRUE(EraseUser(tx, UserOf(user)));
        ASSERT_TRUE(RemoveErased(tx, UserOf(user), 100));
      },
      [&erased](const Result<std::int64_t>&) { erased.set_value(); });
  erased.get_future().wait();
}

TEST_F(Importing, LinesByAndAboutErasedUsersAreBad) {
  Import(Post("p", "ann", 1000) + Act("share", "ben", "p", 1100) + Post("old", "ben", 1200));
  EraseWhole(&world_, "ben");
  const WorldState before = world_.State();
  const std::string lines = UserWith("ben", 2000) + Post("q", "ben", 2100) + Follow("ben", "new", 2200) +
                            Follow("new", "ben", 2300) + Act("like", "ben", "p", 2400) +
                            Comment("c", "ben", "p", 2500) + Act("share", "ben", "p", 2600) + Post("old", "ben", 1200);
  EXPECT_EQ(RejectedCodes(lines), std::vector<std::string>(8, "retired"));
  EXPECT_EQ(world_.State(), before);
  world_.Reopen();
  EXPECT_EQ(RejectedCodes(Post("of another file", "ann", 1) + lines), std::vector<std::string>(8, "retired"));
}

TEST_F(Importing, EventsThatAreSentAgainAreNotThoseOfErasedUsers) {
  const std::string file =
      Write(Post("p", "ann", 1000) + Act("share", "ben", "p", 1100) + Act("share", "eve", "p", 1200));
  ManualClock clock(0);
  MemoryEventLog full(&clock);
  full.Refuse(Error{Failure::kStorageFull, "disk_full", "Make room.", 0});
  ImportOptions options;
  options.files = {file};
  ASSERT_TRUE(RunLocalImport(options, world_.graph(), &full).error) << "the rows are in, the events are not";
  EraseWhole(&world_, "ben");
  EXPECT_FALSE(world_.Import(file).error);
  const std::vector<LoggedEvent> events = world_.events()->Read({}, 10);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].event.user, UserOf("eve"));
}

TEST_F(Importing, TwiceChangesNothingAndSaysSo) {
  const std::string file = Write(Everything());
  world_.Import(file);
  const WorldState once = world_.State();
  const std::int64_t changes = world_.graph()->End();
  for (int i = 0; i < 2; ++i) {
    world_.Reopen();
    const ImportResult again = world_.Import(file);
    EXPECT_EQ(again.counts.Total(), 0);
    EXPECT_EQ(again.files.at(0).lines_before, 15);
    EXPECT_THAT(again.warnings, IsEmpty());
  }
  EXPECT_EQ(world_.graph()->End(), changes) << "not even a change that changes nothing";
  EXPECT_EQ(world_.State(), once);
}

TEST_F(Importing, KnowsAFileByItsContentHoweverItComes) {
  world_.Import(Write(Everything()));
  EXPECT_EQ(world_.Import(Write(Everything(), "renamed.ndjson")).counts.Total(), 0);
  const std::string pipe = (files_.path() / "pipe").string();
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&pipe] { std::ofstream(pipe) << Everything() + Act("like", "cem", "p1", 9000); });
  const ImportResult piped = world_.Import(pipe);
  writer.join();
  EXPECT_EQ(piped.files.at(0).lines_before, 15);
  EXPECT_EQ(Count(piped, Outcome::kApplied), 1);
}

TEST_F(Importing, GoesOnWhereAGrownFileWas) {
  const std::string share = Act("share", "ben", "p", 2000);
  const std::string first = Post("p", "ann", 1000) + share + share;
  const std::string second = first + share + Act("like", "ben", "p", 3000);
  world_.Import(Write(first));
  const ImportResult grown = world_.Import(Write(second));
  EXPECT_EQ(grown.files.at(0).lines_before, 3);
  EXPECT_EQ(Count(grown, Outcome::kApplied), 2) << "the third equal share is a new one";
  // The earlier copy is still known.
  world_.Import(Write(second + Act("unlike", "ben", "p", 4000)));
  EXPECT_EQ(world_.Import(Write(second)).counts.Total(), 0);
  EXPECT_EQ(world_.Import(Write(first)).counts.Total(), 0);
  EXPECT_THAT(world_.State().likes, IsEmpty());
}

TEST_F(Importing, AnotherContinuationOfTheSameBeginningIsAnotherFile) {
  const std::string begin = Post("p", "ann", 1000) + Act("like", "ben", "p", 2000);
  world_.Import(Write(begin));
  world_.Import(Write(begin + Act("like", "cem", "p", 3000)));
  const ImportResult other = world_.Import(Write(begin + Act("like", "dan", "p", 3000)));
  EXPECT_EQ(other.files.at(0).lines_before, 2);
  EXPECT_EQ(Count(other, Outcome::kApplied), 1);
  EXPECT_THAT(world_.State().likes, SizeIs(3));
}

TEST_F(Importing, ALastLineWithoutEndIsImportedOnce) {
  std::string content = Post("p", "ann", 1000) + Act("like", "ben", "p", 2000);
  content.pop_back();
  const std::string file = Write(content);
  EXPECT_EQ(Count(world_.Import(file), Outcome::kApplied), 2);
  EXPECT_EQ(world_.Import(file).counts.Total(), 0);
  const ImportResult ended = world_.Import(Write(content + "\n" + Act("unlike", "ben", "p", 3000)));
  EXPECT_EQ(ended.counts.Total(), 1) << "the last line was known, although its end is new";
  EXPECT_THAT(world_.State().likes, IsEmpty());
}

TEST_F(Importing, RemembersHowManyLinesWereRejected) {
  const std::string bad = "nonsense\n" + Act("like", "x", "nowhere", 1);
  const std::string begin = Post("p", "ann", 1000) + bad + Act("like", "ben", "p", 2000);
  World server;
  const std::function<ImportResult(const ImportOptions&)> ways[] = {
      [&](const ImportOptions& options) { return world_.Import(options); },
      [&](const ImportOptions& options) { return RunRemoteImport(options, SendTo(server)); }};
  for (const auto& import : ways) {
    ImportOptions options;
    options.batch_lines = 2;
    const auto import_all = [&](const std::string& content) {
      options.files = {Write(content)};
      return import(options);
    };
    EXPECT_TRUE(import_all(begin).HasRejected());
    EXPECT_EQ(import_all(begin).files.at(0).rejected_before, 2);
    EXPECT_TRUE(import_all(begin).HasRejected());
    EXPECT_EQ(import_all(begin + bad).files.at(0).rejected_before, 2);
    EXPECT_EQ(import_all(begin + bad).files.at(0).rejected_before, 4);
    EXPECT_EQ(import_all(begin).files.at(0).rejected_before, 2);
  }
}

TEST_F(Importing, ARejectedLastLineIsCountedOnceAsLongAsItIsTheSame) {
  const std::string begin = Post("p", "ann", 1000);
  const std::string like = Act("like", "ben", "p", 2000);
  const std::string half = like.substr(0, 20);
  Import(begin + half);
  EXPECT_EQ(Import(begin + half).files.at(0).rejected_before, 1);
  EXPECT_FALSE([&] {
    Import(begin + like);
    return Import(begin + like).HasRejected();
  }()) << "it went on";
  Import(begin + half + "\n" + like);
  EXPECT_EQ(Import(begin + half + "\n" + like).files.at(0).rejected_before, 1) << "only its end came";
}

TEST_F(Importing, ALastLineThatGoesOnIsAnotherLine) {
  const std::string begin = Post("p", "ann", 1000);
  const std::string like = Act("like", "ben", "p", 2000);
  EXPECT_EQ(Count(world_.Import(Write(begin + like.substr(0, 20))), Outcome::kBad), 1);
  EXPECT_EQ(Count(world_.Import(Write(begin + like)), Outcome::kApplied), 1);
}

TEST_F(Importing, AFileOfOneLineWithoutEnd) {
  std::string line = Post("p", "ann", 1000);
  line.pop_back();
  EXPECT_EQ(Count(Import(line), Outcome::kApplied), 1);
  EXPECT_EQ(Import(line).counts.Total(), 0);
  EXPECT_EQ(Import(line + "\n" + Act("like", "ben", "p", 2000)).counts.Total(), 1);
}

TEST_F(Importing, EmptyFilesAndBlankLinesAreNothing) {
  EXPECT_EQ(Import("").counts.Total(), 0);
  EXPECT_FALSE(Import("").error);
  EXPECT_EQ(Import("\n \n\t\r\n").counts.Total(), 0);
  EXPECT_EQ(Import("\n\n" + Post("p", "ann", 1000) + "\n").counts.Total(), 1);
}

TEST_F(Importing, BlankLinesAreToldBesideTheOthersAndAreNoneOfThoseImportedBefore) {
  const std::string begin = "\n" + Post("p", "ann", 1000) + " \n" + Act("view", "ben", "p", 2000);
  World server;
  const std::function<ImportResult(const ImportOptions&)> ways[] = {
      [&](const ImportOptions& options) { return world_.Import(options); },
      [&](const ImportOptions& options) { return RunRemoteImport(options, SendTo(server)); }};
  for (const auto& import : ways) {
    ImportOptions options;
    options.batch_lines = 2;
    options.files = {Write(begin)};
    const ImportedFile first = import(options).files.at(0);
    EXPECT_EQ(std::tie(first.lines_before, first.lines, first.blank_lines), std::make_tuple(0, 2, 2));
    options.files = {Write(begin + "\n" + Act("view", "cem", "p", 3000))};
    const ImportedFile grown = import(options).files.at(0);
    EXPECT_EQ(std::tie(grown.lines_before, grown.lines, grown.blank_lines), std::make_tuple(2, 1, 1));
    const ImportedFile again = import(options).files.at(0);
    EXPECT_EQ(std::tie(again.lines_before, again.lines, again.blank_lines), std::make_tuple(3, 0, 0));
  }
}

TEST_F(Importing, TellsTheFirstBadLinesOfAllFiles) {
  std::string bad;
  for (int line = 0; line < 7; ++line) bad += Act("like", "ben", "nowhere", 2000);
  ImportOptions options;
  options.files = {Write(Post("p", "ann", 1000) + bad), Write("nonsense\n" + bad, "second.ndjson")};
  const ImportResult result = world_.Import(options);
  EXPECT_EQ(Count(result, Outcome::kBad), 15);
  ASSERT_THAT(result.bad_lines, SizeIs(kMaxToldBadLines));
  EXPECT_EQ(result.bad_lines[0].file, options.files[0]);
  EXPECT_EQ(result.bad_lines[0].line.number, 2);
  EXPECT_EQ(result.bad_lines[0].line.code, "unknown_post");
  EXPECT_EQ(result.bad_lines[7].file, options.files[1]);
  EXPECT_EQ(result.bad_lines[7].line.number, 1);
  EXPECT_EQ(result.bad_lines[7].line.code, "malformed_json");
}

TEST_F(Importing, StopsBetweenBatchesAndGoesOn) {
  const std::string file = Write(Everything());
  World whole;
  whole.Import(file);

  std::atomic<bool> stop = false;
  ImportOptions options;
  options.files = {file};
  options.batch_lines = 2;
  options.stop = &stop;
  options.progress = [&stop](const ImportProgress& progress) { stop = progress.lines >= 6; };
  const ImportResult stopped = world_.Import(options);
  EXPECT_TRUE(stopped.stopped);
  EXPECT_EQ(stopped.counts.Total(), 6);
  EXPECT_NE(world_.State(), whole.State());

  stop = false;
  options.progress = nullptr;
  world_.Reopen();
  const ImportResult rest = world_.Import(options);
  EXPECT_FALSE(rest.stopped);
  EXPECT_EQ(rest.files.at(0).lines_before, 6);
  EXPECT_EQ(Count(rest, Outcome::kApplied), 9);
  EXPECT_EQ(Difference(world_.State(), whole.State()), "");
}

// A pipe with a name, held open for writing from now on.
class HeldPipe {
 public:
  explicit HeldPipe(const TempDirectory& directory) : path_((directory.path() / "pipe").string()) {
    if (mkfifo(path_.c_str(), 0600) != 0) throw std::runtime_error("cannot make a pipe");
  }
  ~HeldPipe() { Close(); }
  HeldPipe(const HeldPipe&) = delete;
  HeldPipe& operator=(const HeldPipe&) = delete;

  void Write(const std::string& content) {
    if (writer_ < 0) writer_ = open(path_.c_str(), O_RDWR | O_CLOEXEC);  // which waits for no reader
    if (write(writer_, content.data(), content.size()) != static_cast<ssize_t>(content.size())) {
      throw std::runtime_error("cannot write into the pipe");
    }
  }
  void Close() {
    if (writer_ >= 0) close(writer_);
    writer_ = -1;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int writer_ = -1;
};

// Imports on a thread of its own, until it is stopped.
class StoppableImport {
 public:
  StoppableImport(World* world, ImportOptions options) {
    options.stop = &stop_;
    options.progress = [this](const ImportProgress& progress) { lines_.Set(progress.lines); };
    result_ = std::async(std::launch::async, [world, options] { return world->Import(options); });
  }

  bool WaitForLines(std::int64_t lines) { return lines_.WaitFor(lines); }

  // Nothing where it does not stop.
  std::optional<ImportResult> Stop(HeldPipe* pipe) {
    stop_ = true;
    const bool ended = result_.wait_for(kLongEnough) == std::future_status::ready;
    if (!ended) pipe->Write("\n"), pipe->Close();  // or this would hang
    ImportResult result = result_.get();
    if (!ended) return std::nullopt;
    return result;
  }

 private:
  static constexpr std::chrono::seconds kLongEnough{30};

  class Watched {
   public:
    void Set(std::int64_t value) {
      const std::lock_guard lock(mutex_);
      value_ = value;
      changed_.notify_all();
    }
    bool WaitFor(std::int64_t value) {
      std::unique_lock lock(mutex_);
      return changed_.wait_for(lock, kLongEnough, [&] { return value_ >= value; });
    }

   private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::int64_t value_ = 0;
  };

  std::atomic<bool> stop_ = false;
  Watched lines_;
  std::future<ImportResult> result_;
};

TEST_F(Importing, AppliesWhatASlowPipeHasGivenAndStopsWhileItWaits) {
  const std::string begin = Post("p", "ann", 1000) + Act("share", "ben", "p", 2000);
  const std::string rest = Act("like", "ben", "p", 3000);
  HeldPipe pipe(files_);
  pipe.Write(begin + rest.substr(0, 20));
  ImportOptions options;
  options.files = {pipe.path()};
  StoppableImport import(&world_, options);
  ASSERT_TRUE(import.WaitForLines(2));
  EXPECT_TRUE(world_.State().posts.contains(PostOf("p")));
  const auto stopped = import.Stop(&pipe);
  ASSERT_TRUE(stopped);
  EXPECT_TRUE(stopped->stopped);
  EXPECT_FALSE(stopped->error);
  EXPECT_EQ(Count(*stopped, Outcome::kApplied), 2);

  const ImportResult whole = world_.Import(Write(begin + rest));
  EXPECT_EQ(whole.files.at(0).lines_before, 2);
  EXPECT_EQ(whole.files.at(0).lines, 1);
}

TEST_F(Importing, StopsWhileItWaitsForTheBeginningOfAPipe) {
  for (const char* content : {"", "{\"type\""}) {
    const TempDirectory directory;
    HeldPipe pipe(directory);
    if (*content != '\0') pipe.Write(content);  // else nobody opens the other end
    ImportOptions options;
    options.files = {pipe.path()};
    StoppableImport import(&world_, options);
    const auto stopped = import.Stop(&pipe);
    ASSERT_TRUE(stopped);
    EXPECT_TRUE(stopped->stopped);
    EXPECT_FALSE(stopped->error);
  }
}

TEST_F(Importing, StopsWhileItComparesAPipeWithWhatIsKnown) {
  const std::string known = Post("p", "ann", 1000) + Act("like", "ben", "p", 2000);
  Import(known);
  HeldPipe pipe(files_);
  pipe.Write(known.substr(0, known.size() - 10));
  ImportOptions options;
  options.files = {pipe.path()};
  StoppableImport import(&world_, options);
  const auto stopped = import.Stop(&pipe);
  ASSERT_TRUE(stopped);
  EXPECT_TRUE(stopped->stopped);
  EXPECT_EQ(stopped->counts.Total(), 0);
}

TEST_F(Importing, AStoppedImportSaysSoWhicheverPassItIsIn) {
  const std::string known = Write(Everything());
  world_.Import(known);
  const std::atomic<bool> stop = true;
  ImportOptions options;
  options.stop = &stop;
  for (const bool shift : {false, true}) {
    for (const std::string& file : {known, Write(Post("new", "ann", 1), "new.ndjson"), Write("", "empty.ndjson")}) {
      options.files = {file};
      options.shift_to_now = shift;
      const ImportResult result = world_.Import(options);
      EXPECT_TRUE(result.stopped) << file;
      EXPECT_FALSE(result.error) << result.error->detail;
      EXPECT_EQ(result.counts.Total(), 0);
    }
  }
}

TEST_F(Importing, AnInputThatEndsWithTheStopIsNotComplete) {
  std::atomic<bool> stop = false;
  ImportOptions options;
  options.files = {Write(Post("p", "ann", 1000))};
  options.stop = &stop;
  options.progress = [&stop](const ImportProgress&) { stop = true; };
  EXPECT_TRUE(world_.Import(options).stopped);
  options.stop = nullptr;
  EXPECT_FALSE(world_.Import(options).stopped);
}

TEST_F(Importing, ADamagedFileKeepsTheLinesBefore) {
  const std::string file = Write(Everything() + "x");
  ImportOptions options;
  options.files = {file, (files_.path() / "none").string()};
  const ImportResult result = world_.Import(options);
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->code, "unreadable_input");
  EXPECT_EQ(Count(result, Outcome::kApplied), 15);
}

TEST_F(Importing, ShiftsAllTimesByOneConstant) {
  ImportOptions options;
  options.files = {Write(Post("p", "ann", 1000) + Act("share", "ben", "p", 2000), "1.ndjson"),
                   Write(Act("like", "ben", "p", 5000) + Act("like", "cem", "p", 4000), "2.ndjson")};
  options.shift_to_now = true;
  options.now = kNow;
  const ImportResult result = world_.Import(options);
  ASSERT_FALSE(result.error) << result.error->detail;
  const WorldState state = world_.State();
  EXPECT_EQ(state.posts.at(PostOf("p")).created_at, kNow - 4000);
  EXPECT_EQ(state.likes.at({UserOf("ben"), PostOf("p")}).created_at, kNow);
  EXPECT_EQ(state.events.begin()->second.at, kNow - 3000);
  EXPECT_EQ(state.likes.at({UserOf("ben"), PostOf("p")}).post_created_at, kNow - 4000);
  const EventLine share{
      EventType::kShare, *ParseImportId(IdKind::kUser, "ben"), *ParseImportId(IdKind::kPost, "p"), {}};
  EXPECT_EQ(state.events.begin()->second.event_id, DeriveEventId(share, 2000, 0)) << "by the time in the file";
}

TEST_F(Importing, RemembersTheShiftOfAFile) {
  const std::string begin = Post("p", "ann", 1000);
  ImportOptions options;
  options.files = {Write(begin)};
  options.shift_to_now = true;
  options.now = kNow;
  world_.Import(options);
  options.now = kNow + kMsPerDay;
  EXPECT_EQ(world_.Import(options).counts.Total(), 0);
  Write(begin + Act("like", "ben", "p", 3000));
  world_.Import(options);
  EXPECT_EQ(world_.State().likes.begin()->second.created_at, kNow + 2000);
  options.shift_to_now = false;
  Write(begin + Act("like", "ben", "p", 3000) + Act("like", "cem", "p", 4000));
  world_.Import(options);
  EXPECT_EQ(world_.State().likes.at({UserOf("cem"), PostOf("p")}).created_at, kNow + 3000);
}

TEST_F(Importing, RefusesToShiftWhatHasATimeAlready) {
  ImportOptions options;
  options.files = {Write(Everything())};
  world_.Import(options);
  options.shift_to_now = true;
  options.now = kNow;
  const ImportResult result = world_.Import(options);
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->code, "shift_conflict");
  options.files = {"-"};
  EXPECT_EQ(world_.Import(options).error->code, "shift_needs_files");
  options.files = {};
  EXPECT_EQ(world_.Import(options).error->code, "no_files");
}

TEST_F(Importing, ADryRunSaysTheSameAndWritesNothing) {
  const std::string view = Act("view", "cem", "p1", 3500, R"(,"id":"e")");
  const std::string file = Write(Everything() + Act("like", "x", "nowhere", 1) + Post("p1", "zoe", 1) + view + view);
  ImportOptions options;
  options.files = {file};
  options.dry_run = true;
  options.batch_lines = 3;
  options.bad_file = (files_.path() / "bad").string();
  const ImportResult dry = world_.Import(options);
  ASSERT_FALSE(dry.error) << dry.error->detail;
  EXPECT_EQ(Count(dry, Outcome::kBad), 1);
  EXPECT_EQ(Count(dry, Outcome::kDuplicate), 1);
  EXPECT_THAT(ReadFile(options.bad_file), HasSubstr("unknown_post"));
  EXPECT_EQ(world_.State(), WorldState());
  EXPECT_EQ(world_.graph()->End(), 0);
  EXPECT_EQ(world_.Import(file).counts, dry.counts);
}

TEST_F(Importing, ThroughAServerIsTheSame) {
  ImportOptions options;
  options.files = {Write(Everything() + "nonsense\n" + Act("like", "x", "nowhere", 1) +
                         Act("share", "cem", "p1", 3400) + "\n" + Post("p1", "zoe", 1) +
                         Act("view", "cem", "p1", 3500).substr(0, 30))};
  options.batch_lines = 2;
  World local;
  const ImportResult expected = local.Import(options);
  options.bad_file = (files_.path() / "bad").string();
  const ImportResult remote = RunRemoteImport(options, SendTo(world_));
  ASSERT_FALSE(remote.error) << remote.error->detail;
  EXPECT_EQ(remote.counts, expected.counts);
  EXPECT_EQ(Difference(world_.State(), local.State()), "");
  EXPECT_THAT(ReadFile(options.bad_file), HasSubstr("\"text\":\"nonsense\""));
  EXPECT_EQ(RunRemoteImport(options, SendTo(world_)).counts.Total(), 0);
  EXPECT_EQ(world_.Import(options.files.at(0)).counts.Total(), 0) << "both ways know the file";
}

TEST_F(Importing, LostMessagesDoNoHarm) {
  ImportOptions options;
  options.files = {Write(Everything())};
  options.batch_lines = 1;
  World local;
  local.Import(options);
  int sent = 0;
  const ImportSend send = SendTo(world_, [&sent] {
    ++sent;
    return sent % 5 == 0 ? Loss::kRequest : sent % 7 == 0 ? Loss::kAnswer : Loss::kNone;
  });
  int runs = 1;
  while (RunRemoteImport(options, send).error) ASSERT_LT(++runs, 100);
  EXPECT_GT(runs, 3);
  EXPECT_EQ(Difference(world_.State(), local.State()), "");
}

TEST_F(Importing, RemoteDryRunsAreRefused) {
  ImportOptions options;
  options.files = {Write(Everything())};
  options.dry_run = true;
  EXPECT_EQ(RunRemoteImport(options, SendTo(world_)).error->code, "dry_run_is_local");
}

}  // namespace
}  // namespace novafeed
