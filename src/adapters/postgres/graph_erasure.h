// What the purge asks of the graph: pseudonyms in the rows that stay.
#pragma once

#include <cstdint>
#include <span>

#include "adapters/postgres/connection_pool.h"
#include "graph/store.h"

namespace novafeed::postgres {

// Tables are walked through some ten thousand rows at a time, each in a transaction of its own, on a connection of the
// pool that is given. Blocking; may be repeated. Throws StoreError.

// GraphStore::HideInRows.
void HideInRows(ConnectionPool* connections, std::span<const Erasure> erased);
// GraphStore::CloseErasures.
void CloseErasures(ConnectionPool* connections, std::span<const Erasure> erased);
// GraphStore::Scrub: vacuums the tables, so that what was deleted and overwritten is given free.
void Vacuum(ConnectionPool* connections);

}  // namespace novafeed::postgres
