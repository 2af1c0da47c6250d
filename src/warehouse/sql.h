// The warehouse's SQL, embedded at build: each statement is a file that can be read, and run by hand, on its own.
#pragma once

#include <span>
#include <string_view>

namespace novafeed {

struct SqlScript {
  std::string_view name;  // of its file
  std::string_view text;
};

// schema/clickhouse/NNNN_*.sql, by number: forward only.
std::span<const SqlScript> WarehouseSchema();

// src/warehouse/sql/*.sql, by name.
std::span<const SqlScript> WarehouseStatements();

// The statement of sql/<name>.sql. A name that is not there is a bug: std::logic_error.
std::string_view WarehouseSql(std::string_view name);

}  // namespace novafeed
