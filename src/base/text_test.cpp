#include "base/text.h"

#include <gtest/gtest.h>

#include <random>

#include "base/test_support.h"

namespace novafeed {
namespace {

std::string RandomText(std::mt19937_64* random, std::size_t longest) {
  std::string bytes((*random)() % (longest + 1), '\0');
  for (char& byte : bytes) byte = static_cast<char>((*random)());
  return bytes;
}

TEST(CountCodePoints, CountsWhatAReaderCounts) {
  EXPECT_EQ(CountCodePoints(""), 0u);
  EXPECT_EQ(CountCodePoints("abc"), 3u);
  EXPECT_EQ(CountCodePoints("\u00e9\u20ac\U0001f600"), 3u);
  EXPECT_EQ(CountCodePoints("\U0010ffff"), 1u);
  EXPECT_EQ(CountCodePoints(std::string("\0", 1)), 1u);
}

TEST(CountCodePoints, RefusesWhatIsNotUtf8) {
  for (const char* bad : {"\x80", "\xc0\xaf", "\xc1\xbf", "\xc3", "\xc3(", "\xe0\x9f\xbf", "\xe2\x82", "\xed\xa0\x80",
                          "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xf0\x9f\x98"}) {
    EXPECT_EQ(CountCodePoints(bad), std::nullopt) << testing::PrintToString(bad);
  }
}

TEST(HasCharacterZero, FindsItAnywhere) {
  EXPECT_FALSE(HasCharacterZero(""));
  EXPECT_FALSE(HasCharacterZero("0\x01\u0100"));
  EXPECT_TRUE(HasCharacterZero(std::string("\0", 1)));
  EXPECT_TRUE(HasCharacterZero(std::string("ab\0", 3)));
}

TEST(IsPrintable, TakesTextOfAnyScript) {
  EXPECT_TRUE(IsPrintable("Zo\u00eb \u4e2d\u6587 \u0627\u0644 \U0001f600"));
  EXPECT_TRUE(IsPrintable(""));
}

TEST(IsPrintable, RefusesControlsSeparatorsAndBidi) {
  for (const char* bad : {"a\nb", "\t", "\x7f", "\u0085", "\u009f", "\u200e", "\u200f", "\u202a", "\u202e", "\u2066",
                          "\u2069", "\u2028", "\u2029", "\u061c", "\xff"}) {
    EXPECT_FALSE(IsPrintable(bad)) << testing::PrintToString(bad);
  }
  EXPECT_FALSE(IsPrintable(std::string("a\0b", 3)));
}

TEST(RepairUtf8, KeepsWhatIsValidAndMarksWhatIsNot) {
  EXPECT_EQ(RepairUtf8("gr\u00fc\u00dfe"), "gr\u00fc\u00dfe");
  EXPECT_EQ(RepairUtf8("a\xff\xc3z"), "a\ufffd\ufffdz");
}

TEST(RepairUtf8, GivesUtf8ForAnyBytes) {
  std::mt19937_64 random(TestSeed());
  for (int round = 0; round < 2000; ++round) {
    const std::string bytes = RandomText(&random, 40);
    const std::string repaired = RepairUtf8(bytes);
    ASSERT_TRUE(CountCodePoints(repaired)) << testing::PrintToString(bytes);
    if (CountCodePoints(bytes)) ASSERT_EQ(repaired, bytes);
  }
}

TEST(Base64Url, GivesTheTextsOfRfc4648) {
  EXPECT_EQ(EncodeBase64Url(""), "");
  EXPECT_EQ(EncodeBase64Url("f"), "Zg");
  EXPECT_EQ(EncodeBase64Url("fo"), "Zm8");
  EXPECT_EQ(EncodeBase64Url("foobar"), "Zm9vYmFy");
  EXPECT_EQ(EncodeBase64Url("\xfb\xff"), "-_8");
}

TEST(Base64Url, RefusesPaddingOtherAlphabetsAndLooseBits) {
  for (const char* bad : {"Zg==", "Zm8=", "Z", "Zm9vY", "+_8", "/_8", "Z g", "Zh", "Zm9"}) {
    EXPECT_EQ(DecodeBase64Url(bad), std::nullopt) << bad;
  }
}

TEST(Base64Url, DecodingAcceptsExactlyWhatEncodingGives) {
  std::mt19937_64 random(TestSeed());
  for (int round = 0; round < 2000; ++round) {
    const std::string bytes = RandomText(&random, 40);
    ASSERT_EQ(DecodeBase64Url(EncodeBase64Url(bytes)), bytes);
    std::string text = EncodeBase64Url(bytes);
    if (text.empty()) continue;
    text[random() % text.size()] = "AZaz09-_+/= "[random() % 12];
    if (const auto decoded = DecodeBase64Url(text)) ASSERT_EQ(EncodeBase64Url(*decoded), text);
  }
}

}  // namespace
}  // namespace novafeed
