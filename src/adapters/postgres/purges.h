// Purged users as rows of a table (graph/purges.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "adapters/postgres/connection_pool.h"
#include "base/time.h"
#include "graph/purges.h"

namespace novafeed::postgres {

// Each is one statement on a connection of the pool that is given; blocking; throws StoreError.

// Purges::NotePurged, at the time `now`.
void NotePurged(ConnectionPool* connections, std::span<const Erasure> erased, std::int64_t changes, TimeMs now);
// Purges::ReadPurged.
std::vector<PurgedUser> ReadPurged(ConnectionPool* connections, std::int64_t after);
// Purges::ForgetPurged.
std::int64_t ForgetPurged(ConnectionPool* connections, TimeMs before);

}  // namespace novafeed::postgres
