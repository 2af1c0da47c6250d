// The instants that a caller may ask for.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace novafeed {

inline constexpr TimeMs kMaxAsOfAge = kMsPerHour;

// kInvalid "bad_<name>" where it lies further back than kMaxAsOfAge, or further ahead than clocks differ.
Status CheckAsOf(std::optional<TimeMs> as_of, TimeMs now, const std::string& name);

}  // namespace novafeed
