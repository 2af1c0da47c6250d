#include "app/warehouse_rows.h"

#include "warehouse/sql.h"

namespace novafeed {
namespace {

constexpr std::chrono::seconds kAskEvery{2};
constexpr std::chrono::seconds kDeadline{1};

}  // namespace

std::optional<WarehouseRows::Rows> WarehouseRows::Count() {
  const std::unique_lock asking(asking_, std::try_to_lock);
  const auto now = std::chrono::steady_clock::now();
  if (asking && (!asked_at_ || now - *asked_at_ >= kAskEvery)) {
    asked_at_ = now;
    std::optional<Rows> rows = Ask();
    const std::scoped_lock lock(mutex_);
    rows_ = std::move(rows);
  }
  const std::scoped_lock lock(mutex_);
  return rows_;
}

std::optional<WarehouseRows::Rows> WarehouseRows::Ask() const {
  OlapCall call;
  call.deadline = kDeadline;
  Result<OlapRows> answer = olap_->Query(WarehouseSql("table_rows"), {}, call);
  if (!answer) return std::nullopt;
  Rows rows;
  while (!answer->AtEnd()) {
    std::string table(answer->String());
    rows.emplace_back(std::move(table), answer->UInt64());
  }
  return rows;
}

}  // namespace novafeed
