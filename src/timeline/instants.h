// The instants that a caller may ask for, and how old answers may be.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace novafeed {

inline constexpr TimeMs kMaxAsOfAge = kMsPerHour;
// No answer shows counters older than this without saying so (design, section 3).
inline constexpr TimeMs kStaleAfter = 5000;

// kInvalid "bad_<name>" where it lies further back than kMaxAsOfAge, or further ahead than clocks differ.
Status CheckAsOf(std::optional<TimeMs> as_of, TimeMs now, const std::string& name);

}  // namespace novafeed
