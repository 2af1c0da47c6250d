// Days and nights: how much people do at an hour (UTC).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/time.h"

namespace novafeed {

// By clock hour, the busiest as 1: people sleep, and evenings are long.
inline constexpr std::array<double, 24> kActivityByHour{0.25, 0.12, 0.08, 0.05, 0.05, 0.10, 0.30, 0.55,
                                                        0.65, 0.60, 0.55, 0.60, 0.75, 0.65, 0.55, 0.55,
                                                        0.65, 0.80, 0.95, 1.00, 1.00, 0.90, 0.70, 0.45};

constexpr double ActivityAt(TimeMs at) {
  return kActivityByHour[static_cast<std::size_t>(HourOf(at) % 24)];
}

// A live network is watched at any hour, so its nights are no quieter than this part of its busiest hour.
inline constexpr double kQuietestLive = 1.0 / 3;

// How much the people of a live network do in the hour of `at`, who do `mean` as the mean of a day.
constexpr double LiveRateAt(double mean, TimeMs at) {
  double day = 0;
  for (const double activity : kActivityByHour) day += std::max(activity, kQuietestLive);
  return mean * std::max(ActivityAt(at), kQuietestLive) * static_cast<double>(kActivityByHour.size()) / day;
}

// The same of the busiest hour.
constexpr double BusiestLiveRate(double mean) {
  const auto busiest = std::ranges::max_element(kActivityByHour) - kActivityByHour.begin();
  return LiveRateAt(mean, static_cast<TimeMs>(busiest) * kMsPerHour);
}

}  // namespace novafeed
