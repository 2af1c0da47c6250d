#include "social/entities.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>

namespace novafeed {
namespace {

// 16 bytes counting up from `first`.
Uuid CountingUuid(std::uint8_t first) {
  Uuid id;
  for (std::uint8_t& byte : id.bytes) byte = first++;
  return id;
}

Event SampleEvent() {
  Event event;
  event.user = {CountingUuid(0)};
  event.type = EventType::kShare;
  event.post = {CountingUuid(16)};
  event.at = 1'795'382'793'122;
  event.event_id = {CountingUuid(32)};
  return event;
}

TEST(EventTypes, NamesReadBack) {
  for (const auto* name : {"impression", "view", "share", "like", "unlike"}) {
    const auto type = ParseEventType(name);
    ASSERT_TRUE(type) << name;
    EXPECT_EQ(EventTypeName(*type), name);
  }
  EXPECT_FALSE(ParseEventType("Like"));
  EXPECT_FALSE(ParseEventType(""));
  EXPECT_FALSE(ParseEventType("likes"));
}

TEST(EventTypes, StoredNumbersStay) {
  EXPECT_EQ(static_cast<int>(EventType::kImpression), 1);
  EXPECT_EQ(static_cast<int>(EventType::kView), 2);
  EXPECT_EQ(static_cast<int>(EventType::kShare), 3);
  EXPECT_EQ(static_cast<int>(EventType::kLike), 4);
  EXPECT_EQ(static_cast<int>(EventType::kUnlike), 5);
}

// From Python: hashlib.sha256(user + bytes([3]) + post + struct.pack(">q", at) + event_id).digest()[:16].
TEST(EventIdentity, IsTheDigestThatPythonComputes) {
  EXPECT_EQ(EventIdentity(SampleEvent()).ToString(), "3670b5a9-2251-5664-cbb3-796b15a667bc");
}

TEST(EventIdentity, EachOfTheFivePartsMatters) {
  std::set<Uuid> identities;
  Event event = SampleEvent();
  identities.insert(EventIdentity(event));
  event.user = {CountingUuid(1)};
  identities.insert(EventIdentity(event));
  event = SampleEvent();
  event.type = EventType::kView;
  identities.insert(EventIdentity(event));
  event = SampleEvent();
  event.post = {CountingUuid(17)};
  identities.insert(EventIdentity(event));
  event = SampleEvent();
  event.at += 1;
  identities.insert(EventIdentity(event));
  event = SampleEvent();
  event.event_id = {CountingUuid(33)};
  identities.insert(EventIdentity(event));
  EXPECT_EQ(identities.size(), 6u);
}

TEST(EventIdentity, WhatIsCopiedFromThePostDoesNotMatter) {
  Event event = SampleEvent();
  event.post_author = {CountingUuid(99)};
  event.post_created_at = 5;
  EXPECT_EQ(EventIdentity(event), EventIdentity(SampleEvent()));
}

}  // namespace
}  // namespace novafeed
