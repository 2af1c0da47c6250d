// The indexes of graph.db that lists are read by: they can be made again from the tables at any time.
#pragma once

#include "adapters/sqlite/database.h"

namespace novafeed::sqlite {

// Makes those that are missing (after a bulk load, or a crash in one: at every start).
void MakeListIndexes(Database& database);

// Drops them where the tables are still small, so that a bulk load does not write pages of each of them at random;
// lists are right without them, and slow. Keeps them where making them again would cost more than it saves.
void DropListIndexesForBulk(Database& database);

}  // namespace novafeed::sqlite
