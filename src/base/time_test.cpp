#include "base/time.h"

#include <gtest/gtest.h>

#include <random>

#include "base/test_support.h"

namespace novafeed {
namespace {

TEST(HourAndDay, Floor) {
  static_assert(HourOf(0) == 0 && HourOf(kMsPerHour - 1) == 0 && HourOf(kMsPerHour) == 1);
  static_assert(DayOf(0) == 0 && DayOf(kMsPerDay - 1) == 0 && DayOf(kMsPerDay) == 1);
  static_assert(HourOf(-1) == -1 && HourOf(-kMsPerHour) == -1 && HourOf(-kMsPerHour - 1) == -2);
  static_assert(DayOf(-1) == -1 && DayOf(-kMsPerDay) == -1 && DayOf(-kMsPerDay - 1) == -2);
  EXPECT_EQ(DayOf(1'767'225'599'999) + 1, DayOf(1'767'225'600'000)) << "2026 begins";
}

TEST(ParseRfc3339, ReadsTheExamplesOfTheRfc) {
  EXPECT_EQ(ParseRfc3339("1985-04-12T23:20:50.52Z"), 482'196'050'520);
  EXPECT_EQ(ParseRfc3339("1996-12-19T16:39:57-08:00"), 851'042'397'000);
  EXPECT_EQ(ParseRfc3339("1990-12-31T23:59:60Z"), 662'688'000'000);
  EXPECT_EQ(ParseRfc3339("1970-01-01t00:00:00z"), 0);
}

TEST(ParseRfc3339, TruncatesAndNeverRounds) {
  EXPECT_EQ(ParseRfc3339("2026-11-22T12:00:00.1239999999+01:00"), ParseRfc3339("2026-11-22T11:00:00.123Z"));
  EXPECT_EQ(ParseRfc3339("2026-11-22T12:00:00.9999Z"), ParseRfc3339("2026-11-22T12:00:00.999Z"));
  EXPECT_EQ(ParseRfc3339("1970-01-01T00:00:00.5Z"), 500);
  EXPECT_EQ(ParseRfc3339("1970-01-01T00:00:00.05Z"), 50);
}

TEST(ParseRfc3339, RefusesWhatIsNoInstant) {
  for (const char* bad :
       {"", "2026-11-22", "2026-11-22T12:00:00", "2026-11-22T12:00Z", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z",
        "2026-11-31T00:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T12:60:00Z", "2026-11-22T12:00:61Z",
        "2026-11-22T12:00:00.Z", "2026-11-22T12:00:00+24:00", "2026-11-22T12:00:00+0100", "2026-11-22T12:00:00Zx",
        "2026-11-22T12:00:00 Z", "+026-11-22T12:00:00Z", "2026-00-10T12:00:00Z", "1700000000000"}) {
    EXPECT_EQ(ParseRfc3339(bad), std::nullopt) << bad;
  }
}

TEST(ParseRfc3339, HoldsTheRangeFrom1970To2100) {
  EXPECT_EQ(ParseRfc3339("2100-12-31T23:59:59.999Z"), kMaxTime - 1);
  EXPECT_EQ(ParseRfc3339("2101-01-01T00:00:00Z"), std::nullopt);
  EXPECT_EQ(ParseRfc3339("1969-12-31T23:59:59.999Z"), std::nullopt);
  EXPECT_EQ(ParseRfc3339("1970-01-01T00:00:00+00:01"), std::nullopt);
}

TEST(FormatRfc3339, WritesWhatParsesToTheSame) {
  EXPECT_EQ(FormatRfc3339(482'196'050'520), "1985-04-12T23:20:50.520Z");
  std::mt19937_64 random(TestSeed());
  for (int round = 0; round < 10'000; ++round) {
    const auto at = static_cast<TimeMs>(random() % kMaxTime);
    ASSERT_EQ(ParseRfc3339(FormatRfc3339(at)), at);
  }
}

TEST(ManualClock, StandsStillUntilItIsMoved) {
  ManualClock clock(100);
  EXPECT_EQ(clock.Now(), 100);
  clock.Advance(5);
  EXPECT_EQ(clock.Now(), 105);
  clock.Set(1);
  EXPECT_EQ(clock.Now(), 1);
}

TEST(SystemClock, KnowsThatItIsLaterThanThisTest) {
  EXPECT_GT(SystemClock().Now(), 1'760'000'000'000);
}

}  // namespace
}  // namespace novafeed
