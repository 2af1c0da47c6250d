// For tests: an engine that keeps log positions and what was landed, and fails when told to. It knows the sink's
// statements by their text, and nothing of SQL.
#pragma once

#include <bit>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "warehouse/landing.h"
#include "warehouse/olap.h"
#include "warehouse/sql.h"

namespace novafeed::testing {

class FakeOlap final : public Olap {
 public:
  Result<OlapRows> Query(std::string_view sql, const OlapParams&, const OlapCall&) override {
    const std::scoped_lock lock(mutex_);
    if (auto failed = Failure("query")) return tl::unexpected<Error>(*failed);
    if (sql == WarehouseSql("read_log_positions")) return OlapRows(RenderPositions());
    if (sql == WarehouseSql("greatest_version")) return OlapRows(Number(version_));
    if (sql == WarehouseSql("count_touched")) return OlapRows(Number(touched_) + Number(touched_) + Number(touched_));
    return OlapRows(Number(0));  // of the schema: nothing is applied yet
  }

  Status Execute(std::string_view sql, const OlapParams& params, const OlapCall&) override {
    const std::scoped_lock lock(mutex_);
    if (auto failed = Failure("execute")) return tl::unexpected<Error>(*failed);
    if (sql == WarehouseSql("write_log_positions")) WritePositions(params);
    if (sql == WarehouseSql("refresh_post_counters")) ++refreshes_;
    if (sql == WarehouseSql("empty_touched")) touched_ = 0;
    if (sql == WarehouseSql("land_forgotten_totals")) totals_ += Param(params, "rows");
    return {};
  }

  Status Insert(std::string_view table, std::string_view, std::string_view rows, const OlapCall&) override {
    const std::scoped_lock lock(mutex_);
    if (auto failed = Failure("insert")) return tl::unexpected<Error>(*failed);
    while (!rows.empty()) {
      const std::size_t end = rows.find('\n');
      lines_[std::string(table.substr(0, table.find(' ')))].emplace_back(rows.substr(0, end));
      rows.remove_prefix(end + 1);
      ++touched_;
    }
    ++inserts_;
    return {};
  }

  // --- What the test sees, and what it wants. Thread-safe.

  // Asked before each call with "query", "execute" or "insert": an error fails it.
  void FailWhen(std::function<std::optional<Error>(std::string_view call)> fails) {
    const std::scoped_lock lock(mutex_);
    fails_ = std::move(fails);
  }
  void SetPosition(const std::string& stream, const std::string& generation, std::int64_t point,
                   std::size_t partition = 0) {
    const std::scoped_lock lock(mutex_);
    positions_[{stream, partition}] = {generation, point};
  }
  std::optional<std::int64_t> Point(const std::string& stream, std::size_t partition = 0) const {
    const std::scoped_lock lock(mutex_);
    const auto found = positions_.find({stream, partition});
    return found == positions_.end() ? std::nullopt : std::optional(found->second.second);
  }
  std::vector<std::string> Lines(const std::string& table) const {
    const std::scoped_lock lock(mutex_);
    const auto found = lines_.find(table);
    return found == lines_.end() ? std::vector<std::string>() : found->second;
  }
  std::size_t inserts() const {
    const std::scoped_lock lock(mutex_);
    return inserts_;
  }
  std::size_t refreshes() const {
    const std::scoped_lock lock(mutex_);
    return refreshes_;
  }
  std::string totals() const {
    const std::scoped_lock lock(mutex_);
    return totals_;
  }

 private:
  static std::string Number(std::uint64_t value) { return {reinterpret_cast<const char*>(&value), sizeof value}; }
  static std::string ShortNumber(std::uint16_t value) { return {reinterpret_cast<const char*>(&value), sizeof value}; }
  static std::string Text(const std::string& text) { return std::string(1, static_cast<char>(text.size())) + text; }
  static std::string Param(const OlapParams& params, std::string_view name) {
    for (const auto& [given, value] : params) {
      if (given == name) return value;
    }
    return {};
  }

  std::optional<Error> Failure(std::string_view call) const { return fails_ ? fails_(call) : std::nullopt; }

  std::string RenderPositions() const {
    std::string rows;
    for (const auto& [place, at] : positions_) {
      rows += Text(place.first) + ShortNumber(static_cast<std::uint16_t>(place.second));
      rows += Text(at.first) + Number(static_cast<std::uint64_t>(at.second));
    }
    return rows;
  }
  // [('stream',partition,point),…]
  void WritePositions(const OlapParams& params) {
    std::vector<std::string> items;
    std::string item;
    for (const char c : Param(params, "points")) {
      if (c == ',' || c == ']') {
        if (!item.empty()) items.push_back(std::exchange(item, {}));
      } else if (c != '[' && c != '\'' && c != '(' && c != ')') {
        item += c;
      }
    }
    for (std::size_t i = 0; i < items.size(); i += 3) {
      positions_[{items[i], std::stoul(items.at(i + 1))}] = {Param(params, "generation"), std::stoll(items.at(i + 2))};
    }
    version_ = std::stoull(Param(params, "version"));
  }

  mutable std::mutex mutex_;
  std::function<std::optional<Error>(std::string_view)> fails_;
  // Generation and point by stream and partition.
  std::map<std::pair<std::string, std::size_t>, std::pair<std::string, std::int64_t>> positions_;
  std::map<std::string, std::vector<std::string>> lines_;  // by table
  std::uint64_t version_ = 0;
  std::uint64_t touched_ = 0;
  std::size_t inserts_ = 0;
  std::size_t refreshes_ = 0;
  std::string totals_;
};

}  // namespace novafeed::testing
