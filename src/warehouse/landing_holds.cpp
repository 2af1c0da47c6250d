#include "warehouse/landing_holds.h"

#include <chrono>
#include <string_view>
#include <utility>

#include "warehouse/sql.h"

namespace novafeed {
namespace {

// So that a hold is known to be lost while it still lasts.
const OlapCall kCall{LandingHolds::kLasts * 2 / 5};
constexpr std::string_view kClear = "TRUNCATE TABLE novafeed.landing_holds";

}  // namespace

Status LandingHolds::Note(const std::string& holder, const std::string& state, std::int64_t seconds) {
  const OlapParams params{{"holder", holder}, {"state", state}, {"seconds", std::to_string(seconds)}};
  return olap_->Execute(WarehouseSql("note_landing_hold"), params, kCall);
}

Status LandingHolds::Clear() {
  return olap_->Execute(kClear, {}, kCall);
}

Result<std::vector<LandingHold>> LandingHolds::List() {
  Result<OlapRows> rows = olap_->Query(WarehouseSql("list_landing_holds"), {}, kCall);
  if (!rows) return tl::unexpected<Error>(std::move(rows.error()));
  std::vector<LandingHold> holds;
  while (!rows->AtEnd()) {
    LandingHold& hold = holds.emplace_back();
    hold.holder = rows->String();
    hold.is_held = rows->UInt8() != 0;
  }
  return holds;
}

}  // namespace novafeed
