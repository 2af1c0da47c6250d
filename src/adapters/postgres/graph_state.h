// The whole graph in one cut of the write-ahead log.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "adapters/postgres/connection_pool.h"
#include "capture/change.h"

namespace novafeed::postgres {

// As ChangeFeed::ReadState. Every transaction whose commit ended at or before the place that is returned is in what
// `take` is given, and none that ended behind it.
//
// A snapshot alone does not say where it lies in the log: a commit is written there before others see it, so some that
// stand before the log's end are not in it yet. Here all that write the captured tables are waited for, and others held
// off until snapshot and place are taken: some milliseconds, as long as the longest of them takes. Where that is more
// than 150 ms they are let go, and it is tried again; kUnavailable "write_conflict" in the end. (So it is while a table
// is vacuumed.)
//
// Over one connection, which is busy until `take` has had everything; until then the server keeps what the snapshot
// sees.
std::int64_t ReadGraphState(ConnectionPool* connections, const std::function<void(const std::vector<Change>&)>& take);

}  // namespace novafeed::postgres
