#include "adapters/chdb/read_only.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "adapters/chdb/allowed_functions.h"

namespace novafeed {
namespace {

constexpr std::string_view kOwnDatabase = "novafeed";
constexpr std::string_view kSystemDatabase = "system";
constexpr std::string_view kPlainEngine = "Atomic";

// The engine's own: whatever they are made of, they are not the owner's.
constexpr auto kReservedDatabases = std::to_array<std::string_view>({
    kSystemDatabase,
    "default",
    "information_schema",
    "INFORMATION_SCHEMA",
});

using Databases = std::vector<DatabaseKind>;

// Nodes that carry nothing that could reach out; those that name a function or a table are judged by it.
constexpr auto kPlainNodes = std::to_array<std::string_view>({
    "SelectWithUnionQuery",
    "SelectIntersectExceptQuery",
    "SelectQuery",
    "Subquery",
    "WithElement",
    "ExpressionList",
    "Literal",
    "Asterisk",
    "QualifiedAsterisk",
    "ColumnsRegexpMatcher",
    "ColumnsListMatcher",
    "QualifiedColumnsRegexpMatcher",
    "QualifiedColumnsListMatcher",
    "ColumnsTransformerList",
    "ColumnsExceptTransformer",
    "ColumnsReplaceTransformer",
    "ColumnsReplaceTransformer::Replacement",
    "TablesInSelectQuery",
    "TablesInSelectQueryElement",
    "TableExpression",
    "TableJoin",
    "ArrayJoin",
    "OrderByElement",
    "InterpolateElement",
    "WindowDefinition",
    "WindowListElement",
    "SampleRatio",
    "Explain",
    "DescribeQuery",
    "ShowTables",
});

constexpr auto kSystemTables = std::to_array<std::string_view>({
    "one",
    "numbers",
    "numbers_mt",
    "zeros",
    "tables",
    "columns",
    "databases",
    "parts",
    "parts_columns",
    "detached_parts",
    "functions",
    "table_functions",
    "formats",
    "data_type_families",
    "settings",
    "merge_tree_settings",
    "errors",
    "metrics",
    "events",
    "asynchronous_metrics",
    "merges",
    "mutations",
    "view_refreshes",
    "processes",
    "dictionaries",
    "kafka_consumers",
    "build_options",
    "time_zones",
    "keywords",
    "aggregate_function_combinators",
});

// Settings that change how an answer is written or how names are read, and nothing else.
constexpr auto kPlainSettings = std::to_array<std::string_view>({
    "date_time_output_format",
    "extremes",
    "final",
    "join_use_nulls",
    "limit",
    "max_result_rows",
    "max_rows_to_read",
    "offset",
    "optimize_move_to_prewhere_if_final",
    "output_format_json_named_tuples_as_objects",
    "output_format_json_quote_64bit_floats",
    "output_format_json_quote_64bit_integers",
    "output_format_json_quote_decimals",
    "output_format_json_quote_denormals",
    "output_format_tsv_crlf_end_of_line",
    "output_format_write_statistics",
    "session_timezone",
});

template <class List>
bool Contains(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

ClickHouseError Refuse(std::string_view what, std::string_view name, std::string_view hint = {}) {
  std::string sentence = "The read-only user may not use the " + std::string(what) + " " + std::string(name);
  if (!hint.empty()) sentence.append(": ").append(hint);
  return MakeClickHouseError(ClickHouseCode::kAccessDenied, sentence + ".");
}

bool IsPlainName(std::string_view name) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), is_plain);
}

// "db.table" -> its two parts; "table" has no first part.
std::pair<std::string_view, std::string_view> SplitName(std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot == name.npos) return {{}, name};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

bool IsAllowedTable(std::string_view database, std::string_view table, const Databases& databases) {
  if (database.empty() || IsOpenDatabase(database, databases)) return IsPlainName(table);
  return database == kSystemDatabase && Contains(kSystemTables, table);
}

// What a node is called, without "(alias …)" and "(children …)" behind it.
std::string_view NameOf(std::string_view rest) {
  for (const std::string_view tail : {" (alias ", " (children "}) {
    rest = rest.substr(0, std::min(rest.find(tail), rest.size()));
  }
  return rest;
}

std::optional<ClickHouseError> CheckFunction(std::string_view name, const Databases& databases) {
  const auto [database, view] = SplitName(name);
  if (IsOpenDatabase(database, databases) && IsPlainName(view)) return std::nullopt;  // a view with parameters
  if (IsAllowedFunction(name) || IsAllowedTableFunction(name)) return std::nullopt;
  return Refuse("function", name, "it is not on the list; a view with parameters is written novafeed.name(…)");
}

std::optional<ClickHouseError> CheckTable(std::string_view name, const Databases& databases) {
  const auto [database, table] = SplitName(name);
  if (!name.starts_with('.') && IsAllowedTable(database, table, databases)) return std::nullopt;
  return Refuse("table", name, "only those of novafeed and of databases of your own, and a few of system");
}

