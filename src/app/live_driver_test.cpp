#include "app/live_driver.h"

#include <gtest/gtest.h>

namespace novafeed {
namespace {

using std::chrono::milliseconds;

TEST(LiveBackoff, DoublesUpToABoundAndBeginsAnew) {
  LiveBackoff backoff;
  for (const int seconds : {1, 2, 4, 8, 16, 30, 30}) EXPECT_EQ(backoff.Next(""), milliseconds(seconds * 1000));
  backoff.Reset();
  EXPECT_EQ(backoff.Next(""), milliseconds(1000));
}

TEST(LiveBackoff, TakesAsLongAsTheServerSaysWithinReason) {
  LiveBackoff backoff;
  EXPECT_EQ(backoff.Next("7"), milliseconds(7000));
  EXPECT_EQ(backoff.Next("0"), milliseconds(1000));
  EXPECT_EQ(backoff.Next("100000"), milliseconds(30'000));
  backoff.Reset();
  EXPECT_EQ(backoff.Next("Wed, 21 Oct 2026 07:28:00 GMT"), milliseconds(1000));
}

TEST(LiveRate, IsToldForTheHour) {
  constexpr TimeMs kMidnight = 1'764'028'800'000;
  EXPECT_EQ(DescribeLiveRate(3, kMidnight + 3 * kMsPerHour),
            "Its people do about 101 things a minute at this hour (UTC), 304 in the busiest one.");
  EXPECT_EQ(DescribeLiveRate(3, kMidnight + 19 * kMsPerHour),
            "Its people do about 304 things a minute at this hour (UTC), 304 in the busiest one.");
}

TEST(LiveTally, NamesWhatWasDone) {
  LiveTally tally;
  tally.steps[static_cast<std::size_t>(LiveAct::kLike)] = 4;
  tally.steps[static_cast<std::size_t>(LiveAct::kSee)] = 2;
  tally.impressions = 12;
  tally.refused = 1;
  EXPECT_EQ(tally.Summary(),
            "0 feeds read, 12 impressions, 0 views, 0 shares, 4 likes, 0 comments, 0 posts written, 0 discoveries, "
            "0 follows, 0 unfollows, 1 refused, 0 waits");
}

}  // namespace
}  // namespace novafeed
