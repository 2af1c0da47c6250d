// The social graph in PostgreSQL: the store that several processes write to side by side.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/time.h"
#include "capture/change.h"
#include "graph/leases.h"
#include "graph/purges.h"
#include "graph/store.h"

namespace novafeed {

struct PostgresOptions {
  // "postgresql://user@host:port/database?sslmode=verify-full&sslrootcert=…", or libpq's "host=… dbname=…"; everything
  // that libpq knows may stand in it but a password.
  std::string url;
  // Its first line is the password; read at each connect. Empty: libpq's own ways (PGPASSFILE, ~/.pgpass).
  std::string password_file;
  const Clock* clock = nullptr;  // outlives the store
  Metrics* metrics = nullptr;    // outlives the store

  std::size_t writers = 8;  // connections, and threads, that write
  std::size_t readers = 8;  // connections for reads: how many run at once

  // A full queue answers kUnavailable "overloaded".
  std::size_t max_queued_works = 8192;

  // How long a connect may take; a statement (with its wait for locks; kUnavailable "database_slow"); and how long a
  // write waits for its turn ("overloaded") or a read for a connection ("database_busy").
  std::chrono::milliseconds connect_deadline{5000};
  std::chrono::milliseconds statement_deadline{5000};
  std::chrono::milliseconds patience{5000};
  // A statement of the upkeep that walks through whole tables, and the wait for another process's migration.
  std::chrono::milliseconds upkeep_deadline{600'000};
};

// The graph store, the leases of those who share it (by the clock of the database, not by `clock`), and whom they have
// purged. Its differences
// from what one process does alone: works run side by side on its writer threads, and a work is run again where another
// transaction was faster, from the start (so it keeps nothing from run to run). What Done is given is a place in
// PostgreSQL's write-ahead log, behind the commit.
//
// A write that fails with "commit_unknown" may have been kept; sent again as it was it changes nothing if so.
// Beyond the ports:
class PostgresGraph : public GraphStore, public Leases, public Purges {
 public:
  // The whole state, as ChangeFeed::ReadState gives it: exactly what was committed up to the place that is returned, in
  // the write-ahead log that capture reads (capture/stated_feed.h makes one feed of both). Writers wait meanwhile, for
  // some milliseconds at the beginning. Blocking; throws StoreError: kUnavailable "write_conflict" where somebody has
  // written for long, and not ended.
  virtual std::int64_t ReadState(const std::function<void(const std::vector<Change>&)>& take) = 0;
};

// Where a connection would go, and how.
struct PostgresPeer {
  std::vector<std::string> hosts;  // names, addresses, or paths of sockets; all that may be tried
  bool has_password = false;       // libpq has one of its own: from the environment, or a file that it was told
  bool is_verified = false;        // by TLS, and the server's certificate is looked at
};
// By the URL, and by what libpq takes from the environment where the URL says nothing. Throws std::runtime_error with a
// sentence where the URL is none.
PostgresPeer PeerOfPostgres(const std::string& url);

// Connects, brings the schema up to date and starts the writers, which end (after what is queued) in the destructor.
// Throws std::runtime_error with a sentence that says what to do, for start-up to print.
std::unique_ptr<PostgresGraph> OpenPostgresGraph(const PostgresOptions& options);

}  // namespace novafeed
