#include "check/schema_check.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "warehouse/sql.h"

namespace novafeed {
namespace {

constexpr std::string_view kDatabase = "novafeed";
constexpr std::string_view kBeside = "novafeed_check_schema";
constexpr std::string_view kView = "MaterializedView";

// What is told apart where two definitions differ, in this order; the whole text last, for what is none of these.
constexpr std::string_view kReadObjects = R"sql(
SELECT
    name,
    engine,
    create_table_query,
    ['engine', 'columns', 'partition key', 'sorting key', 'TTL', 'settings', 'query'],
    [
        extract(engine_full, '^\\w+(?:\\([^)]*\\))?'),
        columns.lines,
        partition_key,
        sorting_key,
        extract(engine_full, ' TTL (.*?)(?: SETTINGS|$)'),
        extract(engine_full, ' SETTINGS (.*)$'),
        as_select
    ]
FROM system.tables AS objects
LEFT JOIN
(
    SELECT table, arrayStringConcat(groupArray(line), ', ') AS lines
    FROM
    (
        SELECT table, trimRight(concat(name, ' ', type, ' ', default_kind, ' ', default_expression)) AS line
        FROM system.columns
        WHERE database = {database:String}
        ORDER BY table, position
    )
    GROUP BY table
) AS columns ON columns.table = objects.name
WHERE database = {database:String}
ORDER BY name
)sql";

const OlapCall kCall{std::chrono::seconds(60)};
const OlapCall kCopyCall{std::chrono::hours(6), {{"max_partitions_per_insert_block", "0"}, {"async_insert", "0"}}};

struct Object {
  std::string engine;
  std::string definition;  // with the names of kDatabase
  std::vector<std::pair<std::string, std::string>> parts;

  bool IsMaterializedView() const { return engine == kView; }
  bool IsView() const { return engine.ends_with("View"); }
};
using Objects = std::map<std::string, Object>;

void ReplaceAll(std::string* text, std::string_view from, std::string_view to) {
  for (std::size_t at = text->find(from); at != text->npos; at = text->find(from, at + to.size())) {
    text->replace(at, from.size(), to);
  }
}

std::string Named(std::string_view database, std::string_view object) {
  return std::string(database) + ".`" + std::string(object) + "`";
}

// A schema of our own beside, for as long as this lives.
class SchemaBeside {
 public:
  explicit SchemaBeside(Olap* olap) : olap_(olap) {}
  ~SchemaBeside() { static_cast<void>(Drop()); }
  SchemaBeside(const SchemaBeside&) = delete;
  SchemaBeside& operator=(const SchemaBeside&) = delete;

  Status Make() {
    if (Status dropped = Drop(); !dropped) return dropped;
    for (const SqlScript& script : WarehouseSchema()) {
      std::string text(script.text);
      ReplaceAll(&text, std::string(kDatabase) + ".", std::string(kBeside) + ".");
      ReplaceAll(&text, "EXISTS " + std::string(kDatabase) + " ", "EXISTS " + std::string(kBeside) + " ");
      if (Status made = olap_->Execute(text, {}, kCall); !made) return made;
    }
    return {};
  }

 private:
  Status Drop() { return olap_->Execute("DROP DATABASE IF EXISTS " + std::string(kBeside) + " SYNC", {}, kCall); }

  Olap* const olap_;
};

Result<Objects> ReadObjects(Olap* olap, std::string_view database) {
  Result<OlapRows> rows = olap->Query(kReadObjects, {{"database", std::string(database)}}, kCall);
  if (!rows) return tl::unexpected<Error>(std::move(rows.error()));
  const auto text = [&] {
    std::string value(rows->String());
    ReplaceAll(&value, std::string(kBeside) + ".", std::string(kDatabase) + ".");
    return value;
  };
  Objects objects;
  while (!rows->AtEnd()) {
    Object& object = objects[text()];
    object.engine = text();
    object.definition = text();
    for (std::size_t left = rows->ArraySize(); left > 0; --left) object.parts.emplace_back(text(), std::string());
    const std::size_t count = rows->ArraySize();
    for (std::size_t i = 0; i < count; ++i) object.parts.at(i).second = text();
  }
  return objects;
}

std::string DescribePart(const std::string& part) {
  return part.empty() ? "none" : part;
}

std::string DescribeChange(const Object& expected, const Object& found) {
  for (std::size_t i = 0; i < expected.parts.size(); ++i) {
    const auto& [name, wanted] = expected.parts[i];
    const std::string& there = found.parts.at(i).second;
    if (wanted != there) return name + ": " + DescribePart(there) + " instead of " + DescribePart(wanted);
  }
  return "defined as " + found.definition + " instead of " + expected.definition;
}

std::vector<SchemaDifference> CompareObjects(const Objects& expected, const Objects& found) {
  std::vector<SchemaDifference> differences;
  std::set<std::string> names;
  for (const auto& [name, object] : expected) names.insert(name);
  for (const auto& [name, object] : found) names.insert(name);
  for (const std::string& name : names) {
    const auto wanted = expected.find(name);
    const auto there = found.find(name);
    if (there == found.end()) {
      differences.push_back({DifferenceKind::kMissing, name, wanted->second.engine});
    } else if (wanted == expected.end()) {
      differences.push_back({DifferenceKind::kExtra, name,
                             there->second.engine + ", which is not the warehouse's, so that no repair touches it: " +
                                 "drop it, or move it into a database of your own (docs/olap.md)"});
    } else if (wanted->second.definition != there->second.definition) {
      differences.push_back({DifferenceKind::kDifferent, name, DescribeChange(wanted->second, there->second)});
    }
  }
  return differences;
}

class SchemaMender {
 public:
  explicit SchemaMender(Olap* olap) : olap_(olap), beside_(olap) {}

