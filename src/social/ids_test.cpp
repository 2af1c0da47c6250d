#include "social/ids.h"

#include <gtest/gtest.h>

#include <string>
#include <type_traits>
#include <unordered_set>

namespace novafeed {
namespace {

static_assert(!std::is_convertible_v<UserId, PostId> && !std::is_constructible_v<PostId, UserId>);

TEST(Ids, KindNamesArePartOfTheContract) {
  EXPECT_EQ(KindName(IdKind::kUser), "user");
  EXPECT_EQ(KindName(IdKind::kPost), "post");
  EXPECT_EQ(KindName(IdKind::kComment), "comment");
  EXPECT_EQ(KindName(IdKind::kEvent), "event");
}

// The values come from Python: uuid.uuid5(uuid.uuid5(uuid.NAMESPACE_URL, "urn:novafeed"), "user:alice"), ...
TEST(Ids, ExternalIdsBecomeTheUuidsThatPythonComputes) {
  EXPECT_EQ(IdFromExternal(IdKind::kUser, "alice").ToString(), "c33e9f97-218b-5065-bcd3-e9170eace301");
  EXPECT_EQ(IdFromExternal(IdKind::kPost, "42").ToString(), "ea9a2a4d-2bf8-559a-8902-7552c921af2f");
  EXPECT_EQ(IdFromExternal(IdKind::kComment, "c/\u00e4").ToString(), "2f488f12-ead8-5297-8d38-ffb579b4ca5d");
  EXPECT_EQ(IdFromExternal(IdKind::kEvent, "e-1").ToString(), "98356bfb-bffd-561d-a489-9e3c00459e6b");
}

TEST(Ids, TheKindSeparatesEqualStrings) {
  EXPECT_NE(IdFromExternal(IdKind::kUser, "1"), IdFromExternal(IdKind::kPost, "1"));
}

TEST(Ids, ApiTakesUuidsInAnyCase) {
  const auto parsed = ParseApiId(IdKind::kUser, "C33E9F97-218b-5065-BCD3-e9170eace301");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->id.ToString(), "c33e9f97-218b-5065-bcd3-e9170eace301");
  EXPECT_FALSE(parsed->external_id);
}

TEST(Ids, ApiTakesExternalIdsBehindTheirPrefixOnly) {
  const auto parsed = ParseApiId(IdKind::kUser, "ext:alice");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->id, IdFromExternal(IdKind::kUser, "alice"));
  EXPECT_EQ(parsed->external_id, "alice");
  EXPECT_FALSE(ParseApiId(IdKind::kUser, "alice"));
  EXPECT_FALSE(ParseApiId(IdKind::kUser, "EXT:alice"));
  EXPECT_FALSE(ParseApiId(IdKind::kUser, ""));
}

TEST(Ids, ImportTakesAnyString) {
  const auto external = ParseImportId(IdKind::kPost, "42");
  ASSERT_TRUE(external);
  EXPECT_EQ(*external, *ParseApiId(IdKind::kPost, "ext:42"));

  const auto uuid = ParseImportId(IdKind::kPost, "EA9A2A4D-2BF8-559A-8902-7552C921AF2F");
  ASSERT_TRUE(uuid);
  EXPECT_EQ(uuid->id, external->id);
  EXPECT_FALSE(uuid->external_id);

  // Nearly a UUID is a string like any other.
  EXPECT_EQ(ParseImportId(IdKind::kPost, "ea9a2a4d2bf8559a89027552c921af2f")->external_id,
            "ea9a2a4d2bf8559a89027552c921af2f");
}

TEST(Ids, ExternalIdsHave1To128BytesOfUtf8) {
  const std::string longest(128, 'x');
  EXPECT_TRUE(ParseImportId(IdKind::kUser, longest));
  EXPECT_TRUE(ParseApiId(IdKind::kUser, "ext:" + longest));
  EXPECT_FALSE(ParseImportId(IdKind::kUser, longest + "x"));
  EXPECT_FALSE(ParseApiId(IdKind::kUser, "ext:" + longest + "x"));
  EXPECT_FALSE(ParseImportId(IdKind::kUser, ""));
  EXPECT_FALSE(ParseApiId(IdKind::kUser, "ext:"));
  EXPECT_FALSE(ParseImportId(IdKind::kUser, "\xff"));
  EXPECT_FALSE(ParseApiId(IdKind::kUser, "ext:\xc3"));
  EXPECT_FALSE(ParseImportId(IdKind::kUser, std::string("a\0b", 3)));
  EXPECT_FALSE(ParseApiId(IdKind::kUser, std::string("ext:\0", 5)));
}

TEST(Ids, HashAndOrderFollowTheBytes) {
  std::unordered_set<UserId> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(UserId{IdFromExternal(IdKind::kUser, std::to_string(i % 500))});
  EXPECT_EQ(seen.size(), 500u);

  UserId low;
  UserId high;
  low.value.bytes[15] = 0xff;
  high.value.bytes[0] = 0x80;
  EXPECT_LT(low, high);
}

}  // namespace
}  // namespace novafeed
