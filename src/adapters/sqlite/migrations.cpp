#include "adapters/sqlite/migrations.h"

#include <stdexcept>
#include <string>

namespace novafeed::sqlite {
namespace {

void RefuseForeignFile(Database& database, FileKind kind) {
  const std::int64_t found = database.QueryInt("reading the kind of file", "PRAGMA application_id");
  if (found == static_cast<std::int64_t>(kind)) {
    return;
  }
  const bool is_new = found == 0 && database.QueryInt("looking for tables", "SELECT count(*) FROM sqlite_schema") == 0;
  if (!is_new) {
    throw std::runtime_error(database.path() +
                             " is not a file that Novafeed made for this purpose: choose another data directory.");
  }
}

void Apply(Database& database, FileKind kind, const Migration& migration, std::size_t number) {
  std::string sql = "BEGIN IMMEDIATE;";
  sql += migration.sql;
  sql += "\n; PRAGMA application_id=" + std::to_string(static_cast<std::int32_t>(kind)) +
         "; PRAGMA user_version=" + std::to_string(number) + "; COMMIT;";
  try {
    database.Execute("changing the schema", sql);
  } catch (const StoreError& error) {
    if (database.InTransaction()) {
      database.Execute("taking back a schema change", "ROLLBACK");
    }
    throw std::runtime_error("Migration " + std::string(migration.name) +
                             " failed and was taken back: " + error.what());
  }
}

}  // namespace

void Migrate(Database& database, FileKind kind, std::span<const Migration> migrations) {
  RefuseForeignFile(database, kind);
  const auto version = static_cast<std::size_t>(database.QueryInt("reading the schema version", "PRAGMA user_version"));
  if (version > migrations.size()) {
    throw std::runtime_error(database.path() + " was written by a newer Novafeed (schema " + std::to_string(version) +
                             ", this program knows " + std::to_string(migrations.size()) +
                             "): start that version, or restore an older backup.");
  }
  for (std::size_t number = version + 1; number <= migrations.size(); ++number) {
    Apply(database, kind, migrations[number - 1], number);
  }
}

}  // namespace novafeed::sqlite
