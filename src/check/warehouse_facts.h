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
  TimeMs days_from = 0;    // user_author_90d, or the rows that it is counted from
  HeldEvents events{};     // of the log
};

// As of `now`, in what the log says as well.
WarehouseWindows WindowsAt(TimeMs now, const HeldEvents& events);

// Whether the warehouse itself says what a relation should hold (else the truth does).
bool IsExpectedByWarehouse(Relation relation, const HeldEvents& events);
// Whether the warehouse says what is counted in a relation of the index: where the log does not know it any more. Of
// index.posts that is what is counted of events.
bool IsCountedByWarehouse(Relation relation, const HeldEvents& events);

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
  const WarehouseWindows& windows() const { return windows_; }

  Result<RelationSums> ReadSums(Relation relation, WarehouseSide side);
  // `whole`: with the counts of events that the log does not know.
  Result<RelationEntries> ReadEntries(Relation relation, WarehouseSide side, std::span<const std::uint16_t> buckets,
                                      bool whole = false);
  // What the warehouse counts of a relation of the index (IsCountedByWarehouse), in the index's own windows.
  Result<RelationSums> ReadIndexSums(Relation relation, const FactWindows& windows);
  Result<RelationEntries> ReadIndexEntries(Relation relation, const FactWindows& windows,
                                           std::span<const std::uint16_t> buckets);
  // The events of posts in the warehouse's rows, in the form of kIndexPosts.
  Result<RelationEntries> ReadEventsOfPosts(std::span<const std::uint16_t> buckets);
  // Rows of versioned tables whose version is above `end`: they hide whatever comes. Empty for other relations.
  Result<std::vector<Difference>> ReadAhead(Relation relation, std::int64_t end);

  // Makes these keys what kKeys names, in statements that follow.
  Status PutKeys(const std::vector<std::string>& keys);

 private:
  std::string FactsOf(Relation relation, WarehouseSide side) const;
  // Of facts, which are a statement of keys and values.
  Result<RelationSums> SumsOf(const std::string& facts, const std::string& multipliers,
                              const WarehouseWindows& windows);
  Result<RelationEntries> EntriesOf(const std::string& facts, std::span<const std::uint16_t> buckets,
                                    const WarehouseWindows& windows);
  // Gives each row of a statement to `take`, which reads it.
  Status Scan(const std::string& sql, const WarehouseWindows& windows, const std::function<void(OlapRows*)>& take);

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