  Status Mend(const std::vector<SchemaDifference>& differences) {
    if (Status made = beside_.Make(); !made) return made;
    if (Status read = Read(); !read) return read;
    // While views are missing, what lands is lost. Where this is cut off, the next start finds a schema that was never
    // applied, and makes what is missing.
    if (Status opened = Run("TRUNCATE TABLE IF EXISTS " + Named(kDatabase, "schema_migrations")); !opened)
      return opened;
    // Views of the schema beside would take in what is copied.
    if (Status dropped = DropViews(kBeside, expected_); !dropped) return dropped;
    for (const SchemaDifference& difference : differences) {
      const auto wanted = expected_.find(difference.object);
      if (wanted == expected_.end() || wanted->second.IsView()) continue;
      if (Status mended = MendTable(difference.object); !mended) return mended;
    }
    return RemakeViews();
  }

 private:
  Status Read() {
    Result<Objects> expected = ReadObjects(olap_, kBeside);
    if (!expected) return tl::unexpected<Error>(std::move(expected.error()));
    expected_ = *std::move(expected);
    Result<Objects> found = ReadObjects(olap_, kDatabase);
    if (!found) return tl::unexpected<Error>(std::move(found.error()));
    found_ = *std::move(found);
    return {};
  }

  Status Run(const std::string& sql, const OlapCall& call = kCall) { return olap_->Execute(sql, {}, call); }

  Status DropViews(std::string_view database, const Objects& objects) {
    for (const auto& [name, object] : objects) {
      if (!object.IsView() || !expected_.contains(name)) continue;
      if (Status done = Run("DROP VIEW IF EXISTS " + Named(database, name) + " SYNC"); !done) return done;
    }
    return {};
  }

  Status MendTable(const std::string& name) {
    const std::string fresh = Named(kBeside, name);
    const std::string place = Named(kDatabase, name);
    const auto there = found_.find(name);
    if (there == found_.end()) return Run("RENAME TABLE " + fresh + " TO " + place);
    if (there->second.IsView()) {
      if (Status dropped = Run("DROP VIEW " + place + " SYNC"); !dropped) return dropped;
      return Run("RENAME TABLE " + fresh + " TO " + place);
    }
    const Result<std::string> columns = SharedColumns(name);
    if (!columns) return tl::unexpected<Error>(columns.error());
    if (!columns->empty()) {
      const std::string copy = "INSERT INTO " + fresh + " (" + *columns + ") SELECT " + *columns + " FROM " + place;
      if (Status copied = Run(copy, kCopyCall); !copied) return copied;
    }
    return Run("EXCHANGE TABLES " + fresh + " AND " + place);
  }

  // The columns that are stored on both sides, with names quoted; none for tables that store nothing.
  Result<std::string> SharedColumns(const std::string& name) {
    if (expected_.at(name).engine == "Null" || found_.at(name).engine == "Null") return std::string();
    Result<OlapRows> rows = olap_->Query(
        "SELECT name FROM system.columns WHERE table = {table:String} AND database IN ('novafeed', "
        "'novafeed_check_schema') AND default_kind NOT IN ('ALIAS', 'MATERIALIZED') GROUP BY name HAVING count() = 2 "
        "ORDER BY name",
        {{"table", name}}, kCall);
    if (!rows) return tl::unexpected<Error>(std::move(rows.error()));
    std::string columns;
    while (!rows->AtEnd()) {
      if (!columns.empty()) columns += ", ";
      columns += "`" + std::string(rows->String()) + "`";
    }
    return columns;
  }

  // A view knows its tables by more than their names, so that none is left that knows one which is gone.
  Status RemakeViews() {
    if (Status dropped = DropViews(kDatabase, found_); !dropped) return dropped;
    for (const auto& [name, object] : expected_) {
      if (!object.IsView()) continue;
      if (Status made = Run(object.definition); !made) return made;
    }
    return {};
  }

  Olap* const olap_;
  SchemaBeside beside_;
  Objects expected_;
  Objects found_;
};

}  // namespace

Result<std::vector<SchemaDifference>> CompareSchema(Olap* olap) {
  SchemaBeside beside(olap);
  if (Status made = beside.Make(); !made) return tl::unexpected<Error>(made.error());
  const Result<Objects> expected = ReadObjects(olap, kBeside);
  if (!expected) return tl::unexpected<Error>(expected.error());
  const Result<Objects> found = ReadObjects(olap, kDatabase);
  if (!found) return tl::unexpected<Error>(found.error());
  return CompareObjects(*expected, *found);
}

Status MendSchema(Olap* olap, const std::vector<SchemaDifference>& differences) {
  return SchemaMender(olap).Mend(differences);
}

}  // namespace novafeed
