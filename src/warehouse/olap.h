// The analytical database, as the warehouse speaks to it: ClickHouse's SQL in, typed rows out.
//
// Port. Implemented by adapters/clickhouse, over ClickHouse's HTTP interface: the embedded profile's `novafeed olap`
// and a ClickHouse server alike.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"

namespace novafeed {

// Values of {name:Type} places in a statement: name and text, as ClickHouse reads that type. Never part of the SQL.
using OlapParams = std::vector<std::pair<std::string, std::string>>;

// ClickHouse's text of an Array(UUID): the id of each item.
template <class Items, class IdOf>
std::string OlapIdArray(const Items& items, IdOf id_of) {
  std::string text = "[";
  for (const auto& item : items) {
    text += text.size() > 1 ? ",'" : "'";
    const Uuid id = id_of(item);
    id.AppendTo(&text);
    text += "'";
  }
  return text + "]";
}

struct OlapCall {
  std::chrono::milliseconds deadline{5000};                     // of the whole call; the engine is told it as well
  std::vector<std::pair<std::string, std::string>> settings{};  // of ClickHouse, for this call only
};

// Rows in RowBinary, read in the order of the statement's columns. A read of a type that is not the column's reads
// wrong bytes: statement and reader stand side by side in the code. Past the end: std::out_of_range.
class OlapRows {
 public:
  explicit OlapRows(std::string bytes) : bytes_(std::move(bytes)) {}

  bool AtEnd() const { return at_ == bytes_.size(); }
  std::uint8_t UInt8();
  std::uint16_t UInt16();
  std::uint32_t UInt32();
  std::uint64_t UInt64();
  std::int64_t Int64();
  double Float64();
  Uuid Id();                  // UUID
  std::string_view String();  // lives as long as these rows
  bool IsNull();              // Nullable(T): one byte before the value, which is absent where this is true
  std::size_t ArraySize();    // Array(T): then so many values

 private:
  const char* Take(std::size_t size);
  std::uint64_t VarUInt();

  std::string bytes_;
  std::size_t at_ = 0;
};

// Thread-safe; blocking, within the call's deadline.
//
// Errors: kUnavailable "olap_unavailable" (nobody answers; try again later), "olap_timeout" (the deadline passed);
// kInternal "olap_error" with ClickHouse's own text and number otherwise.
class Olap {
 public:
  virtual ~Olap() = default;

  // One SELECT, without a FORMAT clause.
  virtual Result<OlapRows> Query(std::string_view sql, const OlapParams& params, const OlapCall& call) = 0;

  // One or more statements without an answer, in order; those before one that fails are kept.
  virtual Status Execute(std::string_view sql, const OlapParams& params, const OlapCall& call) = 0;

  // Rows for one table (with its database), in an input format of ClickHouse's ("LineAsString", "RowBinary",
  // "JSONEachRow"). When it returns, they are in the table and in all that its materialized views feed. After an error
  // some of them may be: insert them again.
  virtual Status Insert(std::string_view table, std::string_view format, std::string_view rows,
                        const OlapCall& call) = 0;
};

}  // namespace novafeed
