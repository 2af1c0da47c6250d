#include "app/warehouse_erasure.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <future>
#include <thread>
#include <utility>
#include <vector>

#include "capture/purged_names.h"
#include "warehouse/sql.h"

namespace novafeed {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using SteadyClock = std::chrono::steady_clock;

constexpr std::int64_t kReachWithinMs = 20'000;
constexpr milliseconds kPauseWithin{20'000};
constexpr std::size_t kHiddenAtOnce = 500;  // users; each column is looked up among them
constexpr seconds kFilesGoneWithin{20};     // a reader may still hold a file
constexpr milliseconds kLookAtFilesEvery{100};

const OlapCall kShortCall{seconds(10)};
const OlapCall kFindCall{seconds(600)};
// Each statement reads a table and rewrites the parts that name somebody; the next one begins when that is done.
const OlapCall kHideCall{seconds(1800),
                         {{"mutations_sync", "2"}, {"max_partitions_per_insert_block", "0"}, {"async_insert", "0"}}};

tl::unexpected<Error> Behind() {
  return Fail(Failure::kUnavailable, "warehouse_behind",
              "The warehouse has not taken in what was to be purged: the purge is tried again.", 1000);
}

std::string RenderIds(std::span<const Erasure> erased, UserId Erasure::* id) {
  return OlapIdArray(erased, [id](const Erasure& erasure) { return (erasure.*id).value; });
}

Result<std::vector<std::string>> TablesWithOldParts(Olap* olap) {
  Result<OlapRows> rows = olap->Query(WarehouseSql("erase_list_old_parts"), {}, kShortCall);
  if (!rows) return tl::unexpected<Error>(std::move(rows.error()));
  std::vector<std::string> tables;
  while (!rows->AtEnd()) tables.emplace_back(rows->String());
  return tables;
}

}  // namespace

Status WarehouseErasure::Reach(const Position& end) {
  if (!Await(filler_, end, kReachWithinMs)) return Behind();
  return {};
}

Status WarehouseErasure::Hide(std::span<const Erasure> erased) {
  const Result<WarehousePause> pause = WarehousePause::Take(filler_, kPauseWithin);
  if (!pause) return tl::unexpected<Error>(pause.error());
  while (!erased.empty()) {
    const std::span<const Erasure> some = erased.first(std::min(erased.size(), kHiddenAtOnce));
    require_upkeep_();
    if (Status held = pause->StillHeld(); !held) return held;
    if (Status hidden = HideSome(some); !hidden) return hidden;
    erased = erased.subspan(some.size());
  }
  if (Status cleared = ClearFiles(); !cleared) return cleared;
  return pause->StillHeld();
}

Status WarehouseErasure::HidePurged(std::span<const PurgedUser> purged) {
  const std::string digests = OlapIdArray(purged, [](const PurgedUser& user) { return user.digest; });
  Result<OlapRows> rows = olap_->Query(WarehouseSql("erase_find_purged"), {{"digests", digests}}, kFindCall);
  if (!rows) return tl::unexpected<Error>(std::move(rows.error()));
  std::vector<UserId> named;
  while (!rows->AtEnd()) named.push_back(UserId{rows->Id()});
  if (named.empty()) return {};
  return Hide(PurgedNames(purged).Among(named));
}

Status WarehouseErasure::HideSome(std::span<const Erasure> erased) {
  const OlapParams names{{"users", RenderIds(erased, &Erasure::user)},
                         {"pseudonyms", RenderIds(erased, &Erasure::pseudonym)}};
  if (Status begun = olap_->Execute(WarehouseSql("erase_begin"), names, kShortCall); !begun) return begun;
  const Status hidden = olap_->Execute(WarehouseSql("erase_hide"), {}, kHideCall);
  require_upkeep_();  // the table may name another's users by now
  // Also after a failure: what of a mutation still runs then finds nobody, and ends.
  const Status ended = olap_->Execute(WarehouseSql("erase_end"), {}, kShortCall);
  return hidden ? ended : hidden;
}

// A part that was rewritten lies on the disk until nobody reads it any more and the engine looks for such parts.
Status WarehouseErasure::ClearFiles() {
  const SteadyClock::time_point give_up = SteadyClock::now() + kFilesGoneWithin;
  while (true) {
    const Result<std::vector<std::string>> tables = TablesWithOldParts(olap_);
    if (!tables) return tl::unexpected<Error>(tables.error());
    if (tables->empty()) return {};
    if (SteadyClock::now() >= give_up) {
      return Fail(Failure::kUnavailable, "warehouse_busy",
                  "The warehouse still holds old files of " + tables->front() + ": the purge is tried again.", 1000);
    }
    for (const std::string& table : *tables) {
      const Status dropped = olap_->Execute(WarehouseSql("erase_drop_old_parts"), {{"table", table}}, kShortCall);
      if (!dropped) return dropped;
    }
    std::this_thread::sleep_for(kLookAtFilesEvery);
  }
}

Status IdleWarehouseErasure::Reach(const Position& /*end*/) {
  if (!std::filesystem::exists(directory_)) return {};
  return Fail(Failure::kUnavailable, "warehouse_off",
              "The warehouse is off, and its files in " + directory_ +
                  " may name erased users: turn it on (warehouse.engine), or remove the folder.");
}

Status IdleWarehouseErasure::Hide(std::span<const Erasure> /*erased*/) {
  return Reach({});
}

}  // namespace novafeed
