// The state of the graph in the place of a stretch of the log that is lost: landed as it is now, and cleared of what
// went meanwhile, which nothing tells of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "base/result.h"
#include "base/time.h"
#include "capture/change.h"
#include "warehouse/landing.h"
#include "warehouse/olap.h"

namespace novafeed {

// Reads the state of the graph in one cut, and gives it to `send` as messages, in batches of up to so many rows and
// bytes; returns where the cut lies. Errors of `send`, which end it; throws StoreError.
Result<std::int64_t> SendState(ChangeFeed* graph, std::size_t rows, std::size_t bytes,
                               const std::function<Status(const LandingBatch&)>& send);

// After the state as of `cut` was landed, and every message of the log up to there that was not lost: takes out rows
// that are in no state any more, and what the sets count of lives of likes and comments that were lost with the log.
// Returns how many rows it took out. While nothing lands; again after an error. Errors of the port.
Result<std::uint64_t> SweepGhosts(Olap* olap, std::int64_t cut, TimeMs now);

}  // namespace novafeed
