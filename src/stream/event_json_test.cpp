#include "stream/event_json.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/crypto.h"
#include "base/test_support.h"
#include "social/ids.h"

namespace novafeed {
namespace {

LoggedEvent SampleEvent() {
  LoggedEvent logged;
  logged.received_at = 1'700'000'000'500;
  logged.event = Event{UserId{{{1}}},  EventType::kShare, PostId{{{2}}},    1'700'000'000'001,
                       EventId{{{3}}}, UserId{{{4}}},     1'600'000'000'000};
  return logged;
}

std::string Hex(const Uuid& id) {
  return ToHex({reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()});
}

void ExpectSame(const LoggedEvent& a, const LoggedEvent& b) {
  EXPECT_EQ(a.received_at, b.received_at);
  EXPECT_EQ(a.event, b.event);
  EXPECT_EQ(a.identity, b.identity);
}

std::string Replaced(std::string text, const std::string& what, const std::string& with) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, text.npos) << what;
  return text.replace(at, what.size(), with);
}

TEST(EventJson, IsOneLineThatSaysAllOfIt) {
  const LoggedEvent logged = SampleEvent();
  EXPECT_EQ(RenderEventJson(logged),
            R"({"event_id":"03000000-0000-0000-0000-000000000000","type":"share",)"
            R"("user_id":"01000000-0000-0000-0000-000000000000","post_id":"02000000-0000-0000-0000-000000000000",)"
            R"("at":1700000000001,"post_author_id":"04000000-0000-0000-0000-000000000000",)"
            R"("post_created_at":1600000000000,"received_at":1700000000500,"identity":")" +
                Hex(EventIdentity(logged.event)) + R"("})");
}

TEST(EventJson, AnyEventIsReadBack) {
  std::mt19937_64 random(TestSeed());
  const auto id = [&random] {
    Uuid made;
    for (std::uint8_t& byte : made.bytes) byte = static_cast<std::uint8_t>(random());
    return made;
  };
  const auto time = [&random] { return static_cast<TimeMs>(random() % static_cast<std::uint64_t>(kMaxTime)); };
  for (int i = 0; i < 1000; ++i) {
    LoggedEvent logged;
    logged.received_at = time();
    logged.event =
        Event{UserId{id()}, static_cast<EventType>(1 + random() % 5), PostId{id()}, time(), EventId{id()}, UserId{id()},
              time()};
    if (i % 2 == 0) logged.identity = id();
    const std::string json = RenderEventJson(logged);
    EXPECT_EQ(json.find('\n'), json.npos);
    const Result<LoggedEvent> read = ParseEventJson(json);
    ASSERT_TRUE(read) << read.error().detail << json;
    ExpectSame(*read, logged);
    EXPECT_EQ(RenderEventJson(*read), json) << "sent again, it is the same message";
  }
}

TEST(EventJson, AnEventKeepsItsIdentityBehindAPseudonym) {
  LoggedEvent logged = SampleEvent();
  logged.identity = logged.Identity();
  logged.event.user = UserId{IdFromExternal(IdKind::kUser, "somebody")};
  EXPECT_NE(EventIdentity(logged.event), *logged.identity) << "or this test proves nothing";
  const Result<LoggedEvent> read = ParseEventJson(RenderEventJson(logged));
  ASSERT_TRUE(read);
  ExpectSame(*read, logged);
}

TEST(EventJson, OtherMembersAreIgnoredAndTheIdentityMayBeMissing) {
  const LoggedEvent logged = SampleEvent();
  std::string json = RenderEventJson(logged);
  json = Replaced(json, R"("identity":")" + Hex(logged.Identity()) + '"', R"("session":{"a":[1]},"identity":null)");
  const Result<LoggedEvent> read = ParseEventJson(json);
  ASSERT_TRUE(read) << read.error().detail;
  ExpectSame(*read, logged);
}

TEST(EventJson, WhatIsNoneIsRefused) {
  const std::string json = RenderEventJson(SampleEvent());
  for (const std::string& bad : {
           std::string(),
           std::string("poison"),
           std::string("[]"),
           std::string("{}"),
           json + "x",
           Replaced(json, R"("type":"share")", R"("type":"like it")"),
           Replaced(json, R"("type":"share",)", ""),
           Replaced(json, "03000000-", "0300000"),
           Replaced(json, R"("user_id":"01)", R"("user_id":"zz)"),
           Replaced(json, "1700000000001", "1.5"),
           Replaced(json, "1700000000001", "-1"),
           Replaced(json, "1600000000000", "99999999999999"),
           Replaced(json, R"("received_at":1700000000500,)", ""),
           Replaced(json, R"("identity":")", R"("identity":"0)"),
       }) {
    const Result<LoggedEvent> read = ParseEventJson(bad);
    ASSERT_FALSE(read) << bad;
    EXPECT_EQ(read.error().code, "bad_event") << bad;
    EXPECT_FALSE(read.error().detail.empty());
  }
}

}  // namespace
}  // namespace novafeed
