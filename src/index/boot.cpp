#include "index/boot.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "graph/store.h"
#include "index/snapshot.h"

namespace novafeed {
namespace {

constexpr std::size_t kBatch = 4096;

using Built = Result<std::unique_ptr<FeedIndex>>;

// The graph's rows and what the event log keeps of events that it has forgotten; what follows them is in the log.
std::unique_ptr<FeedIndex> BuildFromTables(const BootSources& sources, TimeMs anchor, const BootProgress& progress) {
  auto index = std::make_unique<FeedIndex>(sources.generation, anchor);
  std::int64_t taken = 0;
  Position position;
  position.generation = sources.generation;
  const auto take = [&](const auto& forgotten) {
    index->ApplyForgotten(forgotten);
    progress("events", taken += static_cast<std::int64_t>(forgotten.size()));
  };
  position.events = sources.events->ReadForgotten(take, take);  // first: without it the rows are of no use
  position.changes = sources.changes->ReadState([&](const std::vector<Change>& rows) {
    index->ApplyState(rows);
    progress("tables", taken += static_cast<std::int64_t>(rows.size()));
  });
  index->SetPosition(position);
  return index;
}

// A snapshot or a warehouse may be ahead of logs that were restored without it.
bool IsAhead(const Position& position, const BootSources& sources) {
  return position.changes > sources.changes->End() || !Reached(position.events, sources.events->End());
}

std::int64_t EntriesBehind(const Position& position, const BootSources& sources) {
  const std::int64_t events = sources.events->End().Total() - position.events.Total();
  return (sources.changes->End() - position.changes) / sources.sequences_per_change + events;
}

// Whether the log lacks what a boot from the tables needs.
bool HoldsNoTables(const Error& error) {
  return error.code == kNoState || error.code == kNoTotals;
}

constexpr std::int64_t kSayWaitsEveryMs = 10'000;

// One boot, from the first source that gives an index.
class Boot {
 public:
  Boot(const BootSources& sources, const std::string& snapshot_path, TimeMs anchor, const BootProgress& progress)
      : sources_(sources), snapshot_path_(snapshot_path), anchor_(anchor), progress_(progress) {}

  BootedIndex Run() {
    for (std::int64_t tried = 1;; ++tried) {
      try {
        TryAll();
        return std::move(booted_);
      } catch (const StoreError& error) {
        if (!sources_.wait || !MayCome(error.error())) throw;
        if (waits_.Open()) Log(LogLevel::kWarn, "index_boot_waits", {{"reason", error.error().detail}});
      }
      progress_("nothing yet", tried);
      sources_.wait();
      booted_.passed_over.clear();
    }
  }

 private:
  // Whether what fails now may be there later: the log, or, where it holds no state, a warehouse.
  static bool MayCome(const Error& error) { return error.failure == Failure::kUnavailable || HoldsNoTables(error); }

  // The first source that gives an index; a StoreError where there is none.
  void TryAll() {
    if (TrySnapshot(SnapshotUse::kUnlessOld)) return;
    if (TryWarehouse()) return;
    const bool was_old =
        std::ranges::any_of(booted_.passed_over, [](const auto& p) { return p.code == "snapshot_old"; });
    if (was_old && TrySnapshot(SnapshotUse::kAnyway)) return;
    constexpr int kTries = 3;
    for (int tried = 1;; ++tried) {
      if (TryTables()) return;
      if (tried == kTries) throw StoreError(Error{Failure::kConflict, "log_forgotten", last_reason(), 0});
      Log(LogLevel::kWarn, "index_boot_again", {{"reason", last_reason()}});
    }
  }

  enum class SnapshotUse { kUnlessOld, kAnyway };

  bool TrySnapshot(SnapshotUse use) {
    return !snapshot_path_.empty() && Finish(BootSource::kSnapshot, BuildFromSnapshot(use));
  }
  bool TryWarehouse() {
    return sources_.warehouse.olap != nullptr && Finish(BootSource::kWarehouse, BuildFromWarehouse());
  }
  bool TryTables() {
    try {
      return Finish(BootSource::kTables, BuildFromTables(sources_, anchor_, progress_));
    } catch (const StoreError& error) {
      if (!HoldsNoTables(error.error())) throw;
      throw StoreError(Error{error.error().failure, error.error().code, WhyNothing(error.error()), 0});
    }
  }

  Built BuildFromSnapshot(SnapshotUse use) {
    progress_("snapshot", 0);
    Built loaded = LoadSnapshot(snapshot_path_, sources_.generation, anchor_);
    if (!loaded) return loaded;
    const Position position = (*loaded)->position();
    if (IsAhead(position, sources_)) {
      return Fail(Failure::kConflict, "snapshot_ahead",
                  "The index snapshot " + snapshot_path_ + " is ahead of the log: the data was restored.");
    }
    const std::int64_t behind = EntriesBehind(position, sources_);
    if (use == SnapshotUse::kUnlessOld && sources_.warehouse.olap != nullptr && behind > sources_.long_log) {
      return Fail(Failure::kConflict, "snapshot_old",
                  "The index snapshot " + snapshot_path_ + " is " + std::to_string(behind) +
                      " entries of the log behind: the warehouse is quicker.");
    }
    return loaded;
  }

