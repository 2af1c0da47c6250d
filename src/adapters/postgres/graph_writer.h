// The writers: threads that each run one work at a time, in a transaction of its own. (PostgreSQL makes the commits
// that arrive together durable with one flush; a group of works in one transaction would hold all their locks until its
// end.)
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "adapters/postgres/connection_pool.h"
#include "base/metrics.h"
#include "base/time.h"
#include "graph/store.h"
#include "graph/write_report.h"

namespace novafeed::postgres {

// Submit: from any thread.
class GraphWriter {
 public:
  struct Options {
    std::size_t threads = 8;
    std::size_t max_queued = 8192;
    std::chrono::milliseconds patience{5000};  // a work that waited longer is refused
  };

  // All outlive the writer. `connections` has at least one for each thread.
  GraphWriter(ConnectionPool* connections, const Clock* clock, Options options, Metrics* metrics);
  ~GraphWriter();  // runs what is queued, then joins
  GraphWriter(const GraphWriter&) = delete;
  GraphWriter& operator=(const GraphWriter&) = delete;

  // GraphStore::Write.
  void Submit(GraphStore::Work work, GraphStore::Done done);

 private:
  struct Task {
    GraphStore::Work work;
    GraphStore::Done done;
    std::chrono::steady_clock::time_point submitted;
  };
  struct Instruments {
    Histogram commit_seconds;
    Gauge queue_length;
    Counter retries;
  };

  static Instruments MakeInstruments(Metrics* metrics);

  void Run();
  bool TakeTask(Task* task);
  Result<std::int64_t> Perform(const GraphStore::Work& work);
  std::int64_t PerformOnce(const GraphStore::Work& work);
  Error Refuse(const std::string& detail);

  ConnectionPool* connections_;
  const Clock* clock_;
  const Options options_;
  Instruments instruments_;
  WriteReport report_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> queue_;
  bool stopping_ = false;

  std::vector<std::thread> threads_;  // last: they use everything above
};

}  // namespace novafeed::postgres
