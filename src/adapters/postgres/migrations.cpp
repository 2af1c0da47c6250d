#include "adapters/postgres/migrations.h"

#include <stdexcept>
#include <string>

#include "graph/store.h"

namespace novafeed::postgres {
namespace {

// Held by the session, so that it also covers what lies between the transactions; gone with the connection.
constexpr Statement kLock = {"waiting for others who change the schema", "SELECT pg_advisory_lock(1316373857, 0)"};
constexpr Statement kUnlock = {"letting others change the schema", "SELECT pg_advisory_unlock(1316373857, 0)"};
constexpr Statement kEncoding = {"reading the encoding", "SELECT current_setting('server_encoding')"};
constexpr Statement kHasSchema = {"looking for the schema", "SELECT to_regnamespace('novafeed') IS NOT NULL"};
constexpr Statement kHasTable = {"looking for the schema's version",
                                 "SELECT to_regclass('novafeed.schema_migrations') IS NOT NULL"};
constexpr Statement kVersion = {"reading the schema's version",
                                "SELECT coalesce(max(number), 0) FROM schema_migrations"};

constexpr char kMakeTable[] =
    "CREATE TABLE novafeed.schema_migrations ("
    "number bigint PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())";

bool IsSo(Connection* connection, const Statement& statement) {
  Rows rows = connection->Execute(statement);
  rows.Next();
  return rows.Bool(0);
}

void RequireUtf8(Connection* connection) {
  Rows rows = connection->Execute(kEncoding);
  rows.Next();
  if (rows.Text(0) == "UTF8") return;
  throw std::runtime_error("The database keeps text as " + rows.Text(0) +
                           ": make one for Novafeed with ENCODING 'UTF8'.");
}

std::size_t VersionOf(Connection* connection) {
  // A role that may not make schemas can use one that was made for it.
  if (!IsSo(connection, kHasSchema)) connection->Script("making the schema", "CREATE SCHEMA novafeed");
  if (!IsSo(connection, kHasTable)) connection->Script("making the table of migrations", kMakeTable);
  Rows version = connection->Execute(kVersion);
  version.Next();
  return static_cast<std::size_t>(version.Int(0));
}

// File names have no quotes in them; they are part of the program.
void Apply(Connection* connection, const Migration& migration, std::size_t number) {
  const std::string name(migration.name);
  std::string sql = "BEGIN;\n";
  sql += migration.sql;
  sql += "\n; INSERT INTO schema_migrations (number, name) VALUES (" + std::to_string(number) + ", '" + name +
         "'); COMMIT";
  try {
    connection->Script("changing the schema", sql);
  } catch (const StoreError& error) {
    throw std::runtime_error("Migration " + name + " failed and was taken back: " + error.what());
  }
}

}  // namespace

void Migrate(Connection* connection, std::span<const Migration> migrations) {
  RequireUtf8(connection);
  static_cast<void>(connection->Execute(kLock));
  const std::size_t version = VersionOf(connection);
  if (version > migrations.size()) {
    throw std::runtime_error("The database was written by a newer Novafeed (schema " + std::to_string(version) +
                             ", this program knows " + std::to_string(migrations.size()) +
                             "): start that version, or restore an older backup.");
  }
  for (std::size_t number = version + 1; number <= migrations.size(); ++number) {
    Apply(connection, migrations[number - 1], number);
  }
  static_cast<void>(connection->Execute(kUnlock));
}

}  // namespace novafeed::postgres
