// Compares the relations of the warehouse and of the index with what they should hold: sums first, keys where the sums
// differ.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "capture/change.h"
#include "check/facts.h"
#include "check/index_facts.h"
#include "check/ledger.h"
#include "check/report.h"
#include "check/warehouse_facts.h"
#include "index/feed_index.h"
#include "stream/event_log.h"
#include "stream/position.h"

namespace novafeed {

struct ComparerSources {
  ChangeFeed* changes = nullptr;
  EventLog* events = nullptr;
  WarehouseFacts* warehouse = nullptr;
  const FeedIndex* index = nullptr;
  std::function<void()> tick = [] {};  // called now and then; what it throws ends the comparison
};

// Is given every difference, a relation and a part of its keys at a time; an error ends the comparison.
using TakeDifferences = std::function<Status(Relation relation, const std::vector<Difference>& differences)>;

// For one thread. Blocking; throws StoreError. The warehouse stands still at `warehouse_at` while it is used; the index
// and the log may go on.
class Comparer {
 public:
  Comparer(const ComparerSources& sources, const Position& warehouse_at, const WarehouseWindows& windows);

  // One report for each relation of the set. A relation that the warehouse cannot tell about (a table is gone) fails by
  // itself. Memory: the keys of at most a million facts at a time.
  Result<std::vector<RelationReport>> Compare(RelationSet relations, const TakeDifferences& take);

  const Position& index_position() const { return index_at_; }

 private:
  using Buckets = std::map<Relation, std::vector<std::uint16_t>>;

  Status ReadTruthInto(RelationSet relations, FactSink* expected, FactSink* found);
  Result<Buckets> FindBuckets(RelationSet relations);
  Status Drill(const Buckets& part, const TakeDifferences& take);
  Status FindAhead(const TakeDifferences& take);
  Status NoteFailure(Relation relation, const Status& read);
  RelationReport* ReportOf(Relation relation);

  const ComparerSources sources_;
  const Position warehouse_at_;
  const WarehouseWindows windows_;
  Position index_at_;
  FactWindows index_windows_;
  std::map<Relation, RelationReport> reports_;
  std::map<Relation, std::vector<std::int64_t>> sizes_;  // facts by bucket, of the larger side
};

}  // namespace novafeed
