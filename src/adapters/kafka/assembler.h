// Transactions, whole and in the order of their commits, from the rows and ends that come on seven topics in any
// interleaving, some of them twice.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "adapters/kafka/messages.h"
#include "adapters/kafka/topics.h"
#include "base/time.h"
#include "capture/change.h"

namespace novafeed::kafka {

struct CapturedTransaction {
  Lsn commit = 0;
  TimeMs committed_at = 0;
  std::vector<Change> changes;  // in the order of the writes; each with `commit` for its sequence; empty: a heartbeat
  // Of each topic: the offset behind its last row there; 0 where it has none.
  std::array<std::int64_t, kRowTopics.size()> ends = {};
};

// Where reading begins.
struct AssemblyStart {
  // Everything that was committed up to here is known. An end of a commit, or the point of a snapshot; 0: nothing is.
  Lsn after = 0;
  // The last commit on the log that ended at or before `after`; 0 where the log still begins with its first message
  // and holds no such commit; empty where it was forgotten.
  std::optional<Lsn> last_commit = 0;
  TimeMs last_committed_at = 0;  // its time; 0 where there is none
};

// What is needed of each topic: every message from that start on, in the topic's own order; what lies before it is
// skipped. Topics may be ahead of each other as they like: what one of them still owes holds back what comes after.
//
// That nothing is missing is never assumed. A transaction comes out when all rows that its END counts are there, and
// when its rows say that they follow a commit that is known. So neither what retention took away, nor an END that was
// never written, nor a time without a replication slot passes without an error.
//
// Pure; for one thread.
class TransactionAssembler {
 public:
  explicit TransactionAssembler(const AssemblyStart& start)
      : position_(start.after), last_commit_(start.last_commit), complete_as_of_(start.last_committed_at) {}

  // The next message of cdc.transaction that is an END.
  void Add(const TransactionEnd& end);
  // The next message of a topic of rows.
  void Add(std::size_t topic, CapturedRow row);

  // The next transaction; empty where something of it has not come. StoreError kConflict "log_forgotten" where it never
  // will; after that, begin anew.
  std::optional<CapturedTransaction> Next();

  // To be called when everything was added that was on the topics at some moment, whose newest END was `newest`: where
  // the next transaction is one of those, and still lacks rows of a topic that `is_cut` (it has forgotten messages, and
  // holds none from before the start), they are gone: StoreError as above. On other topics they are still on their way.
  void RequireRows(Lsn newest, const std::array<bool, kRowTopics.size()>& is_cut) const;

  // Everything that was committed up to here was given out, or was known at the start.
  Lsn position() const { return position_; }
  // Every commit that was answered by this time is among them; 0 where none of them is on the log. (The database takes
  // the time of a commit before it writes it, so what comes behind one was written, and answered, later than its time.)
  TimeMs complete_as_of() const { return complete_as_of_; }

  // How much lies here unused, and whether the next transaction waits for more of it.
  std::size_t RowsWaiting(std::size_t topic) const { return waiting_[topic].size(); }
  std::size_t EndsWaiting() const { return ends_.size(); }
  bool WantsRows(std::size_t topic) const;
  bool WantsEnds() const { return ends_.empty(); }
  // The offset of the first row here that was not given out; empty where there is none.
  std::optional<std::int64_t> FirstUnused(std::size_t topic) const;

 private:
  bool Gather(std::size_t topic, const TransactionEnd& end);
  [[noreturn]] void ThrowRowsAreGone(std::size_t topic) const;
  void RequireSuccessor(const TransactionEnd& end) const;
  CapturedTransaction TakeGathered(const TransactionEnd& end);

  Lsn position_;
  std::optional<Lsn> last_commit_;
  TimeMs complete_as_of_;
  Lsn snapshot_ = 0;                 // the newest point of a snapshot that was met
  std::deque<TransactionEnd> ends_;  // rising
  std::array<std::deque<CapturedRow>, kRowTopics.size()> waiting_;
  // Of the transaction at the front of ends_, by their order in it.
  std::array<std::map<std::int64_t, CapturedRow>, kRowTopics.size()> gathered_;
};

}  // namespace novafeed::kafka