  Built BuildFromWarehouse() {
    progress_("warehouse", 0);
    const BootWarehouse& warehouse = sources_.warehouse;
    const Result<WarehouseCut> cut = warehouse.cut();
    if (!cut) return tl::unexpected<Error>(cut.error());
    if (const Status usable = CheckUsable(cut->position); !usable) return tl::unexpected<Error>(usable.error());
    const EventLog::Forgotten forgotten = sources_.events->HowFarForgotten();
    auto index = std::make_unique<FeedIndex>(sources_.generation, anchor_);
    const auto took = [this](std::int64_t rows) { progress_("warehouse", rows); };
    const Status read = ReadWarehouseImage(warehouse.olap, warehouse.image, &index->StateForBoot(), took);
    if (!read) return tl::unexpected<Error>(read.error());
    index->SetPosition(cut->position);
    progress_("sample", 0);
    WarehouseSampleOptions sample = warehouse.sample;
    if (forgotten.through != EventPoints()) sample.events_from_day = DayOf(forgotten.latest) + 1;
    const Status same = CompareWithWarehouse(*index, warehouse.olap, sample);
    if (const Status held = cut->still_held(); !held) return tl::unexpected<Error>(held.error());
    if (!same) return tl::unexpected<Error>(same.error());
    return index;
  }

  Status CheckUsable(const Position& position) const {
    if (position.generation.empty()) {
      return Fail(Failure::kConflict, "warehouse_empty", "The warehouse is not filled yet.");
    }
    if (position.generation != sources_.generation) {
      return Fail(Failure::kConflict, "warehouse_other_generation", "The warehouse is of another data set.");
    }
    if (IsAhead(position, sources_)) {
      return Fail(Failure::kConflict, "warehouse_ahead", "The warehouse is ahead of the log: the data was restored.");
    }
    return {};
  }

  // Takes what was built where it can be brought to the log's end; otherwise says why the source is passed over.
  bool Finish(BootSource source, Built built) {
    if (built) {
      try {
        CatchUp(sources_, built->get(), progress_);
        (*built)->AdvanceTo(anchor_);
        booted_.index = std::move(*built);
        booted_.source = source;
        return true;
      } catch (const StoreError& error) {
        // The log forgot what comes next, in the case of the tables just now: what it keeps of that holds it.
        if (error.error().code != "log_forgotten") throw;
        built = tl::unexpected<Error>(error.error());
      }
    }
    booted_.passed_over.push_back({source, built.error().code, built.error().detail});
    return false;
  }

  // All that was looked at, in one text.
  std::string WhyNothing(const Error& tables) const {
    std::string why = "There is nothing yet that the index can boot from.";
    for (const PassedOver& passed : booted_.passed_over) {
      why += " The " + std::string(BootSourceName(passed.source)) + " (" + passed.code + "): " + passed.reason;
    }
    return why + " The tables (" + tables.code + "): " + tables.detail;
  }

  const std::string& last_reason() const { return booted_.passed_over.back().reason; }

  const BootSources& sources_;
  const std::string& snapshot_path_;
  const TimeMs anchor_;
  const BootProgress& progress_;
  BootedIndex booted_;
  LogGate waits_{kSayWaitsEveryMs};
};

}  // namespace

std::string_view BootSourceName(BootSource source) {
  switch (source) {
    case BootSource::kSnapshot:
      return "snapshot";
    case BootSource::kWarehouse:
      return "warehouse";
    case BootSource::kTables:
      return "tables";
  }
  return "unknown";
}

Result<WarehouseCut> CutAtRest(WarehouseFiller* filler, std::chrono::milliseconds timeout) {
  Result<WarehousePause> taken = WarehousePause::Take(filler, timeout);
  if (!taken) return tl::unexpected<Error>(std::move(taken.error()));
  const auto pause = std::make_shared<WarehousePause>(*std::move(taken));
  return WarehouseCut{pause->position(), pause, [pause] { return pause->StillHeld(); }};
}

void CatchUp(const BootSources& sources, FeedIndex* index, const BootProgress& progress) {
  std::int64_t taken = 0;
  while (true) {
    const Position position = index->position();
    const std::vector<Change> changes = sources.changes->Read(position.changes, kBatch);
    index->ApplyChanges(changes);
    const std::vector<LoggedEvent> events = sources.events->Read(position.events, kBatch);
    index->ApplyEvents(events);
    if (changes.empty() && events.empty()) {
      index->MoveOn(sources.changes->QuietThrough(position.changes), sources.events->QuietThrough(position.events));
      return;
    }
    progress("log", taken += static_cast<std::int64_t>(changes.size() + events.size()));
  }
}

BootedIndex BootIndex(const BootSources& sources, const std::string& snapshot_path, TimeMs anchor,
                      const BootProgress& progress) {
  return Boot(sources, snapshot_path, anchor, progress).Run();
}

}  // namespace novafeed
