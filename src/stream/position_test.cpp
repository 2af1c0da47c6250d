#include "stream/position.h"

#include <gtest/gtest.h>

#include <cctype>
#include <random>
#include <stdexcept>
#include <string>

#include "base/test_support.h"
#include "base/text.h"

namespace novafeed {
namespace {

const std::string kGeneration = "018f0000-0000-7000-9000-000000000004";

TEST(Position, ReadsBackEqual) {
  std::mt19937_64 random(TestSeed());
  for (int i = 0; i < 1000; ++i) {
    const int shift = static_cast<int>(random() % 63);
    const Position position = {kGeneration, static_cast<std::int64_t>(random() >> (1 + shift)),
                               static_cast<std::int64_t>(random() >> (1 + shift))};
    const std::string text = EncodePosition(position);
    EXPECT_LE(text.size(), 64u);
    for (const char c : text) {
      EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_') << text;
    }
    EXPECT_EQ(DecodePosition(text, kGeneration).value(), position);
  }
}

TEST(Position, OfAnotherGenerationIsSaidToBeSo) {
  const auto read = DecodePosition(EncodePosition({kGeneration, 5, 6}), "another");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().failure, Failure::kInvalid);
  EXPECT_EQ(read.error().code, "other_generation");
}

TEST(Position, AnythingElseIsRefused) {
  const std::string good = EncodePosition({kGeneration, 5, 6});
  for (const std::string& bad : {std::string(), std::string("5"), good + "A", good.substr(1), good + "=",
                                 std::string(64, '-'), "!" + good.substr(1), EncodeBase64Url(std::string(25, '\0'))}) {
    const auto read = DecodePosition(bad, kGeneration);
    ASSERT_FALSE(read) << bad;
    EXPECT_EQ(read.error().code, "bad_position") << bad;
  }
  EXPECT_FALSE(DecodePosition(EncodePosition({kGeneration, -1, 0}), kGeneration));
  EXPECT_FALSE(DecodePosition(EncodePosition({kGeneration, 0, -1}), kGeneration));
}

TEST(Position, AUnionIsTheFarthestOfEachStream) {
  const Position a = {kGeneration, 5, 9};
  const Position b = {kGeneration, 7, 2};
  EXPECT_EQ(Union(a, b), (Position{kGeneration, 7, 9}));
  EXPECT_EQ(Union(a, Position{}), a);
  EXPECT_EQ(Union(Position{}, a), a);
  EXPECT_THROW(Union(a, {"another", 1, 1}), std::logic_error);
}

TEST(Position, IsReachedWhenEachStreamIs) {
  const Position applied = {kGeneration, 5, 9};
  EXPECT_TRUE(Reached({kGeneration, 5, 9}, applied));
  EXPECT_TRUE(Reached({kGeneration, 0, 0}, applied));
  EXPECT_FALSE(Reached({kGeneration, 6, 0}, applied));
  EXPECT_FALSE(Reached({kGeneration, 0, 10}, applied));
  EXPECT_FALSE(Reached({"another", 1, 1}, applied));
  EXPECT_TRUE(Reached(Position{}, applied));
}

}  // namespace
}  // namespace novafeed
