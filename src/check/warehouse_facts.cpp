#include "check/warehouse_facts.h"

#include <algorithm>
#include <chrono>

#include "warehouse/sql.h"

namespace novafeed {
namespace {

// The TTLs of schema/clickhouse. A row may go at any time once it is that old, and the comparison takes a while.
constexpr TimeMs kEventsTtl = 90 * kMsPerDay;
constexpr TimeMs kHoursTtl = 30 * kMsPerDay;
constexpr TimeMs kDaysTtl = 92 * kMsPerDay;
constexpr TimeMs kSlack = 2 * kMsPerHour;

constexpr std::string_view kOpen = R"sql(
DROP DATABASE IF EXISTS novafeed_check SYNC;
CREATE DATABASE novafeed_check ENGINE = Atomic;
CREATE TABLE novafeed_check.keys (key String) ENGINE = Memory;
CREATE TABLE novafeed_check.buckets (bucket UInt16) ENGINE = Memory;
)sql";
constexpr std::string_view kClose = "DROP DATABASE IF EXISTS novafeed_check SYNC";
constexpr std::string_view kKeysTable = "novafeed_check.keys";
constexpr std::string_view kBucketsTable = "novafeed_check.buckets";

const OlapCall kShortCall{std::chrono::seconds(30)};
// Whole tables, group by group as they are sorted: memory for one at a time, and for a block of each part. A row of
// sets takes kilobytes there.
const OlapCall kScanCall{std::chrono::seconds(1800),
                         {{"optimize_aggregation_in_order", "1"}, {"max_block_size", "1024"}}};
// An hour of the engine is at most that of 32 bits of seconds.
constexpr TimeMs kEndOfHours = kMsPerSecond << 32;

bool HasVersions(Relation relation) {
  return relation <= Relation::kFollows || relation == Relation::kFollowGraph;
}

TimeMs FirstWholeHour(TimeMs at) {
  return (HourOf(at) + 1) * kMsPerHour;
}
TimeMs FirstWholeDay(TimeMs at) {
  return (DayOf(at) + 1) * kMsPerDay;
}

std::string ColumnBytes(const KeyColumn& column) {
  const std::string name(column.name);
  switch (column.part) {
    case KeyPart::kId:
      return "UUIDToNum(" + name + ")";
    case KeyPart::kTime:
      return "reinterpretAsFixedString(toUnixTimestamp64Milli(" + name + "))";
    case KeyPart::kHour:
      return "reinterpretAsFixedString(toInt64(intDiv(toUnixTimestamp(" + name + "), 3600)))";
    case KeyPart::kDay:
      return "reinterpretAsFixedString(toInt64(toUInt16(" + name + ")))";
    case KeyPart::kText:
      break;
  }
  return "toString(" + name + ")";
}

// Multipliers of the columns that the relation has, as an array of SQL; 0 for those that are not compared.
std::string MultipliersOf(Relation relation, bool with_event_totals) {
  std::string array = "[";
  for (std::size_t i = 0; i < SpecOf(relation).values.size(); ++i) {
    if (i > 0) array += ", ";
    const bool is_compared = with_event_totals || !IsEventTotal(relation, i);
    array += "toUInt64(" + std::to_string(is_compared ? kMultipliers[i] : 0) + ")";
  }
  return array + "]";
}

// What has no values is a range that is longer than it should be: a bug of the statement.
Values ReadValues(OlapRows* rows) {
  Values values{};
  const std::size_t count = rows->ArraySize();
  for (std::size_t i = 0; i < count; ++i) values.at(i) = rows->UInt64();
  return values;
}

void AppendVarUInt(std::size_t number, std::string* out) {
  for (; number >= 0x80; number >>= 7) out->push_back(static_cast<char>(number | 0x80));
  out->push_back(static_cast<char>(number));
}

// The parameters of each of the calls that give all of the statement's rows. Sets by the hour are read a day at a time,
// as they are partitioned: so only that day's parts are open.
std::vector<OlapParams> CallsOf(std::string_view sql, const WarehouseWindows& windows) {
  const auto names = [&](std::string_view name) { return sql.find("{" + std::string(name) + ":") != sql.npos; };
  OlapParams params;
  if (names("events_from")) params.emplace_back("events_from", std::to_string(windows.events_from));
  if (names("days_from")) params.emplace_back("days_from", std::to_string(windows.days_from));
  if (!names("hours_to")) {
    if (names("hours_from")) params.emplace_back("hours_from", std::to_string(windows.hours_from));
    return {params};
  }
  std::vector<OlapParams> calls;
  for (TimeMs from = windows.hours_from; from < kEndOfHours;) {
    const TimeMs to = from < windows.hours_from + kHoursTtl ? FirstWholeDay(from) : kEndOfHours;
    calls.push_back(params);
    calls.back().emplace_back("hours_from", std::to_string(from));
    calls.back().emplace_back("hours_to", std::to_string(to));
    from = to;
  }
  return calls;
}

// What the warehouse counts of a relation of the index, as keys and values of it.
std::string IndexFactsOf(Relation relation) {
  std::string columns;
  std::string statement;
  switch (relation) {
    case Relation::kIndexPosts:
      columns = "concat(UUIDToNum(post_id), '') AS key, [0, 0, values[3], values[4], values[5], 0, 0, 0]";
      statement = "check_found_post_totals";
      break;
    case Relation::kIndexHours:
      columns = KeyExpression(relation) + " AS key, arraySlice(values, 1, 4)";
      statement = "check_found_post_metrics_1h";
      break;
    default:
      columns = KeyExpression(relation) + " AS key, values";
      statement = "check_found_user_author_90d";
  }
  return "SELECT " + columns + "::Array(UInt64) AS values FROM (" + std::string(WarehouseSql(statement)) + ")";
}

// No hour and no day is before 1970, from where a window that is open begins.
WarehouseWindows Within(WarehouseWindows windows, const FactWindows& index) {
  windows.hours_from = std::max<std::int64_t>(index.hour_from, 0) * kMsPerHour;
  windows.days_from = std::max<std::int64_t>(index.day_from, 0) * kMsPerDay;
  return windows;
}

}  // namespace

