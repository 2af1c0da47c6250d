// The one writer of a file: a thread that runs queued works in groups, one durable commit for each group.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "adapters/sqlite/database.h"
#include "adapters/sqlite/failure_report.h"
#include "base/metrics.h"
#include "base/result.h"

namespace novafeed::sqlite {

// Numbers for the rows that a work adds to its file's log. What was rolled back is given again: nobody saw it.
class Sequence {
 public:
  explicit Sequence(std::int64_t last) : last_(last) {}
  std::int64_t Next() { return ++last_; }
  std::int64_t last() const { return last_; }
  void RollBackTo(std::int64_t last) { last_ = last; }

 private:
  std::int64_t last_;
};

// A work that throws is rolled back alone and answered with its error. Where the group cannot go on or be committed
// (disk full, I/O), everything in it is rolled back and answered with that error; the writer keeps running, so it heals
// when the cause is gone. What fails or is refused is logged and counted. Submit, End, OnCommit, SetBulk, report: from
// any thread.
class GroupWriter {
 public:
  using Work = std::function<void(Sequence&)>;
  // Once. On the writer thread, after the commit: the last number that is durable; or what went wrong. On the thread of
  // Submit, inside that call, where the queue is full. Must not throw.
  using Done = std::function<void(Result<std::int64_t>)>;

  struct Options {
    std::string store;              // label of the metrics
    std::size_t max_queued = 8192;  // in units of weight
    std::size_t max_group = 256;    // works of one commit
    std::chrono::milliseconds max_group_time{5};
    std::int64_t checkpoint_pages = 2048;
  };

  // `database` and `metrics` outlive the writer; nobody else writes through `database` while it runs. `last`: the
  // greatest number given so far.
  GroupWriter(Database* database, std::int64_t last, Options options, Metrics* metrics);
  ~GroupWriter();  // runs what is queued, then joins
  GroupWriter(const GroupWriter&) = delete;
  GroupWriter& operator=(const GroupWriter&) = delete;

  // A full queue answers at once, on this thread. (One work always fits, however heavy.)
  void Submit(Work work, Done done, std::size_t weight = 1);
  // Submits and waits; throws StoreError. Not on the writer thread.
  void RunBlocking(Work work);
  // The same for what must run on the writer thread but in no transaction, between two groups.
  void RunAlone(Work work);

  std::int64_t End() const { return end_.load(std::memory_order_acquire); }

  // Called on the writer thread after each commit. After OnCommit(nullptr) returned it is not running any more.
  void OnCommit(std::function<void()> notify);

  // Where the store's own refusals are said and counted.
  FailureReport& report() { return report_; }

  // One work a commit, a large cache, rarer checkpoints.
  void SetBulk(bool on) { bulk_wanted_ = on; }

 private:
  struct Task {
    Work work;
    Done done;
    std::size_t weight = 1;
    bool alone = false;  // outside of any transaction
  };
  struct Instruments {
    Histogram commit_seconds;
    Histogram works_per_commit;
    Gauge queue_length;
    Gauge wal_pages;
  };

  static Instruments MakeInstruments(const std::string& store, Metrics* metrics);

  void Run();
  bool WaitForTask();
  std::optional<Task> TakeTask();
  void Enqueue(Task task);
  void EnqueueAndWait(Work work, bool alone);
  void RunGroup();
  void RunTaskAlone(Task task);
  bool RunTask(Task task);
  void RollBackTask(Task task, const Error& error, std::int64_t mark);
  void CommitGroup();
  void FailGroup(const Error& error);
  void PublishCommit();
  void FoldLogIfDue();
  void ApplyBulkMode();

  Database* database_;
  const Options options_;
  Instruments instruments_;
  FailureReport report_;
  Statement begin_;
  Statement commit_;
  Statement rollback_;
  Statement savepoint_;
  Statement release_;
  Statement rollback_to_;

  // Writer thread only.
  Sequence sequence_;
  std::vector<Task> group_;  // ran, and wait for the commit; not empty = a transaction is open
  bool bulk_ = false;
  std::int64_t next_fold_at_ = 0;  // pages in the write-ahead log

  std::atomic<std::int64_t> end_;
  std::atomic<bool> bulk_wanted_ = false;

  std::mutex notify_mutex_;
  std::function<void()> notify_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> queue_;
  std::size_t queued_weight_ = 0;
  bool stopping_ = false;

  std::thread thread_;  // last: it uses everything above
};

}  // namespace novafeed::sqlite
