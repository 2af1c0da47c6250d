// What the purge asks of the graph: pseudonyms in the rows that stay. And the list of erased users.
#pragma once

#include <span>
#include <vector>

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
// GraphStore, for backups that were put back.
std::vector<Uuid> RetiredUsers(ConnectionPool* connections);
std::vector<UserId> FindUsers(ConnectionPool* connections, std::span<const Uuid> digests);
void RetireUsers(ConnectionPool* connections, std::span<const Uuid> digests);

}  // namespace novafeed::postgres
