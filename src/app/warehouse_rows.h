// How many rows the warehouse holds, for whoever watches it.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "warehouse/olap.h"

namespace novafeed {

// Thread-safe. Asks the engine at most once in two seconds, whoever asks how often.
class WarehouseRows {
 public:
  using Rows = std::vector<std::pair<std::string, std::uint64_t>>;  // by table

  // `olap` outlives it.
  explicit WarehouseRows(Olap* olap) : olap_(olap) {}

  // Blocks for a second at most, one caller at a time; the others get what was answered last. Nothing where the engine
  // does not answer.
  std::optional<Rows> Count();

 private:
  std::optional<Rows> Ask() const;

  Olap* const olap_;
  std::mutex asking_;  // guards asked_at_; held during a question
  std::optional<std::chrono::steady_clock::time_point> asked_at_;
  std::mutex mutex_;  // guards rows_
  std::optional<Rows> rows_;
};

}  // namespace novafeed
