#include "warehouse/ingest_errors.h"

#include <chrono>
#include <utility>

#include "warehouse/sql.h"

namespace novafeed {
namespace {

const OlapCall kCall{std::chrono::seconds(10)};
constexpr TimeMs kKeptOnTopics = 7 * kMsPerDay;

// ClickHouse's text of a Map(String, UInt64).
std::string MapText(const std::map<std::string, std::int64_t>& map) {
  std::string text = "{";
  for (const auto& [key, value] : map) {
    text.append(text.size() > 1 ? ",'" : "'").append(key).append("':").append(std::to_string(value));
  }
  return text + "}";
}

}  // namespace

Result<std::vector<DeadLetter>> IngestErrors::ReadNew(std::size_t limit) {
  const OlapParams params{{"given", MapText(given_)},
                          {"since", std::to_string((clock_->Now() - kKeptOnTopics) / kMsPerSecond)},
                          {"most_bytes", std::to_string(kMostOfDeadLetter)},
                          {"limit", std::to_string(limit)}};
  Result<OlapRows> rows = olap_->Query(WarehouseSql("new_ingest_errors"), params, kCall);
  if (!rows) return tl::unexpected<Error>(std::move(rows.error()));
  std::vector<DeadLetter> letters;
  while (!rows->AtEnd()) {
    DeadLetter& letter = letters.emplace_back();
    letter.place.topic = rows->String();
    letter.place.partition = rows->UInt64();
    letter.place.offset = static_cast<std::int64_t>(rows->UInt64());
    letter.reason = rows->String();
    letter.message = rows->String();
    letter.bytes = rows->UInt64();
    letter.at = rows->Int64() * kMsPerSecond;
    given_[letter.place.topic + "/" + std::to_string(letter.place.partition)] = letter.place.offset + 1;
  }
  return letters;
}

}  // namespace novafeed
