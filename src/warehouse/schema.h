// Brings the warehouse's schema up to date: schema/clickhouse/NNNN_*.sql, each whole, forward only.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "warehouse/olap.h"
#include "warehouse/sql.h"

namespace novafeed {

// How ClickHouse itself reads the log (the cluster profile).
struct KafkaLanding {
  std::string broker_list;  // "host:port,host:port"
  std::string group_name;   // each table's consumer group is this, a dash and its topic
};

// The script with each `ENGINE = Null /* topic */` as ENGINE = Kafka on that topic. Everything downstream of the
// landing tables is the same SQL. Pure.
std::string RenderKafkaLanding(std::string_view script, const KafkaLanding& landing);

// Applies what `olap` lacks of `scripts` (WarehouseSchema(), or a part of it), and records number, name and SHA-256 in
// novafeed.schema_migrations. What was interrupted is applied again: the scripts allow it. Errors of the port;
// kConflict "schema_newer" where the warehouse has one that is not among `scripts`, "schema_changed" where one was
// applied with another text.
Status ApplySchema(Olap* olap, std::span<const SqlScript> scripts, const std::optional<KafkaLanding>& landing = {});

}  // namespace novafeed
