// A sample of the index against SQL over the warehouse, before anybody is served from it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "index/feed_index.h"
#include "warehouse/olap.h"

namespace novafeed {

// The code of a difference.
inline constexpr char kBootMismatch[] = "index_boot_mismatch";

struct WarehouseSampleOptions {
  std::size_t users = 50;
  std::size_t posts = 50;
  std::uint64_t seed = 0;            // of who is drawn
  std::int64_t events_from_day = 0;  // the first UTC day since 1970 whose events the log still has, all of them
  std::chrono::milliseconds deadline{30'000};  // of each query
};

// Compares sizes, and for random users and posts everything that the index holds of them, with SQL that counts rows and
// sets: not the refreshed counters that the index may have been read from. Both stand at one position. Blocking. Errors
// of the port; kConflict kBootMismatch, whose detail names the first differences and the seed.
Status CompareWithWarehouse(const FeedIndex& index, Olap* olap, const WarehouseSampleOptions& options);

}  // namespace novafeed
