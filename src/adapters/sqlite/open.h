// The embedded stores: the social graph with its change log, and the event log, as SQLite files of one directory.
//
// One process may have a directory open at a time; the caller holds its lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/time.h"
#include "capture/change.h"
#include "graph/store.h"
#include "stream/event_log.h"

namespace novafeed {

struct SqliteOptions {
  std::string directory;         // exists, writable; holds graph.db and events.db
  const Clock* clock = nullptr;  // outlives the store
  Metrics* metrics = nullptr;    // outlives the store
  std::size_t readers = 4;       // read connections of each store: how many reads run at once, and five seconds later
                                 // the next gets kUnavailable "database_busy". (Those who follow the graph's changes
                                 // and its outbox have connections of their own.)

  // Event log: at this many bytes of live pages, Append answers kStorageFull "log_full". 0 = as long as the disk lasts.
  std::int64_t max_event_bytes = 0;

  // A full queue answers kUnavailable "overloaded": works of the graph, events of the event log.
  std::size_t max_queued_works = 8192;
  std::size_t max_queued_events = 100'000;

  // The write-ahead log is folded into its file whenever it has grown by this many pages (of 4 KiB).
  std::int64_t checkpoint_pages = 2048;
};

// The graph store and its change feed over graph.db. Beyond the ports:
class SqliteGraph : public GraphStore, public ChangeFeed {
 public:
  // Forgets changes committed before `before`, up to and with sequence `applied` (what every consumer has taken),
  // oldest first, and identities of like and unlike events after kEventMemory; in small transactions. Blocking; not on
  // the writer thread. Returns how many changes. Throws StoreError.
  virtual std::int64_t ForgetChanges(TimeMs before, std::int64_t applied) = 0;

  // For restored backups, by RetiredDigest of users: those that the store knows as erased; which of its users are among
  // `digests`; and from now on none of these ids is accepted. Blocking; not on the writer thread. Throw StoreError.
  virtual std::vector<Uuid> RetiredUsers() = 0;
  virtual std::vector<UserId> FindUsers(std::span<const Uuid> digests) = 0;
  virtual void RetireUsers(std::span<const Uuid> digests) = 0;

  // For imports: each Write is a transaction of its own with a large page cache, so that one work of many thousand
  // primitives is fast; a data set that is still small also does without the indexes of its lists, which are made when
  // this is turned off (or at the next start): until then lists are slow. As durable as otherwise. Blocking; not on the
  // writer thread. Throws StoreError.
  virtual void SetBulkMode(bool on) = 0;
};

// Both open or create the file, bring its schema up to date and start the writer thread, which ends (after what is
// queued) in the destructor. Throw std::runtime_error with a sentence that says what to do, for start-up to print.
std::unique_ptr<SqliteGraph> OpenSqliteGraph(const SqliteOptions& options);
std::unique_ptr<EventLog> OpenSqliteEventLog(const SqliteOptions& options);

}  // namespace novafeed
