// What a node stands on: the graph, the log, and what moves between them; whichever engines these are.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "app/erased_list.h"
#include "app/leader.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/settings.h"
#include "base/time.h"
#include "capture/change.h"
#include "graph/leases.h"
#include "graph/purges.h"
#include "graph/store.h"
#include "index/boot.h"
#include "stream/dead_letter_box.h"
#include "stream/event_log.h"
#include "stream/event_topic.h"
#include "stream/outbox_relay.h"
#include "stream/position.h"
#include "warehouse/kafka_landing.h"
#include "warehouse/landing_topics.h"

namespace novafeed {

// Open, and the relay runs as long as they are.
struct Stores {
  // Where what reads the log puts what it cannot read; null where nobody else writes the log. Before those who read.
  std::unique_ptr<DeadLetterBox> dead_letters;
  std::unique_ptr<GraphStore> graph;
  ChangeLog* change_log = nullptr;  // the graph, where it records its changes itself; it forgets only when told to
  Leases* leases = nullptr;         // of the graph, where several processes share it
  Purges* purges = nullptr;         // of the graph, where several processes share it
  std::unique_ptr<Leader> leader;
  std::unique_ptr<EventLog> events;
  std::unique_ptr<OutboxRelay> relay;
  std::vector<std::unique_ptr<ChangeFeed>> logs;  // what the next two read from, where that is apart
  std::unique_ptr<ChangeFeed> changes;            // for the index, which alone is told of commits
  std::unique_ptr<ChangeFeed> side_changes;       // for all others, where a feed is for one reader; else null
  std::unique_ptr<LandingTopics> landing_topics;  // where ClickHouse reads the log by itself; else null
  KafkaLanding landing;                           // and how
  std::unique_ptr<ErasedList> erased;
  // Where `purges` is, the part of the events that is this process's own.
  std::function<void(std::span<const PurgedUser>)> hide_in_journal;
  std::int64_t sequences_per_change = 1;     // as of BootSources
  std::chrono::milliseconds keep_events{0};  // in the log that this process forgets from

  // For the index, and for whoever reads the log beside it.
  BootSources Sources() const { return SourcesOver(changes.get()); }
  ChangeFeed* SideChanges() const { return side_changes ? side_changes.get() : changes.get(); }
  BootSources SideSources() const { return SourcesOver(SideChanges()); }
  // Of the log, as it is now.
  Position End() const { return {graph->Generation(), SideChanges()->End(), events->End()}; }

 private:
  BootSources SourcesOver(ChangeFeed* feed) const {
    BootSources sources{feed, events.get(), graph->Generation()};
    sources.sequences_per_change = sequences_per_change;
    return sources;
  }
};

// The stores that the settings name (graph.url, log.url), with what lies in a directory whose lock the caller holds;
// users of its list of erased ones are gone. `clock` and `metrics` outlive them. Throws std::runtime_error with a
// sentence.
Stores OpenStores(const std::string& directory, const Settings& settings, const Clock* clock, Metrics* metrics);

// For commands that write as if nobody else did: Fail kConflict "shared_stores" where the stores are shared with other
// processes.
Status RequireOwnStores(const Settings& settings);

// The two that OpenStores chooses from.
Stores OpenEmbeddedStores(const std::string& directory, const Settings& settings, const Clock* clock, Metrics* metrics);
Stores OpenClusterStores(const std::string& directory, const Settings& settings, const Clock* clock, Metrics* metrics);

// What `dlq` works on: the topics of dead letters and of events, and the graph, which knows who was erased.
struct DeadLetterStores {
  std::unique_ptr<GraphStore> graph;
  std::unique_ptr<DeadLetterTopic> letters;
  std::unique_ptr<EventTopic> events;
};
// Of a log in Kafka. Without `replays` the topic of dead letters alone. Throws as OpenStores.
DeadLetterStores OpenDeadLetterStores(const Settings& settings, bool replays, const Clock* clock, Metrics* metrics);

}  // namespace novafeed
