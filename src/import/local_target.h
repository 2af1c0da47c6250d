// Imports into the stores of this process.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "graph/store.h"
#include "import/line_applier.h"
#include "import/target.h"
#include "stream/event_log.h"

namespace novafeed {

// Applies one batch within an open transaction: rows, and the progress beside them. Returns what has to follow.
// A batch whose place in the journal is gone is an error, and changes nothing.
struct AppliedBatch {
  bool is_replay = false;  // its rows were there, and its lines are counted already: only its events are sent again
  ImportReport report;
  std::vector<Event> events;
  KnownRows learned;
};
// `durable`: the events of the lines before it are known to be durable.
Result<AppliedBatch> ApplyBatch(GraphTransaction& tx, const ImportBatch& batch, const KnownRows& known,
                                const Mark& durable);

// For a dry run: all batches within one transaction, which its owner then rolls back. Events are made and dropped;
// those that repeat are seen by their identities (16 bytes each), those of earlier imports are not.
class TransactionTarget final : public ImportTarget {
 public:
  explicit TransactionTarget(GraphTransaction* tx) : tx_(tx) {}  // outlives this

  Result<std::vector<ImportPoint>> Points(const std::string& head) override;
  Status Apply(const ImportBatch& batch, ImportReport* report) override;
  Status Settle(ImportReport*) override { return {}; }

 private:
  GraphTransaction* tx_;
  boost::unordered_flat_set<Uuid, UuidHash> identities_;  // of the events so far
};

class LocalTarget final : public ImportTarget {
 public:
  // Both outlive this. `sole_writer`: nobody else writes to the graph meanwhile, so that what was seen stays true.
  LocalTarget(GraphStore* graph, EventLog* events, bool sole_writer);
  ~LocalTarget() override;

  Result<std::vector<ImportPoint>> Points(const std::string& head) override;
  Status Apply(const ImportBatch& batch, ImportReport* report) override;
  Status Settle(ImportReport* report) override;

 private:
  // A batch of events on its way into the log.
  struct InFlight {
    std::vector<EventType> types;  // of those that are counted
    Mark end;
    std::future<Result<EventLog::Appended>> answer;
  };

  Result<AppliedBatch> WriteBatch(const ImportBatch& batch);
  void StartEvents(AppliedBatch applied, const Mark& end);

  GraphStore* graph_;
  EventLog* events_;
  bool sole_writer_;
  KnownRows known_;
  Mark durable_;  // events of the lines before are durable
  std::optional<InFlight> in_flight_;
};

}  // namespace novafeed