// A column, an alias, or, after IN, a table.
std::optional<ClickHouseError> CheckIdentifier(std::string_view name, const Databases& databases) {
  for (const auto& [database, engine] : databases) {
    if (IsOpenDatabase(database, databases) || !name.starts_with(database + ".")) continue;
    const std::string_view table = SplitName(name.substr(database.size() + 1)).first;
    const std::string_view whole = name.substr(database.size() + 1);
    if (!IsAllowedTable(database, table.empty() ? whole : table, databases)) return CheckTable(name, databases);
  }
  return std::nullopt;
}

// "ShowCreateTableQuery db table", "ExistsTableQuery  table".
std::optional<ClickHouseError> CheckDatabaseAndTable(std::string_view rest, const Databases& databases) {
  const std::size_t space = rest.find(' ');
  const std::string_view database = rest.substr(0, space);
  const std::string_view table = space == rest.npos ? std::string_view() : rest.substr(space + 1);
  if (IsAllowedTable(database, table, databases)) return std::nullopt;
  return Refuse("table", std::string(database) + "." + std::string(table));
}

std::optional<ClickHouseError> CheckLine(std::string_view line, const Databases& databases) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::size_t space = std::min(line.find(' '), line.size());
  const std::string_view node = line.substr(0, space);
  const std::string_view name = NameOf(line.substr(std::min(space + 1, line.size())));
  if (node == "Function") return CheckFunction(name, databases);
  if (node == "TableIdentifier") return CheckTable(name, databases);
  if (node == "Identifier") return CheckIdentifier(name, databases);
  if (node == "ShowCreateTableQuery" || node == "ExistsTableQuery") return CheckDatabaseAndTable(name, databases);
  if (node == "Set") {
    return MakeClickHouseError(ClickHouseCode::kReadonly,
                               "Cannot modify settings in a query of the read-only user: leave SETTINGS out, and give "
                               "what is allowed as a parameter of the request.");
  }
  if (Contains(kPlainNodes, node)) return std::nullopt;
  return Refuse("part of a query", node);
}

}  // namespace

bool IsOneRead(const StatementAnalysis& analysis) {
  return analysis.statements == 1 && analysis.kind == StatementClass::kReadOnly;
}

bool IsOpenDatabase(std::string_view name, const std::vector<DatabaseKind>& databases) {
  if (name == kOwnDatabase) return true;
  if (!IsPlainName(name) || Contains(kReservedDatabases, name)) return false;
  return std::any_of(databases.begin(), databases.end(), [name](const DatabaseKind& database) {
    return database.name == name && database.engine == kPlainEngine;
  });
}

std::optional<ClickHouseError> CheckReadOnly(const StatementAnalysis& analysis, std::string_view tree,
                                             const std::vector<DatabaseKind>& databases) {
  if (!IsOneRead(analysis)) {
    return MakeClickHouseError(ClickHouseCode::kReadonly,
                               "Cannot execute query in readonly mode: the read-only user runs one statement that only "
                               "reads.");
  }
  if (tree.empty()) return Refuse("statement", "that has no syntax tree");
  while (!tree.empty()) {
    const std::size_t end = std::min(tree.find('\n'), tree.size());
    if (auto refused = CheckLine(tree.substr(0, end), databases)) return refused;
    tree.remove_prefix(std::min(end + 1, tree.size()));
  }
  return std::nullopt;
}

std::optional<ClickHouseError> CheckReadOnlySettings(const NamedTexts& settings, const QueryLimits& limits) {
  const std::array<std::pair<std::string_view, std::int64_t>, 4> bounds{{
      {"max_execution_time", limits.max_execution_time},
      {"max_memory_usage", limits.max_memory_usage},
      {"max_result_bytes", limits.max_result_bytes},
      {"max_threads", limits.max_threads},
  }};
  for (const auto& [name, value] : settings) {
    if (Contains(kPlainSettings, name)) continue;
    const auto bound = std::find_if(bounds.begin(), bounds.end(), [wanted = std::string_view(name)](const auto& entry) {
      return entry.first == wanted;
    });
    if (bound == bounds.end()) {
      return MakeClickHouseError(ClickHouseCode::kReadonly,
                                 "Cannot modify '" + name + "' setting in readonly mode: the read-only user may not.");
    }
    std::int64_t asked = 0;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), asked);
    const bool is_number = read.ec == std::errc() && read.ptr == value.data() + value.size();
    if (!is_number || asked < 1 || asked > bound->second) {
      return MakeClickHouseError(
          ClickHouseCode::kSettingConstraint,
          "Setting " + name + " is from 1 to " + std::to_string(bound->second) + " for the read-only user.");
    }
  }
  return std::nullopt;
}

}  // namespace novafeed
