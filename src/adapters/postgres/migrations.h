// Numbered, forward-only schema changes, embedded at build from schema/postgres/.
#pragma once

#include <span>
#include <string_view>

#include "adapters/postgres/connection.h"

namespace novafeed::postgres {

struct Migration {
  std::string_view name;  // file name; its number is its place in the list, from 1
  std::string_view sql;   // may rely on the search path: our schema alone
};

std::span<const Migration> GraphMigrations();

// Makes the schema where it is not there, and applies what it lacks, each change in a transaction of its own. Several
// programs may do this at once: one does it, the others wait (as long as the connection's deadline is) and find it
// done. Throws StoreError, or std::runtime_error with a sentence where the schema is newer than this program, or the
// database does not keep text as UTF-8, or a migration fails (which has then changed nothing).
void Migrate(Connection* connection, std::span<const Migration> migrations);

}  // namespace novafeed::postgres
