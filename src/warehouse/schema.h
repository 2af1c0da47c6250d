// Brings the warehouse's schema up to date: schema/clickhouse/NNNN_*.sql, each whole, forward only.
#pragma once

#include <span>

#include "base/result.h"
#include "warehouse/olap.h"
#include "warehouse/sql.h"

namespace novafeed {

// Applies what `olap` lacks of `scripts` (WarehouseSchema(), or a part of it), and records number, name and SHA-256 in
// novafeed.schema_migrations. What was interrupted is applied again: the scripts allow it. Errors of the port;
// kConflict "schema_newer" where the warehouse has one that is not among `scripts`, "schema_changed" where one was
// applied with another text.
Status ApplySchema(Olap* olap, std::span<const SqlScript> scripts);

}  // namespace novafeed
