// The index as the warehouse holds it: its tables and counters, read in ranges and folded into an empty state.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "base/result.h"
#include "index/state.h"
#include "warehouse/olap.h"

namespace novafeed {

struct WarehouseImageOptions {
  std::size_t rows_at_once = 200'000;          // of a table, for each of its parts: what bounds the memory of a read
  std::chrono::milliseconds deadline{60'000};  // of each query
};

// Reads what an index of `state`'s anchor holds into `state`, which is empty; `took` is told, now and then, how many
// rows are in. The tables must not change meanwhile, and be exact: the caller holds the sink still
// (WarehouseSink::Pause). The position is the caller's to set. Blocking. Errors of the port; `state` is then to be
// thrown away.
Status ReadWarehouseImage(Olap* olap, const WarehouseImageOptions& options, IndexState* state,
                          const std::function<void(std::int64_t rows)>& took);

}  // namespace novafeed
