#include "adapters/sqlite/migrations.h"

#include <sqlite3.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "graph/retired.h"

namespace novafeed::sqlite {
namespace {

// retired_digest(kind, id).
void RetiredDigestOf(sqlite3_context* context, int, sqlite3_value** arguments) {
  const auto kind = static_cast<RetiredKind>(sqlite3_value_int(arguments[0]));
  Uuid id;
  if (sqlite3_value_bytes(arguments[1]) != static_cast<int>(id.bytes.size())) {
    sqlite3_result_error(context, "retired_digest takes the 16 bytes of an id", -1);
    return;
  }
  std::copy_n(static_cast<const std::uint8_t*>(sqlite3_value_blob(arguments[1])), id.bytes.size(), id.bytes.begin());
  const Uuid digest = RetiredDigest(kind, id);
  sqlite3_result_blob(context, digest.bytes.data(), static_cast<int>(digest.bytes.size()), SQLITE_TRANSIENT);
}

void RegisterFunctions(Database& database) {
  constexpr int kFlags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
  const int code = sqlite3_create_function_v2(database.handle(), "retired_digest", 2, kFlags, nullptr, &RetiredDigestOf,
                                              nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) {
    database.Throw(code, "preparing for schema changes");
  }
}

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
  RegisterFunctions(database);
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
