#include "index/boot.h"

#include <utility>

#include "base/log.h"
#include "graph/store.h"
#include "index/snapshot.h"

namespace novafeed {
namespace {

constexpr std::size_t kBatch = 4096;

// The graph's rows and the totals that the event log has forgotten; what follows them is in the log.
std::unique_ptr<FeedIndex> BuildFromTables(const BootSources& sources, TimeMs anchor, const BootProgress& progress) {
  auto index = std::make_unique<FeedIndex>(sources.generation, anchor);
  std::int64_t taken = 0;
  Position position;
  position.generation = sources.generation;
  position.changes = sources.changes->ReadState([&](const std::vector<Change>& rows) {
    index->ApplyState(rows);
    progress("tables", taken += static_cast<std::int64_t>(rows.size()));
  });
  const auto take = [&](const auto& forgotten) {
    index->ApplyForgotten(forgotten);
    progress("events", taken += static_cast<std::int64_t>(forgotten.size()));
  };
  position.events = sources.events->ReadForgotten(take, take);
  index->SetPosition(position);
  return index;
}

// A snapshot may be ahead of logs that were restored without it.
bool IsAhead(const FeedIndex& index, const BootSources& sources) {
  const Position position = index.position();
  return position.changes > sources.changes->End() || position.events > sources.events->End();
}

BootedIndex BootOnce(const BootSources& sources, const std::string& snapshot_path, TimeMs anchor,
                     const BootProgress& progress) {
  BootedIndex booted;
  if (!snapshot_path.empty()) {
    progress("snapshot", 0);
    Result<std::unique_ptr<FeedIndex>> loaded = LoadSnapshot(snapshot_path, sources.generation, anchor);
    if (!loaded) {
      booted.snapshot_reason = loaded.error().detail;
      booted.snapshot_code = loaded.error().code;
    } else if (IsAhead(**loaded, sources)) {
      booted.snapshot_reason = "The index snapshot " + snapshot_path + " is ahead of the log: the data was restored.";
      booted.snapshot_code = "snapshot_ahead";
    } else {
      booted.index = std::move(*loaded);
      booted.from_snapshot = true;
    }
  }
  if (!booted.index) booted.index = BuildFromTables(sources, anchor, progress);
  CatchUp(sources, booted.index.get(), progress);
  booted.index->AdvanceTo(anchor);
  return booted;
}

}  // namespace

void CatchUp(const BootSources& sources, FeedIndex* index, const BootProgress& progress) {
  std::int64_t taken = 0;
  while (true) {
    const Position position = index->position();
    const std::vector<Change> changes = sources.changes->Read(position.changes, kBatch);
    index->ApplyChanges(changes);
    const std::vector<LoggedEvent> events = sources.events->Read(position.events, kBatch);
    index->ApplyEvents(events);
    if (changes.empty() && events.empty()) return;
    progress("log", taken += static_cast<std::int64_t>(changes.size() + events.size()));
  }
}

BootedIndex BootIndex(const BootSources& sources, const std::string& snapshot_path, TimeMs anchor,
                      const BootProgress& progress) {
  constexpr int kTries = 3;
  for (int tried = 1;; ++tried) {
    try {
      return BootOnce(sources, tried == 1 ? snapshot_path : std::string(), anchor, progress);
    } catch (const StoreError& error) {
      // The log forgot what was just about to be read: its totals hold it now, so begin again, from the tables.
      if (tried == kTries || error.error().code != "log_forgotten") throw;
      Log(LogLevel::kWarn, "index_boot_again", {{"reason", error.error().detail}});
    }
  }
}

}  // namespace novafeed