WarehouseWindows WindowsAt(TimeMs now, const HeldEvents& events) {
  WarehouseWindows windows;
  windows.events_from = std::max(now - kEventsTtl + kSlack, events.from);
  windows.hours_from = FirstWholeHour(now - kHoursTtl + kSlack);
  windows.days_from = FirstWholeDay(now - (events.totals ? kDaysTtl : kEventsTtl) + kSlack);
  windows.events = events;
  return windows;
}

bool IsExpectedByWarehouse(Relation relation, const HeldEvents& events) {
  switch (relation) {
    case Relation::kInteractions:
      return !events.totals;
    case Relation::kPostHours:
    case Relation::kPostCounters:
    case Relation::kHourCounters:
    case Relation::kFollowGraph:
    case Relation::kUserFollows:
      return true;
    default:
      return false;
  }
}

bool IsCountedByWarehouse(Relation relation, const HeldEvents& events) {
  const bool is_counted = relation == Relation::kIndexPosts || relation == Relation::kIndexHours ||
                          relation == Relation::kIndexInteractions;
  return is_counted && !events.totals;
}

std::string TableOf(Relation relation) {
  return "novafeed." + std::string(SpecOf(relation).name);
}

std::string KeyExpression(Relation relation) {
  std::string expression = "concat(";
  for (const KeyColumn& column : SpecOf(relation).key) expression += ColumnBytes(column) + ", ";
  return expression + "'')";
}

WarehouseFacts::~WarehouseFacts() {
  // What could not be dropped is dropped before the next one begins.
  if (open_) static_cast<void>(olap_->Execute(kClose, {}, kShortCall));
}

Status WarehouseFacts::Open(const WarehouseWindows& windows) {
  windows_ = windows;
  open_ = true;
  return olap_->Execute(kOpen, {}, kShortCall);
}

// Some statements read what another refreshes, so what the one says is what the other should.
std::string WarehouseFacts::FactsOf(Relation relation, WarehouseSide side) const {
  std::string name(SpecOf(relation).name);
  std::string statement = "check_found_" + name;
  if (side == WarehouseSide::kExpected) {
    switch (relation) {
      case Relation::kPostCounters:
        statement = "check_found_post_totals";
        break;
      case Relation::kHourCounters:
        statement = "check_found_post_metrics_1h";
        break;
      default:
        statement = "check_expected_" + name;
    }
  }
  return "SELECT " + KeyExpression(relation) + " AS key, values FROM (" + std::string(WarehouseSql(statement)) + ")";
}

Status WarehouseFacts::Scan(const std::string& sql, const WarehouseWindows& windows,
                            const std::function<void(OlapRows*)>& take) {
  for (const OlapParams& params : CallsOf(sql, windows)) {
    Result<OlapRows> rows = olap_->Query(sql, params, kScanCall);
    if (!rows) return tl::unexpected<Error>(std::move(rows.error()));
    while (!rows->AtEnd()) take(&*rows);
  }
  return {};
}

Result<RelationSums> WarehouseFacts::ReadSums(Relation relation, WarehouseSide side) {
  return SumsOf(FactsOf(relation, side), MultipliersOf(relation, windows_.events.totals), windows_);
}

Result<RelationSums> WarehouseFacts::ReadIndexSums(Relation relation, const FactWindows& windows) {
  return SumsOf(IndexFactsOf(relation), MultipliersOf(relation, true), Within(windows_, windows));
}

