// How an index comes to life: from its snapshot file, or from the tables; then the rest of the log.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/time.h"
#include "capture/change.h"
#include "index/feed_index.h"
#include "stream/event_log.h"

namespace novafeed {

struct BootSources {
  ChangeFeed* changes = nullptr;
  EventLog* events = nullptr;
  std::string generation;  // of the graph
};

// Called now and then: the stage ("snapshot", "tables", "events", "log") and the entries taken in so far.
using BootProgress = std::function<void(std::string_view stage, std::int64_t entries)>;

struct BootedIndex {
  std::unique_ptr<FeedIndex> index;
  bool from_snapshot = false;
  std::string snapshot_reason;  // why no snapshot was used; empty where one was, or none was wanted
  std::string snapshot_code;    // the same for machines: a code of LoadSnapshot, or "snapshot_ahead"
};

// An index for as_of = `anchor`, brought up to the log's end. An empty `snapshot_path` builds it from the tables, which
// is right for any anchor. Blocking; throws StoreError.
BootedIndex BootIndex(const BootSources& sources, const std::string& snapshot_path, TimeMs anchor,
                      const BootProgress& progress);

// Brings an index that no applier follows the log with up to the log's end. Blocking; throws StoreError.
void CatchUp(const BootSources& sources, FeedIndex* index, const BootProgress& progress);

}  // namespace novafeed
