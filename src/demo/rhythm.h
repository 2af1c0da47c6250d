// Days and nights: how much people do at an hour (UTC).
#pragma once

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

// The mean of a whole day.
constexpr double MeanActivity() {
  double sum = 0;
  for (const double activity : kActivityByHour) sum += activity;
  return sum / static_cast<double>(kActivityByHour.size());
}

}  // namespace novafeed
