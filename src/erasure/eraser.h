// Erasing a user, whole (contract, section 2), after graph::EraseUser has put them out of the answers: what they wrote
// goes in small transactions (Remove); then every trace of the id and of the text leaves every file (Purge).
//
// The store keeps an Erasure for each user until its purge is done, so either goes on where it was when the process
// died.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "capture/change.h"
#include "graph/purges.h"
#include "graph/store.h"
#include "stream/event_log.h"
#include "stream/position.h"

namespace novafeed {

// Whoever keeps something behind the log: the index and its snapshot, a warehouse. Blocking; called by one thread at a
// time, in this order, and again from the start where the process died in between. Owned by the wiring.
class ErasureConsumer {
 public:
  virtual ~ErasureConsumer() = default;

  // Takes everything up to `end` and keeps it durably: no entry of the change log up to there is read again, not even
  // after a crash. (From then on those entries may name the pseudonyms.)
  virtual Status Reach(const Position& end) = 0;

  // Puts each pseudonym in the place of its user, in memory and in files; both may be known already (entries behind
  // `end` name the pseudonym), and then they become one. Durable when it returns; success again for users that are
  // unknown.
  virtual Status Hide(std::span<const Erasure> erased) = 0;
};

struct PurgeReport {
  std::int64_t users = 0;  // whose purge is done
  std::int64_t pages = 0;  // of the stores' files that held something of what was deleted
};

// Thread-safe; everything but Stop blocks, and throws StoreError.
class Eraser {
 public:
  // All outlive it. `purges`, where several processes share the stores: told of whom a purge is done with, so that the
  // consumers of the others learn it; else null. `require_upkeep` is called before each step of a purge: it throws
  // StoreError where another process may purge, too.
  Eraser(
      GraphStore* graph, ChangeFeed* changes, EventLog* events, std::vector<ErasureConsumer*> consumers,
      Metrics* metrics, Purges* purges = nullptr, std::function<void()> require_upkeep = [] {});
  Eraser(const Eraser&) = delete;
  Eraser& operator=(const Eraser&) = delete;

  // Removes what erased users wrote, kErasedAtOnce rows in a transaction, until nothing is left.
  void Remove();

  // Removes, and then purges all whose removal is done. One at a time: a second caller waits.
  PurgeReport Purge();

  // Whether somebody was erased at or before `erased_by` and is not purged, or an earlier purge did not come to its
  // end.
  bool IsPurgeDue(TimeMs erased_by);

  // Remove returns after the transaction that it is in, Purge (kUnavailable "stopping") after its step. For good.
  void Stop() { stopping_.store(true); }

 private:
  std::int64_t Write(GraphStore::Work work);
  bool RemoveSome(UserId user);
  std::vector<Erasure> Removed();
  void HideEverywhere(std::span<const Erasure> erased);
  std::int64_t ScrubFiles();
  std::int64_t SetScrubbing(bool on);
  void CheckMayGoOn() const;
  void ReportPending();

  GraphStore* const graph_;
  Purges* const purges_;
  ChangeFeed* const changes_;
  EventLog* const events_;
  const std::vector<ErasureConsumer*> consumers_;
  const std::function<void()> require_upkeep_;
  const Gauge pending_;
  const Counter purged_;
  std::atomic<bool> stopping_{false};
  std::mutex purge_mutex_;  // one purge at a time
};

}  // namespace novafeed
