// Moves the copies of like and unlike events from the graph's outbox into the event log, after their commits.
//
// At least once: an entry is cleared from the outbox after the log has it durably, and the log knows each identity
// once, so an entry moved again (after a crash in between) changes nothing. While the log refuses, entries wait in the
// outbox; the relay tries again with growing pauses, says so in the log and counts it. So it does after any exception.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "base/result.h"
#include "graph/store.h"
#include "stream/event_log.h"

namespace novafeed {

struct OutboxRelayOptions {
  std::size_t batch = 1000;                                                // entries moved at once
  std::chrono::milliseconds first_pause = std::chrono::milliseconds(100);  // after a failure; doubles up to max_pause
  std::chrono::milliseconds max_pause = std::chrono::seconds(5);
  // Where others put entries into the outbox, too, of which nobody tells: how often it is looked into. 0: when woken.
  std::chrono::milliseconds look_every{0};
  // Asked before each batch: of several relays of one outbox, one at a time has something to do. (Two that do move the
  // same entries, which the log knows by their identities.)
  std::function<bool()> may_move = [] { return true; };
};

// Owns one thread, from Start() until Stop() or its end.
class OutboxRelay {
 public:
  // All outlive the relay.
  OutboxRelay(GraphStore* graph, EventLog* events, Metrics* metrics, OutboxRelayOptions options = {});
  ~OutboxRelay();  // stops
  OutboxRelay(const OutboxRelay&) = delete;
  OutboxRelay& operator=(const OutboxRelay&) = delete;

  // Begins with what the outbox holds already. Once.
  void Start();
  // Waits for the batch that is on its way, if any; the rest stays in the outbox. From any thread but the relay's.
  void Stop();

  // Something may have been put into the outbox. From any thread; cheap; never blocks on the move itself.
  void Wake();

 private:
  void Run();
  std::optional<Error> MoveAll();
  std::optional<Error> Move(const std::vector<OutboxEntry>& entries);
  void ReportFailure(const Error& error);
  // False where the relay has to end.
  bool WaitForWork();
  bool Pause(std::chrono::milliseconds length);
  bool stopping();

  GraphStore* graph_;
  EventLog* events_;
  OutboxRelayOptions options_;
  Counter moved_;
  Counter failures_;
  LogGate failure_log_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool awake_ = true;  // guarded by mutex_; true at first: the outbox may hold entries of an earlier run
  bool stop_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace novafeed
