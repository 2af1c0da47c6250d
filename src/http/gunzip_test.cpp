#include "http/gunzip.h"

#include <gtest/gtest.h>

#include <random>

#include "base/test_support.h"
#include "http/gzip.h"

namespace novafeed {
namespace {

TEST(Gunzip, GivesBackWhatWasPacked) {
  std::mt19937_64 random(TestSeed());
  for (int round = 0; round < 100; ++round) {
    std::string text(random() % 100'000, 'x');
    for (std::size_t i = 0; i < text.size(); i += 1 + random() % 50) text[i] = static_cast<char>(random());
    ASSERT_EQ(Gunzip(Gzip(text), 1'000'000).value(), text);
  }
}

TEST(Gunzip, HoldsItsLimitToTheByte) {
  const std::string packed = Gzip(std::string(50'000, 'x'));
  EXPECT_TRUE(Gunzip(packed, 50'000));
  const Result<std::string> refused = Gunzip(packed, 49'999);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().failure, Failure::kTooLarge);
  EXPECT_EQ(refused.error().code, "body_too_large");
  EXPECT_TRUE(Gunzip(Gzip(""), 0));
  EXPECT_FALSE(Gunzip(Gzip("x"), 0));
}

TEST(Gunzip, RefusesWhatIsNotOneWholeMember) {
  const std::string packed = Gzip("hello, hello, hello");
  std::string wrong_sum = packed;
  wrong_sum[wrong_sum.size() - 6] = static_cast<char>(wrong_sum[wrong_sum.size() - 6] + 1);
  for (const std::string& bad : {std::string(), std::string("hello"), packed.substr(0, packed.size() - 1), packed + "x",
                                 packed + packed, wrong_sum}) {
    const Result<std::string> refused = Gunzip(bad, 1000);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "bad_gzip");
  }
}

TEST(Gunzip, SurvivesDamage) {
  std::mt19937_64 random(TestSeed());
  const std::string packed = Gzip(std::string(3000, 'a') + std::string(3000, 'b'));
  for (int round = 0; round < 5000; ++round) {
    std::string damaged = packed;
    damaged[random() % damaged.size()] = static_cast<char>(random());
    const Result<std::string> unpacked = Gunzip(damaged, 10'000);
    if (unpacked) ASSERT_LE(unpacked->size(), 10'000u);
  }
}

}  // namespace
}  // namespace novafeed
