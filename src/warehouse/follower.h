// Goes after what ClickHouse lands by itself (kafka_landing.h): a thread that makes it count, once a second, and knows
// how far it is. Of several nodes beside one warehouse one does that, whoever has the lease; the others read how far it
// is.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "capture/change.h"
#include "stream/event_log.h"
#include "stream/position.h"
#include "warehouse/filler_desk.h"
#include "warehouse/landing_settler.h"
#include "warehouse/landing_topics.h"
#include "warehouse/olap.h"

namespace novafeed {

struct WarehouseFollowerOptions {
  LandingSettlerOptions settler;
  std::chrono::milliseconds refresh_every{1000};  // how often what has landed is counted
  std::chrono::milliseconds first_pause{200};     // after a failure; doubles up to max_pause
  std::chrono::milliseconds max_pause{5000};
};

// While it is paused landing ends, for all nodes, and what is missing up to the cut is landed by the one that has the
// lease; another one asks it (landing_holds.h).
class WarehouseFollower final : public DeskFiller {
 public:
  // All outlive it. `graph` and `events` are asked only where the topics have lost something (landing_settler.h).
  // `generation` is the data set's. `lease_term` says for which term this node surely has the lease of settling this
  // warehouse: 0 where it has not, and another one where another node may have had it in between. The follower's thread
  // asks it before each look and before all that another one would disturb.
  WarehouseFollower(const Clock* clock, Olap* olap, LandingTopics* topics, ChangeFeed* graph, EventLog* events,
                    std::string generation, std::function<std::uint64_t()> lease_term, Metrics* metrics,
                    WarehouseFollowerOptions options);
  ~WarehouseFollower() override;  // stops
  WarehouseFollower(const WarehouseFollower&) = delete;
  WarehouseFollower& operator=(const WarehouseFollower&) = delete;

  void Start() override;

  // `reading` is how far the events are landed, and `entries_left` messages.
  SinkStatus status() const override;
  // The time by which everything that was accepted counts, as of the last look.
  TimeMs CountersAsOf() const override;

  // As the port says, with landing of the changes as far back as their topics reach. kInvalid "bad_rewind" also for the
  // state, which only a new snapshot of the database brings (./cluster resnapshot); kUnavailable "warehouse_elsewhere".
  Status Rewind(const SinkRewind& rewind) override;

  void ReportLag() const override;
  double LagSeconds() const override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace novafeed
