#include "api/event_batch.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

#include "social/ids.h"

namespace novafeed {
namespace {

constexpr TimeMs kArrival = 1'790'000'000'000;
const UserId kAda{*ParseUuid("00000000-0000-0000-0000-00000000000a")};

EventRules UserRules() {
  return EventRules{kAda, false, kArrival};
}
EventRules PlatformRules() {
  return EventRules{std::nullopt, true, kArrival};
}

std::string Time(TimeMs at) {
  return std::to_string(at);
}

// One event as JSON; each argument is a JSON value.
std::string EventJson(const std::string& id, const std::string& type, const std::string& post, const std::string& at,
                      const std::string& more = "") {
  return R"({"event_id":)" + id + R"(,"type":)" + type + R"(,"post_id":)" + post + R"(,"at":)" + at + more + "}";
}

std::string Good(const std::string& more = "") {
  return EventJson(R"("ext:e1")", R"("share")", R"("ext:p1")", Time(kArrival), more);
}

Result<std::vector<EventItem>> Parse(const std::string& events, const EventRules& rules) {
  return ParseEventBatch(boost::json::parse(R"({"events":[)" + events + "]}"), rules);
}

// The code of the one event of a batch, or "ok".
std::string CodeOf(const std::string& event, const EventRules& rules = UserRules()) {
  const auto items = Parse(event, rules);
  if (!items) return "whole batch: " + items.error().code;
  return items->at(0).rejected() ? std::string(items->at(0).code) : "ok";
}

std::string BatchCode(const std::string& body) {
  const auto items = ParseEventBatch(boost::json::parse(body), UserRules());
  return items ? "ok" : items.error().code;
}

TEST(EventBatch, EveryFieldIsRead) {
  const auto items = Parse(Good(), UserRules());
  ASSERT_TRUE(items);
  const EventItem& item = items->at(0);
  EXPECT_FALSE(item.rejected());
  EXPECT_EQ(item.event_id, "ext:e1");
  EXPECT_EQ(item.event.event_id.value, IdFromExternal(IdKind::kEvent, "e1"));
  EXPECT_EQ(item.event.post.value, IdFromExternal(IdKind::kPost, "p1"));
  EXPECT_EQ(item.event.type, EventType::kShare);
  EXPECT_EQ(item.event.user, kAda);
  EXPECT_EQ(item.event.at, kArrival);
}

TEST(EventBatch, UnknownFieldsAreIgnored) {
  EXPECT_EQ(CodeOf(Good(R"(,"client":"web","nested":{"a":[1]})")), "ok");
  EXPECT_EQ(BatchCode(R"({"events":[)" + Good() + R"(],"sent_by":"x"})"), "ok");
}

TEST(EventBatch, TypesAreTheFive) {
  for (const char* type : {"impression", "view", "share", "like", "unlike"}) {
    EXPECT_EQ(CodeOf(EventJson(R"("ext:e")", std::string("\"") + type + "\"", R"("ext:p")", Time(kArrival))), "ok");
  }
  for (const char* type : {R"("follow")", R"("")", R"("LIKE")", "3", "[]"}) {
    EXPECT_EQ(CodeOf(EventJson(R"("ext:e")", type, R"("ext:p")", Time(kArrival))), "unknown_type") << type;
  }
}

TEST(EventBatch, IdsMustBeIds) {
  const std::string share = R"("share")";
  EXPECT_EQ(CodeOf(EventJson(R"("e1")", share, R"("ext:p")", Time(kArrival))), "bad_id");
  EXPECT_EQ(CodeOf(EventJson("5", share, R"("ext:p")", Time(kArrival))), "bad_id");
  EXPECT_EQ(CodeOf(EventJson(R"("ext:e")", share, R"("p1")", Time(kArrival))), "bad_id");
  EXPECT_EQ(CodeOf(EventJson(R"("ext:e")", share, "{}", Time(kArrival))), "bad_id");
}

TEST(EventBatch, FieldsMustBeThere) {
  EXPECT_EQ(CodeOf("{}"), "missing_field");
  EXPECT_EQ(CodeOf("7"), "missing_field");
  EXPECT_EQ(CodeOf("null"), "missing_field");
  const std::string values[] = {R"("ext:e")", R"("share")", R"("ext:p")", Time(kArrival)};
  for (int missing = 0; missing < 4; ++missing) {
    std::string copy[4];
    for (int i = 0; i < 4; ++i) copy[i] = i == missing ? "null" : values[i];
    EXPECT_EQ(CodeOf(EventJson(copy[0], copy[1], copy[2], copy[3])), "missing_field") << missing;
  }
}

TEST(EventBatch, TheFieldThatIsWrongIsNamed) {
  const auto field = [](const std::string& id, const std::string& type, const std::string& post, const std::string& at,
                        const std::string& more = "") {
    return std::string(Parse(EventJson(id, type, post, at, more), UserRules())->at(0).field);
  };
  EXPECT_EQ(field("null", R"("view")", R"("ext:p")", "0"), "event_id") << "the first one";
  EXPECT_EQ(field(R"("ext:e")", R"("dance")", R"("ext:p")", "0"), "type");
  EXPECT_EQ(field(R"("ext:e")", R"("view")", R"("p")", "0"), "post_id");
  EXPECT_EQ(field(R"("ext:e")", R"("view")", R"("ext:p")", "null"), "at");
  EXPECT_EQ(field(R"("ext:e")", R"("view")", R"("ext:p")", "0", R"(,"user_id":"ext:u")"), "user_id");
}

TEST(EventBatch, TimesAreMillisecondsOrRfc3339) {
  const auto code = [](const std::string& at) {
    return CodeOf(EventJson(R"("ext:e")", R"("view")", R"("ext:p")", at));
  };
  EXPECT_EQ(code("\"" + FormatRfc3339(kArrival) + "\""), "ok");
  for (const char* bad : {R"("yesterday")", R"("1790000000000")", "-1", "1.5", "1e30", "4133980800000", "true", "{}"}) {
    EXPECT_EQ(code(bad), "bad_time") << bad;
  }
}

TEST(EventBatch, TimesLieFromADayBeforeToFiveMinutesAfter) {
  const auto code = [](TimeMs at) { return CodeOf(EventJson(R"("ext:e")", R"("view")", R"("ext:p")", Time(at))); };
  EXPECT_EQ(code(kArrival - 24 * kMsPerHour), "ok");
  EXPECT_EQ(code(kArrival - 24 * kMsPerHour - 1), "time_out_of_range");
  EXPECT_EQ(code(kArrival + 300'000), "ok");
  EXPECT_EQ(code(kArrival + 300'001), "time_out_of_range");
}

TEST(EventBatch, OnlyThePlatformNamesUsers) {
  EXPECT_EQ(CodeOf(Good(R"(,"user_id":"ext:bob")")), "user_not_allowed");
  EXPECT_EQ(CodeOf(Good(R"(,"user_id":")" + kAda.ToString() + "\"")), "user_not_allowed");

  const auto items = Parse(Good(R"(,"user_id":"ext:bob")"), PlatformRules());
  ASSERT_TRUE(items);
  EXPECT_EQ(items->at(0).event.user.value, IdFromExternal(IdKind::kUser, "bob"));
  EXPECT_EQ(CodeOf(Good(R"(,"user_id":"bob")"), PlatformRules()), "bad_id");

  EventRules for_ada = PlatformRules();
  for_ada.person = kAda;
  EXPECT_EQ(Parse(Good(), for_ada)->at(0).event.user, kAda);
  EXPECT_NE(Parse(Good(R"(,"user_id":"ext:bob")"), for_ada)->at(0).event.user, kAda);
}

TEST(EventBatch, SomebodyMustBeNamed) {
  const auto nobody = Parse(Good() + "," + Good(), PlatformRules());
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, "user_required");
  EXPECT_EQ(nobody.error().failure, Failure::kInvalid);

  const auto one = Parse(Good() + "," + Good(R"(,"user_id":"ext:bob")"), PlatformRules());
  ASSERT_TRUE(one);
  EXPECT_EQ(one->at(0).code, "missing_field");
  EXPECT_FALSE(one->at(1).rejected());
}

TEST(EventBatch, HoldsOneToFiveHundred) {
  EXPECT_EQ(BatchCode(R"({"events":[]})"), "bad_batch_size");
  std::string many = Good();
  for (std::size_t i = 1; i < kMaxEventBatch; ++i) many += "," + Good();
  EXPECT_EQ(BatchCode(R"({"events":[)" + many + "]}"), "ok");
  EXPECT_EQ(BatchCode(R"({"events":[)" + many + "," + Good() + "]}"), "bad_batch_size");
}

TEST(EventBatch, TheListMustBeAList) {
  EXPECT_EQ(BatchCode("{}"), "missing_field");
  EXPECT_EQ(BatchCode("[]"), "wrong_type");
  EXPECT_EQ(BatchCode(R"({"events":{}})"), "wrong_type");
  EXPECT_EQ(BatchCode(R"({"events":null})"), "wrong_type");
}

TEST(EventBatch, ResultsKeepTheOrder) {
  auto items =
      Parse(Good() + ",{}," + EventJson(R"("ext:\"2")", R"("view")", R"("ext:p")", "0") + "," + Good(), UserRules());
  ASSERT_TRUE(items);
  items->at(3).status = EventStatus::kDuplicate;
  EXPECT_EQ(RenderEventResults(*items),
            R"({"accepted":1,"duplicates":1,"rejected":2,"results":[{"event_id":"ext:e1","status":"accepted"},)"
            R"({"event_id":null,"status":"rejected","code":"missing_field","field":"event_id"},)"
            R"({"event_id":"ext:\"2","status":"rejected","code":"time_out_of_range","field":"at"},)"
            R"({"event_id":"ext:e1","status":"duplicate"}]})");
}

}  // namespace
}  // namespace novafeed
