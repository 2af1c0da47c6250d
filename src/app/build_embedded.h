// The embedded profile, made in order: SQLite stores, in-memory index, one process. The only place that names the
// stores' adapters.
#pragma once

#include <memory>
#include <string>

#include "adapters/sqlite/open.h"
#include "app/erased_list.h"
#include "app/shared_change_feed.h"
#include "base/metrics.h"
#include "base/settings.h"
#include "base/time.h"
#include "index/boot.h"
#include "stream/event_log.h"
#include "stream/outbox_relay.h"
#include "stream/position.h"

namespace novafeed {

// The stores of one data directory, and the relay between them, which runs as long as they are open.
struct EmbeddedStores {
  std::unique_ptr<SqliteGraph> graph;
  std::unique_ptr<EventLog> events;
  std::unique_ptr<OutboxRelay> relay;
  std::unique_ptr<SharedChangeFeed> changes;  // of the graph; also wakes the relay
  std::unique_ptr<ErasedList> erased;

  BootSources Sources() const { return {changes.get(), events.get(), graph->Generation()}; }
  // Of the log, as it is now.
  Position End() const { return {graph->Generation(), changes->End(), events->End()}; }
};

// Opens, or creates, the stores of a directory whose lock the caller holds; users of its list of erased ones are gone.
// `clock` and `metrics` outlive them. Throws std::runtime_error with a sentence, also where graph.db is missing and
// what was made from it is there: no empty one is put in its place.
EmbeddedStores OpenEmbeddedStores(const std::string& directory, const Settings& settings, const Clock* clock,
                                  Metrics* metrics);

}  // namespace novafeed
