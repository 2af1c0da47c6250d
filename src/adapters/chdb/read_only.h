// What the read-only user may run: decided on the engine's own parse of the statement (EXPLAIN AST), by lists of what
// is allowed. `readonly` alone does not hold: 1 still reads files with file(), 2 connects out with url(). Pure.
//
// Each line of the tree is judged by itself. A name that was made to look like more lines of a tree can only add lines,
// and so only more reasons to refuse.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/chdb/engine.h"

namespace novafeed {

// True for one statement that only reads, as the engine sees it.
bool IsOneRead(const StatementAnalysis& analysis);

struct DatabaseKind {
  std::string name;
  std::string engine;
};

// True for databases whose tables the read-only user may read: novafeed, and those that the owner has made of the kind
// that holds nothing but tables that were made in it (Atomic). Others make tables of files and of other machines.
bool IsOpenDatabase(std::string_view name, const std::vector<DatabaseKind>& databases);

// The reason to refuse, or nothing. `tree`: the lines of EXPLAIN AST of that statement alone, as TSVRaw; `databases`:
// all that the engine has. Names without a database are of the session's, which is an open one.
std::optional<ClickHouseError> CheckReadOnly(const StatementAnalysis& analysis, std::string_view tree,
                                             const std::vector<DatabaseKind>& databases);

// Upper bounds of what the read-only user may ask for; also what holds where nothing is asked for.
struct QueryLimits {
  std::int64_t max_execution_time = 60;  // seconds
  std::int64_t max_memory_usage = 0;     // bytes
  std::int64_t max_result_bytes = 0;
  std::int64_t max_threads = 2;
};

// The reason why the read-only user may not have one of these settings, or nothing.
std::optional<ClickHouseError> CheckReadOnlySettings(const NamedTexts& settings, const QueryLimits& limits);

}  // namespace novafeed
