// How an index comes to life: from its snapshot file, from the warehouse, or from the tables; then the rest of the log.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "capture/change.h"
#include "index/feed_index.h"
#include "index/warehouse_image.h"
#include "index/warehouse_sample.h"
#include "stream/event_log.h"
#include "stream/position.h"
#include "warehouse/filler.h"
#include "warehouse/olap.h"

namespace novafeed {

// The warehouse at rest: its tables and counters hold exactly the log up to `position`, as long as `hold` lives.
// Where it could not be held there, `still_held` gives an error.
struct WarehouseCut {
  Position position;
  std::shared_ptr<void> hold;
  std::function<Status()> still_held = [] { return Status(); };
};

// A cut that holds `filler`, which outlives it, still. As WarehouseFiller::Pause.
Result<WarehouseCut> CutAtRest(WarehouseFiller* filler, std::chrono::milliseconds timeout);

// What a boot needs of the warehouse.
struct BootWarehouse {
  Olap* olap = nullptr;  // none: the index does not boot from a warehouse
  // Brings it to rest, within a time of the wiring's choice. An error says why it cannot be booted from.
  std::function<Result<WarehouseCut>()> cut;
  WarehouseImageOptions image;
  WarehouseSampleOptions sample;
};

struct BootSources {
  ChangeFeed* changes = nullptr;
  EventLog* events = nullptr;
  std::string generation;  // of the graph
  BootWarehouse warehouse{};
  // A snapshot with more entries of the log behind it is only taken where the warehouse cannot be: reading so much
  // takes longer than reading the warehouse.
  std::int64_t long_log = 2'000'000;
  // By how much sequences rise from change to change, on average: those of some logs are places, not numbers.
  std::int64_t sequences_per_change = 1;
  // Waits a while before all sources are tried again, where none can be used now and one may come: the log holds no
  // state, or is away. What it throws ends the boot. Without it such a boot ends with the error.
  std::function<void()> wait = nullptr;
};

enum class BootSource { kSnapshot, kWarehouse, kTables };
std::string_view BootSourceName(BootSource source);  // "snapshot", ...

// A source that was looked at and not used.
struct PassedOver {
  BootSource source = BootSource::kTables;
  std::string code;    // for machines: of LoadSnapshot, of the port Olap, of the cut, "log_forgotten" (nothing joins it
                       // to the log any more), or
                       //   "snapshot_ahead", "warehouse_ahead"  of a log that was restored without it
                       //   "snapshot_old"                       far behind, and the warehouse was tried first
                       //   "warehouse_other_generation", "warehouse_empty"
                       //   kBootMismatch                        it differs from itself: `novafeed check` says where
                       //   kNoState, kNoTotals                  what the log does not hold of the tables
  std::string reason;  // a sentence
};

struct BootedIndex {
  std::unique_ptr<FeedIndex> index;
  BootSource source = BootSource::kTables;
  std::vector<PassedOver> passed_over;  // in the order in which they were looked at
};

// Called now and then: the stage ("snapshot", "warehouse", "sample", "tables", "events", "log") and the entries taken
// in so far; "nothing yet" and how often all sources were tried.
using BootProgress = std::function<void(std::string_view stage, std::int64_t entries)>;

// The code of an event log that does not know what it has forgotten.
inline constexpr char kNoTotals[] = "no_totals_in_log";

// An index for as_of = `anchor`, brought up to the log's end. Without a `snapshot_path` and a warehouse it is built
// from the tables, which is right for any anchor. What was read from the warehouse is compared with SQL by sample
// before it is used. Blocking; throws StoreError.
//
// Where the log holds no state (ChangeFeed::ReadState), an index comes from the snapshot or the warehouse only, and a
// node of a new cluster waits for its warehouse (BootSources::wait).
BootedIndex BootIndex(const BootSources& sources, const std::string& snapshot_path, TimeMs anchor,
                      const BootProgress& progress);

// Brings an index that no applier follows the log with up to the log's end. Blocking; throws StoreError.
void CatchUp(const BootSources& sources, FeedIndex* index, const BootProgress& progress);

}  // namespace novafeed
