#include "app/own_warehouse.h"

#include <string>
#include <utility>

#include "app/program_path.h"
#include "app/progress_line.h"
#include "stream/position.h"

namespace novafeed {
namespace {

constexpr std::int64_t kShowFillingEveryMs = 500;

using SteadyClock = std::chrono::steady_clock;

// For how long the engine has been away, or not well, and nothing has come of it.
class Standstill {
 public:
  std::chrono::nanoseconds Note(const SinkStatus& status) {
    const SteadyClock::time_point now = SteadyClock::now();
    const bool stands = status.phase == SinkPhase::kWaiting && status.applied == applied_;
    applied_ = status.applied;
    if (!stands) since_ = now;
    return now - since_;
  }

 private:
  Position applied_;
  SteadyClock::time_point since_ = SteadyClock::now();
};

// Whether there is anything to wait for.
Status GoesOn(const SinkStatus& status, const std::string& engine_failure) {
  if (status.phase == SinkPhase::kRefused) return Fail(Failure::kConflict, "warehouse_refused", status.reason);
  const bool never_spoke = status.applied.generation.empty();
  if (never_spoke && !engine_failure.empty()) {
    return Fail(Failure::kUnavailable, "no_olap", "The ClickHouse engine does not start: " + engine_failure);
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<WarehouseStack>> OpenOwnWarehouse(const Settings& settings, const Clock* clock,
                                                         bool clock_is_held, Stores* stores, Metrics* metrics) {
  std::unique_ptr<WarehouseStack> warehouse = WarehouseStack::Make(settings, clock, clock_is_held, stores, metrics);
  if (!warehouse) {
    return Fail(Failure::kConflict, "no_warehouse",
                "There is no warehouse here: its engine is off (warehouse.engine), or not installed at " +
                    FromProgramFolder(settings.String("olap.library")) + " (tools/libchdb/install.sh).");
  }
  warehouse->Start();
  return warehouse;
}

Status AwaitFilled(WarehouseStack* warehouse, const Stores& stores, std::chrono::milliseconds patience) {
  Standstill standstill;
  const Position end = stores.End();
  ProgressLine line;
  while (!Await(&warehouse->filler(), end, kShowFillingEveryMs)) {
    const SinkStatus status = warehouse->filler().status();
    if (Status goes_on = GoesOn(status, warehouse->EngineFailure()); !goes_on) return goes_on;
    if (standstill.Note(status) >= patience) {
      return Fail(
          Failure::kUnavailable, "no_olap",
          "The warehouse's engine (olap.url, where it is not this program's own) does not answer as it should: " +
              status.reason);
    }
    line.Show("filling the warehouse: " + std::to_string(status.entries_left) + " entries left " + status.reason);
  }
  return {};
}

}  // namespace novafeed
