// Whether the warehouse's objects are those of the schema: engines, columns, keys, partitions, TTLs, views.
//
// The schema is made once more beside, in a database of its own, and both are compared as ClickHouse itself writes them
// down (system.tables): what a fresh warehouse would have is by definition what is expected.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "check/ledger.h"
#include "warehouse/olap.h"

namespace novafeed {

struct SchemaDifference {
  DifferenceKind kind = DifferenceKind::kMissing;  // kExtra: an object that the schema does not know
  std::string object;                              // "post_metrics_1h"
  std::string detail;                              // "TTL: metric_hour + toIntervalDay(7) instead of …"
};

// In the order of the objects' names. Errors of the port.
Result<std::vector<SchemaDifference>> CompareSchema(Olap* olap);

// Brings the objects of these differences back to the schema: a table is made anew, filled from the old one with the
// columns that both have, and takes its place; views are made anew. Nobody may write meanwhile. What the schema does
// not know stays: it is a person's. A column that was lost comes back empty; comparing the rows tells.
Status MendSchema(Olap* olap, const std::vector<SchemaDifference>& differences);

}  // namespace novafeed
