#include "social/validation.h"

#include <gtest/gtest.h>

#include <string>

namespace novafeed {
namespace {

// `count` code points of two bytes each.
std::string Umlauts(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += "\u00fc";
  return text;
}

void ExpectError(const Status& status, const std::string& code, const std::string& part_of_detail) {
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().failure, Failure::kUnprocessable);
  EXPECT_EQ(status.error().code, code);
  EXPECT_NE(status.error().detail.find(part_of_detail), std::string::npos) << status.error().detail;
}

TEST(Validation, TextCountsCodePointsNotBytes) {
  EXPECT_TRUE(ValidateText(Umlauts(1)));
  EXPECT_TRUE(ValidateText(Umlauts(10'000)));
  ExpectError(ValidateText(Umlauts(10'001)), "bad_text", "10001 characters; send 1 to 10000.");
  ExpectError(ValidateText(""), "bad_text", "0 characters");
  ExpectError(ValidateText("\xc3("), "bad_text", "UTF-8");
}

TEST(Validation, TextMayBeHostile) {
  EXPECT_TRUE(ValidateText("<script>alert(1)</script>\n\u202e\x01"));
}

TEST(Validation, NothingHasTheCharacterZero) {
  const std::string zero("a\0b", 3);
  ExpectError(ValidateText(zero), "bad_text", "U+0000, which no text may have; leave it out.");
  ExpectError(ValidateText(std::string(1, '\0')), "bad_text", "U+0000");
  ExpectError(ValidateOptionalText(zero), "bad_text", "U+0000");
  ExpectError(ValidateHandle(zero), "bad_handle", "U+0000");
  ExpectError(ValidateName(zero), "bad_name", "U+0000");
}

TEST(Validation, OptionalTextMayBeEmptyOnly) {
  EXPECT_TRUE(ValidateOptionalText(""));
  EXPECT_TRUE(ValidateOptionalText(Umlauts(10'000)));
  ExpectError(ValidateOptionalText(Umlauts(10'001)), "bad_text", "send 0 to 10000.");
  ExpectError(ValidateOptionalText("\xff"), "bad_text", "UTF-8");
}

TEST(Validation, HandleIsShortAndPrintable) {
  EXPECT_TRUE(ValidateHandle("a"));
  EXPECT_TRUE(ValidateHandle(Umlauts(64)));
  ExpectError(ValidateHandle(Umlauts(65)), "bad_handle", "65 characters");
  ExpectError(ValidateHandle(""), "bad_handle", "0 characters");
  ExpectError(ValidateHandle("a\nb"), "bad_handle", "control");
  ExpectError(ValidateHandle("a\u202e"), "bad_handle", "direction");
  ExpectError(ValidateHandle("\xed\xa0\x80"), "bad_handle", "UTF-8");
}

TEST(Validation, NameMayBeEmptyAndHas200CodePointsAtMost) {
  EXPECT_TRUE(ValidateName(""));
  EXPECT_TRUE(ValidateName(Umlauts(200)));
  ExpectError(ValidateName(Umlauts(201)), "bad_name", "201 characters");
  ExpectError(ValidateName("\x80"), "bad_name", "UTF-8");
}

}  // namespace
}  // namespace novafeed
