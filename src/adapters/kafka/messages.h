// What the messages of change capture say: where a transaction ended and what belongs to it, and where a row stands.
// Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "adapters/kafka/topics.h"
#include "base/result.h"
#include "base/time.h"
#include "capture/change.h"

namespace novafeed::kafka {

// A place in PostgreSQL's write-ahead log, in bytes.
using Lsn = std::int64_t;

// The END of a transaction.
struct TransactionEnd {
  std::int64_t transaction = 0;  // PostgreSQL's number of it
  Lsn commit = 0;                // where its commit ends
  TimeMs committed_at = 0;
  std::array<std::int64_t, kRowTopics.size()> rows = {};  // how many it has on each topic
};

// One row of a transaction, or of a snapshot.
struct CapturedRow {
  std::int64_t transaction = 0;
  Lsn lsn = 0;                   // the row's own; of a snapshot: the point that the snapshot shows
  std::optional<Lsn> follows;    // where the commit before its transaction ended; empty in and right after a snapshot
  std::int64_t order = 0;        // among all rows of its transaction, from 1; 0: of a snapshot
  std::optional<Change> change;  // empty: a heartbeat, or columns that cannot be read
  std::int64_t offset = 0;       // where it stands on its topic

  // Rises along a topic from transaction to transaction; below the row's own commit, and not below the one before.
  Lsn Place() const { return follows.value_or(lsn); }
};

// A message of cdc.transaction; empty: a BEGIN. kUnprocessable "bad_transaction".
Result<std::optional<TransactionEnd>> ParseTransaction(std::string_view value);

struct ParsedRow {
  CapturedRow row;
  std::optional<Error> problem;  // the row's place is known, but not its columns
};

// A message of kRowTopics[topic]. kUnprocessable "bad_envelope" where not even its place can be read.
Result<ParsedRow> ParseRow(std::size_t topic, std::string_view value);

}  // namespace novafeed::kafka
