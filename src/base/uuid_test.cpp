#include "base/uuid.h"

#include <gtest/gtest.h>

#include <cctype>
#include <set>

#include "base/test_support.h"

namespace novafeed {
namespace {

// RFC 4122, appendix C.
constexpr const char* kNamespaceUrl = "6ba7b811-9dad-11d1-80b4-00c04fd430c8";

TEST(Uuid, TheNamespaceOfExternalIdsIsTheContracts) {
  EXPECT_EQ(kNovafeedNamespace.ToString(), "c1c8ce8d-f735-5bd1-a9d4-0685a57e4b43");
  EXPECT_EQ(UuidFromName(ParseUuid(kNamespaceUrl).value(), "urn:novafeed"), kNovafeedNamespace);
}

TEST(Uuid, VersionFiveIsThatOfTheRfc) {
  const Uuid dns = ParseUuid("6ba7b810-9dad-11d1-80b4-00c04fd430c8").value();
  EXPECT_EQ(UuidFromName(dns, "www.example.org").ToString(), "74738ff5-5367-5958-9aee-98fffdcd1876");
}

TEST(Uuid, ParsesAnyCaseAndWritesLowerCase) {
  const auto id = ParseUuid("C1C8ce8d-F735-5bd1-a9d4-0685A57E4B43");
  ASSERT_TRUE(id);
  EXPECT_EQ(*id, kNovafeedNamespace);
  std::string text = "id=";
  id->AppendTo(&text);
  EXPECT_EQ(text, "id=c1c8ce8d-f735-5bd1-a9d4-0685a57e4b43");
}

TEST(Uuid, RefusesEveryOtherForm) {
  for (const char* bad : {"", "c1c8ce8df7355bd1a9d40685a57e4b43", "{c1c8ce8d-f735-5bd1-a9d4-0685a57e4b43}",
                          "c1c8ce8d-f735-5bd1-a9d4-0685a57e4b4", "c1c8ce8d-f735-5bd1-a9d4-0685a57e4b433",
                          "c1c8ce8d-f735-5bd1-a9d4-0685a57e4b4g", "c1c8ce8d_f735-5bd1-a9d4-0685a57e4b43",
                          "c1c8ce8-df735-5bd1-a9d4-0685a57e4b43", "urn:uuid:c1c8ce8d-f735-5bd1-a9d4-0685a57e4b43"}) {
    EXPECT_EQ(ParseUuid(bad), std::nullopt) << bad;
  }
}

TEST(Uuid, OrderIsThatOfTheBytes) {
  const Uuid small = ParseUuid("00ffffff-ffff-ffff-ffff-ffffffffffff").value();
  const Uuid large = ParseUuid("80000000-0000-0000-0000-000000000000").value();
  EXPECT_LT(small, large);
  EXPECT_GT(large, Uuid{});
  EXPECT_TRUE(Uuid{}.IsNil());
  EXPECT_FALSE(small.IsNil());
}

TEST(NewUuid, IsVersionSevenWithItsTimeInFrontAndNeverTheSame) {
  constexpr std::int64_t kNow = 0x0123456789ab;
  std::set<Uuid> seen;
  for (int i = 0; i < 1000; ++i) {
    const Uuid id = NewUuid(kNow);
    const std::string text = id.ToString();
    EXPECT_EQ(text.substr(0, 13), "01234567-89ab");
    EXPECT_EQ(text[14], '7');
    EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos) << text;
    EXPECT_EQ(ParseUuid(text), id);
    EXPECT_TRUE(seen.insert(id).second);
  }
  EXPECT_LT(*seen.rbegin(), NewUuid(kNow + 1));
}

TEST(UuidHash, SpreadsIdsThatDifferInOneByte) {
  std::set<std::size_t> hashes;
  for (std::size_t byte = 0; byte < 16; ++byte) {
    for (int value = 1; value < 256; ++value) {
      Uuid id;
      id.bytes[byte] = static_cast<std::uint8_t>(value);
      hashes.insert(UuidHash{}(id));
    }
  }
  EXPECT_EQ(hashes.size(), 16u * 255u);
}

}  // namespace
}  // namespace novafeed
