// What fills the warehouse, step by step: attach, land, settle. The thread that takes the steps is the sink's (sink.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "capture/change.h"
#include "stream/event_log.h"
#include "stream/position.h"
#include "warehouse/landing.h"
#include "warehouse/log_positions.h"
#include "warehouse/olap.h"

namespace novafeed {

struct LoaderOptions {
  std::size_t batch_rows = 50'000;       // of both streams together, at least 1
  std::size_t batch_bytes = 32UL << 20;  // of messages; one that is larger travels alone
  bool stop_ttl_merges = false;
  std::function<bool()> stopping = [] { return false; };  // asked between batches: true ends a long step early
};

// Used by one thread. Its steps block, within deadlines, throw what the log throws (StoreError), and give errors of the
// port `Olap`; kConflict where this warehouse cannot be gone on with: of ApplySchema(), "warehouse_other_generation",
// "warehouse_ahead", "warehouse_behind". After an error: Attach() again.
class WarehouseLoader {
 public:
  // All outlive it.
  WarehouseLoader(Olap* olap, ChangeFeed* changes, EventLog* events, std::string generation, Metrics* metrics,
                  LoaderOptions options);

  // Makes the engine ready: schema, positions; a warehouse that is new gets what the log has forgotten: the state of
  // the graph, and the totals of events.
  Status Attach();
  bool attached() const { return attached_; }
  void Detach() { attached_ = false; }

  // Lands the next batch of the log; true where it was full, so that there is more.
  Result<bool> Land();
  // Makes what was landed count: refreshes the counters that it touched, then writes the position.
  Status Settle();
  // Writes down what was landed, so that a restart goes on from there: for when Settle() is far.
  Status Remember();
  // Lands the state of the graph as it is now, as a snapshot.
  Status LandState();
  // Goes back in the log, up to where it reads now.
  void Rewind(std::int64_t changes, const EventPoints& events);

  const Position& applied() const { return applied_; }
  const Position& reading() const { return reading_; }
  // What Settle() makes of applied().
  const Position& landed() const { return landed_; }
  bool settled() const { return settled_; }
  // The tables hold nothing beyond landed(): no batch is half there.
  bool exact() const { return Reached(may_hold_, landed_); }
  std::int64_t EntriesLeft();
  std::uint64_t entries_landed() const { return entries_landed_; }

 private:
  Status Begin(const LogPositions& positions);
  Status CheckContinues() const;
  Status WriteBeginning(std::int64_t changes_from, const EventPoints& events_from);
  Status WritePoints(const std::vector<std::pair<std::string_view, EventPoints>>& named);
  Status LandForgotten(const EventPoints& events_from);
  template <class T>
  Status LandKept(std::string_view statement, const std::vector<T>& kept);
  Status ReadVersion();
  void FillBatch(Position* read);
  bool IsFull() const;
  bool AddChanges(Position* read);
  bool AddEvents(Position* read);
  Status Send(const LandingBatch& batch);
  void NoteLanded(const Position& read);
  bool HasForgottenChanges() const;

  Olap* const olap_;
  ChangeFeed* const changes_;
  EventLog* const events_;
  const std::string generation_;
  const LoaderOptions options_;
  std::size_t batch_rows_;     // of the next batch: fewer after one that failed
  std::vector<Counter> rows_;  // by landing table
  const Counter applied_changes_;
  const Counter applied_events_;
  const Histogram batch_seconds_;
  const Histogram refresh_seconds_;

  bool attached_ = false;
  bool settled_ = false;
  std::uint64_t version_ = 0;  // of the last row that was written with a version of the sink's own
  std::uint64_t entries_landed_ = 0;
  Position applied_;
  Position reading_;
  Position landed_;
  Position may_hold_;  // what an interrupted batch may have left in the tables at most
  LandingBatch batch_;
};

}  // namespace novafeed
