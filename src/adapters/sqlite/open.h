// The embedded stores: the social graph with its change log, and the event log, as SQLite files of one directory. And
// the journal that a node of the cluster keeps of the topic of events.
//
// One process may have a directory open at a time; the caller holds its lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "base/time.h"
#include "capture/change.h"
#include "graph/store.h"
#include "stream/event_journal.h"
#include "stream/event_log.h"

namespace novafeed {

struct SqliteOptions {
  std::string directory;         // exists, writable; holds graph.db, events.db, journal.db
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

// The graph store and its log of changes, over graph.db. Its bulk mode: each Write is a transaction of its own with a
// large page cache, so that one work of many thousand primitives is fast; and a data set that is still small does
// without the indexes of its lists, which are made when it is turned off (or at the next start).
class SqliteGraph : public GraphStore, public ChangeLog {};

// Each opens or creates its file, brings its schema up to date and starts the writer thread, which ends (after what is
// queued) in the destructor. Throws std::runtime_error with a sentence that says what to do, for start-up to print.
std::unique_ptr<SqliteGraph> OpenSqliteGraph(const SqliteOptions& options);
std::unique_ptr<EventLog> OpenSqliteEventLog(const SqliteOptions& options);
// Keeps no limit on its size: `max_event_bytes` is the event log's. It copies again what a power cut takes back.
std::unique_ptr<EventJournal> OpenSqliteEventJournal(const SqliteOptions& options);

}  // namespace novafeed