Result<RelationEntries> WarehouseFacts::ReadEntries(Relation relation, WarehouseSide side,
                                                    std::span<const std::uint16_t> buckets, bool whole) {
  Result<RelationEntries> read = EntriesOf(FactsOf(relation, side), buckets, windows_);
  if (!read || whole || windows_.events.totals) return read;
  RelationEntries entries;
  for (const auto& [key, values] : read->entries()) entries.Add(key, WithoutEventTotals(relation, values), 1);
  return entries;
}

Result<RelationEntries> WarehouseFacts::ReadIndexEntries(Relation relation, const FactWindows& windows,
                                                         std::span<const std::uint16_t> buckets) {
  return EntriesOf(IndexFactsOf(relation), buckets, Within(windows_, windows));
}

Result<RelationEntries> WarehouseFacts::ReadEventsOfPosts(std::span<const std::uint16_t> buckets) {
  const std::string rows(WarehouseSql("check_events_of_posts"));
  return EntriesOf("SELECT concat(UUIDToNum(post_id), '') AS key, values FROM (" + rows + ")", buckets, windows_);
}

Result<RelationSums> WarehouseFacts::SumsOf(const std::string& facts, const std::string& multipliers,
                                            const WarehouseWindows& windows) {
  const std::string sql =
      "SELECT toUInt16(bitShiftRight(hash, " + std::to_string(kBucketShift) +
      ")) AS bucket, sum(hash * mixed) AS checksum, toInt64(count()) AS facts FROM (SELECT sipHash64(key) AS hash, "
      "arraySum((value, multiplier) -> value * multiplier, values, " +
      multipliers + ") AS mixed FROM (" + facts + ")) GROUP BY bucket";
  RelationSums sums;
  const Status scanned = Scan(sql, windows, [&sums](OlapRows* rows) {
    const std::size_t bucket = rows->UInt16();
    const std::uint64_t checksum = rows->UInt64();
    sums.Add(bucket, {checksum, rows->Int64()});
  });
  if (!scanned) return tl::unexpected<Error>(scanned.error());
  return sums;
}

Result<RelationEntries> WarehouseFacts::EntriesOf(const std::string& facts, std::span<const std::uint16_t> buckets,
                                                  const WarehouseWindows& windows) {
  if (Status emptied = olap_->Execute("TRUNCATE TABLE " + std::string(kBucketsTable), {}, kShortCall); !emptied) {
    return tl::unexpected<Error>(std::move(emptied.error()));
  }
  const std::string_view bytes(reinterpret_cast<const char*>(buckets.data()), buckets.size_bytes());
  if (Status put = olap_->Insert(kBucketsTable, "RowBinary", bytes, kShortCall); !put) {
    return tl::unexpected<Error>(std::move(put.error()));
  }
  const std::string sql = "SELECT key, sumForEach(values) FROM (" + facts +
                          ") WHERE toUInt16(bitShiftRight(sipHash64(key), " + std::to_string(kBucketShift) +
                          ")) IN (SELECT bucket FROM " + std::string(kBucketsTable) + ") GROUP BY key";
  RelationEntries entries;
  const Status scanned = Scan(sql, windows, [&entries](OlapRows* rows) {
    const std::string key(rows->String());
    entries.Add(key, ReadValues(rows), 1);
  });
  if (!scanned) return tl::unexpected<Error>(scanned.error());
  return entries;
}

Result<std::vector<Difference>> WarehouseFacts::ReadAhead(Relation relation, std::int64_t end) {
  std::vector<Difference> ahead;
  if (!HasVersions(relation)) return ahead;
  const std::string sql = "SELECT " + KeyExpression(relation) + " AS key, max(_version) FROM " + TableOf(relation) +
                          " WHERE _version > {end:UInt64} GROUP BY key ORDER BY key";
  Result<OlapRows> rows = olap_->Query(sql, {{"end", std::to_string(end)}}, kScanCall);
  if (!rows) return tl::unexpected<Error>(std::move(rows.error()));
  while (!rows->AtEnd()) {
    Difference difference{DifferenceKind::kAhead, std::string(rows->String()), {}, {}};
    difference.expected[0] = static_cast<std::uint64_t>(end);
    difference.found[0] = rows->UInt64();
    ahead.push_back(std::move(difference));
  }
  return ahead;
}

Status WarehouseFacts::PutKeys(const std::vector<std::string>& keys) {
  if (Status emptied = olap_->Execute("TRUNCATE TABLE " + std::string(kKeysTable), {}, kShortCall); !emptied) {
    return emptied;
  }
  std::string rows;
  for (const std::string& key : keys) {
    AppendVarUInt(key.size(), &rows);
    rows += key;
  }
  return olap_->Insert(kKeysTable, "RowBinary", rows, kShortCall);
}

}  // namespace novafeed
