// Numbered, forward-only schema changes, embedded at build from schema/sqlite/.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "adapters/sqlite/database.h"

namespace novafeed::sqlite {

struct Migration {
  std::string_view name;  // file name; its number is its place in the list, from 1
  std::string_view sql;
};

// What kind of file this is: PRAGMA application_id.
enum class FileKind : std::int32_t { kGraph = 0x4e764667, kEvents = 0x4e764665 };  // "NvFg", "NvFe"

std::span<const Migration> GraphMigrations();
std::span<const Migration> EventMigrations();

// Scripts may call retired_digest(kind, id): graph/retired.h.
//
// Applies what `database` lacks, each in a transaction of its own. Throws std::runtime_error with a sentence where the
// file is of another kind or newer than this program, or a migration fails (then the file is as it was before it).
void Migrate(Database& database, FileKind kind, std::span<const Migration> migrations);

// The writer's connection to a file that is up to date. Throws std::runtime_error where it cannot be opened or
// migrated.
class MigratedDatabase : public Database {
 public:
  MigratedDatabase(const std::string& path, FileKind kind, std::span<const Migration> migrations)
      : Database(path, Access::kWrite) {
    Migrate(*this, kind, migrations);
  }
};

}  // namespace novafeed::sqlite
