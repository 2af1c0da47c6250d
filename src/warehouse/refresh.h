// The integer tables that the feed's queries read, brought up to date with the sets of what was touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "warehouse/olap.h"

namespace novafeed {

// Refreshes post_counters, post_hour_counters and user_follows for what stands in touched_posts, touched_hours and
// touched_users; false where nothing does. What lands meanwhile may be refreshed or not. `version` above that of every
// earlier refresh. Errors of the port.
Result<bool> RefreshTouched(Olap* olap, std::uint64_t version);
// And empties those three tables, while nobody lands anything.
Status SettleTouched(Olap* olap, std::uint64_t version);

// First and last id, both included.
struct UuidRange {
  std::string first;
  std::string last;
};

// All ids in `slices` ranges (a power of two) of about as many random ids each, as ClickHouse orders them:
// by their second half, whose first two bits are the same in every UUID of RFC 9562. Pure.
std::vector<UuidRange> SliceUuids(std::size_t slices);

}  // namespace novafeed
