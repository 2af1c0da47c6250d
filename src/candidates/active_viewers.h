// Who is most active, and so will soon ask for a feed again: from the warehouse's events.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "social/ids.h"
#include "warehouse/olap.h"

namespace novafeed {

// The users with most events in the day before `as_of`, at most `limit`. Blocking, within the deadline.
// kUnavailable "warehouse_unavailable".
Result<std::vector<UserId>> FindActiveViewers(Olap* olap, TimeMs as_of, std::size_t limit,
                                              std::chrono::milliseconds deadline);

}  // namespace novafeed
