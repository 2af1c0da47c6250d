// Fills the warehouse: a thread that follows both streams of the log and lands their entries in batches.
//
// At least once: a batch counts when its position is written, after the rows and after the counters that they touch.
// What was landed before a crash is landed again, and the warehouse's keys and sets make that change nothing.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "capture/change.h"
#include "stream/event_log.h"
#include "stream/position.h"
#include "warehouse/olap.h"

namespace novafeed {

struct WarehouseSinkOptions {
  std::size_t batch_rows = 50'000;                // of both streams together
  std::size_t batch_bytes = 32UL << 20;           // of messages
  std::chrono::milliseconds refresh_every{1000};  // how often new entries are looked for, landed and counted
  std::chrono::milliseconds first_pause{200};     // after a failure; doubles up to max_pause
  std::chrono::milliseconds max_pause{5000};
  bool stop_ttl_merges = false;  // rows stay beyond their TTL: for a clock that is not the engine's
};

enum class SinkPhase {
  kWaiting,     // for the engine, or for it to get well
  kCatchingUp,  // behind the log by more than a batch
  kFollowing,   // at the log's end
  kPaused,      // holding still for a reader
  kRefused,     // this warehouse cannot be gone on with: `reason` says why, and what to do
};
std::string_view SinkPhaseName(SinkPhase phase);  // "waiting", ...

struct SinkStatus {
  SinkPhase phase = SinkPhase::kWaiting;
  std::string reason;  // of kWaiting and kRefused
  Position applied;    // Position{} until the engine has told it
  Position reading;    // behind `applied` while a part of the log is landed again
  std::int64_t entries_left = 0;
  double entries_per_second = 0;  // while catching up
};

// What is to be landed again; see Rewind().
struct SinkRewind {
  std::optional<std::int64_t> changes;  // the log behind this sequence
  std::optional<std::int64_t> events;
  bool state = false;  // the whole state of the graph, as a snapshot
};

class WarehouseSink {
 public:
  // All outlive the sink. `generation` is the data set's.
  WarehouseSink(const Clock* clock, Olap* olap, ChangeFeed* changes, EventLog* events, std::string generation,
                Metrics* metrics, WarehouseSinkOptions options = {});
  ~WarehouseSink();  // stops
  WarehouseSink(const WarehouseSink&) = delete;
  WarehouseSink& operator=(const WarehouseSink&) = delete;

  // Once.
  void Start();
  // Does not begin anything new. From any thread.
  void RequestStop();
  // And waits a while for what is on its way to the engine; true where nothing is any more.
  bool StopWithin(std::chrono::milliseconds timeout);
  // And waits until it is there, refused, or lost with the engine.
  void Stop();

  // Every entry of the log up to there is in the tables, and counted. Position{} until the engine has told it.
  Position position() const;
  SinkStatus status() const;

  // Calls `done(true)` once `wanted` is reached (at once where it is), or `done(false)` after `timeout_ms` of real time
  // or on Stop; late by a batch at most. It makes the sink look at once. `done` runs on the caller's or the sink's
  // thread.
  void WaitFor(const Position& wanted, std::int64_t timeout_ms, std::function<void(bool)> done);

  // A consistent cut for readers: when this returns, the tables hold exactly the log up to the position that it gives,
  // and stay so until Resume(). Several may hold it. kUnavailable "warehouse_busy" where that takes longer than
  // `timeout`, kConflict "warehouse_refused"; then there is nothing to resume.
  Result<Position> Pause(std::chrono::milliseconds timeout);
  void Resume();

  // Lands entries again, while position() stays: nothing changes where the warehouse is right, and what was lost comes
  // back. Begins with the next batch; a crash forgets it. kConflict "log_forgotten" where the log does not reach back
  // that far, kInvalid "bad_rewind" beyond what was applied; throws StoreError.
  Status Rewind(const SinkRewind& rewind);

  // Sets the metric of the lag from what it is now; called now and then by the wiring, so that it also grows while the
  // engine is away.
  void ReportLag() const;
  // How old the oldest entry of the log is that does not count yet; 0 where there is none.
  double LagSeconds() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A pause that ends with its scope.
class WarehousePause {
 public:
  explicit WarehousePause(WarehouseSink* sink) : sink_(sink) {}
  WarehousePause(WarehousePause&& other) noexcept : sink_(std::exchange(other.sink_, nullptr)) {}
  WarehousePause& operator=(WarehousePause&&) = delete;
  ~WarehousePause() {
    if (sink_ != nullptr) sink_->Resume();
  }

 private:
  WarehouseSink* sink_;
};

}  // namespace novafeed
