#include "warehouse/schema.h"

#include <charconv>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <utility>

#include "base/crypto.h"
#include "base/log.h"

namespace novafeed {
namespace {

constexpr std::string_view kHasMigrations =
    "SELECT count() FROM system.tables WHERE database = 'novafeed' AND name = 'schema_migrations'";
constexpr std::string_view kReadMigrations = "SELECT version, name, checksum FROM novafeed.schema_migrations FINAL";
constexpr std::string_view kRecordMigration =
    "INSERT INTO novafeed.schema_migrations (version, name, checksum) "
    "SELECT {version:UInt32}, {name:String}, {checksum:String}";

const OlapCall kRead{std::chrono::seconds(10)};
const OlapCall kMigrate{std::chrono::seconds(60)};

struct Applied {
  std::string name;
  std::string checksum;
};

std::uint32_t VersionOf(const SqlScript& script) {
  std::uint32_t version = 0;
  std::from_chars(script.name.data(), script.name.data() + script.name.size(), version);
  if (version == 0) throw std::logic_error("A script of the schema has no number: " + std::string(script.name));
  return version;
}

std::string ChecksumOf(const SqlScript& script) {
  return ToHex(AsView(Sha256(script.text)));
}

Result<std::map<std::uint32_t, Applied>> ReadApplied(Olap* olap) {
  Result<OlapRows> count = olap->Query(kHasMigrations, {}, kRead);
  if (!count) return tl::unexpected<Error>(std::move(count.error()));
  std::map<std::uint32_t, Applied> applied;
  if (count->UInt64() == 0) return applied;
  Result<OlapRows> rows = olap->Query(kReadMigrations, {}, kRead);
  if (!rows) return tl::unexpected<Error>(std::move(rows.error()));
  while (!rows->AtEnd()) {
    Applied& row = applied[rows->UInt32()];
    row.name = rows->String();
    row.checksum = rows->String();
  }
  return applied;
}

Status CheckApplied(const std::map<std::uint32_t, Applied>& applied, std::span<const SqlScript> scripts) {
  std::map<std::uint32_t, const SqlScript*> known;
  for (const SqlScript& script : scripts) known[VersionOf(script)] = &script;
  for (const auto& [version, row] : applied) {
    const auto found = known.find(version);
    if (found == known.end()) {
      return Fail(Failure::kConflict, "schema_newer",
                  "The warehouse has the schema " + row.name +
                      ", which this program does not know: use the newer program, or stop, remove the folder olap of "
                      "the data directory, and start: the warehouse is made anew from the tables and the log.");
    }
    if (row.checksum != ChecksumOf(*found->second)) {
      return Fail(Failure::kConflict, "schema_changed",
                  "The warehouse was made with another text of " + row.name +
                      " than this program has: stop, remove the folder olap of the data directory, and start: the "
                      "warehouse is made anew from the tables and the log.");
    }
  }
  return {};
}

Status Apply(Olap* olap, const SqlScript& script) {
  if (Status done = olap->Execute(script.text, {}, kMigrate); !done) return done;
  const OlapParams row{{"version", std::to_string(VersionOf(script))},
                       {"name", std::string(script.name)},
                       {"checksum", ChecksumOf(script)}};
  if (Status recorded = olap->Execute(kRecordMigration, row, kMigrate); !recorded) return recorded;
  Log(LogLevel::kInfo, "warehouse_schema_applied", {{"script", std::string(script.name)}});
  return {};
}

}  // namespace

Status ApplySchema(Olap* olap, std::span<const SqlScript> scripts) {
  const Result<std::map<std::uint32_t, Applied>> applied = ReadApplied(olap);
  if (!applied) return tl::unexpected<Error>(applied.error());
  if (Status fits = CheckApplied(*applied, scripts); !fits) return fits;
  for (const SqlScript& script : scripts) {
    if (applied->contains(VersionOf(script))) continue;
    if (Status done = Apply(olap, script); !done) return done;
  }
  return {};
}

}  // namespace novafeed
