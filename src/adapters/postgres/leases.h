// Leases as rows of a table (graph/leases.h).
#pragma once

#include <chrono>
#include <string_view>

#include "adapters/postgres/connection_pool.h"

namespace novafeed::postgres {

// Each is one statement on a connection of the pool that is given; blocking; throws StoreError.

// Leases::Take.
bool TakeLease(ConnectionPool* connections, std::string_view name, std::string_view holder,
               std::chrono::milliseconds ttl);
// Leases::GiveBack.
void GiveBackLease(ConnectionPool* connections, std::string_view name, std::string_view holder);

}  // namespace novafeed::postgres
