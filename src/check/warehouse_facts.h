// What the warehouse says in each of its relations: sql/check_found_*.sql, and for what the warehouse is held against
// itself sql/check_expected_*.sql.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "check/facts.h"
#include "check/ledger.h"
#include "check/relations.h"
#include "warehouse/olap.h"

namespace novafeed {

// From where on tables with a TTL are whole: what lies before may be there or not.
struct WarehouseWindows {
  TimeMs events_from = 0;  // events_raw
  TimeMs hours_from = 0;   // post_metrics_1h, post_hour_counters
  TimeMs days_from = 0;    // user_author_90d
  HeldEvents events{};     // of the log
};

// As of `now`, in what the log says as well.
WarehouseWindows WindowsAt(TimeMs now, const HeldEvents& events);

// Whether the warehouse itself says what a relation should hold (else the truth does).
bool IsExpectedByWarehouse(Relation relation);

enum class WarehouseSide : std::uint8_t { kFound, kExpected };

// For one thread, and one at a time for each warehouse: it works in a database of its own, novafeed_check, which it
// makes and drops. Errors of the port.
class WarehouseFacts {
 public:
  // `olap` outlives it.
  explicit WarehouseFacts(Olap* olap) : olap_(olap) {}
  ~WarehouseFacts();
  WarehouseFacts(const WarehouseFacts&) = delete;
  WarehouseFacts& operator=(const WarehouseFacts&) = delete;

  // Before anything else.
  Status Open(const WarehouseWindows& windows);

  Result<RelationSums> ReadSums(Relation relation, WarehouseSide side);
  Result<RelationEntries> ReadEntries(Relation relation, WarehouseSide side, std::span<const std::uint16_t> buckets);
  // Rows of versioned tables whose version is above `end`: they hide whatever comes. Empty for other relations.
  Result<std::vector<Difference>> ReadAhead(Relation relation, std::int64_t end);

  // Makes these keys what kKeys names, in statements that follow.
  Status PutKeys(const std::vector<std::string>& keys);

 private:
  std::string FactsOf(Relation relation, WarehouseSide side) const;
  std::vector<OlapParams> CallsOf(std::string_view sql) const;
  // Gives each row of a statement to `take`, which reads it.
  Status Scan(const std::string& sql, const std::function<void(OlapRows*)>& take);

  Olap* const olap_;
  WarehouseWindows windows_;
  bool open_ = false;
};

// The table (with its database) of a relation of the warehouse.
std::string TableOf(Relation relation);
// The SQL expression of a relation's key, of the columns of its table: the bytes of FactKey.
std::string KeyExpression(Relation relation);
// A subquery: the keys that were put.
inline constexpr std::string_view kKeys = "(SELECT key FROM novafeed_check.keys)";

}  // namespace novafeed
