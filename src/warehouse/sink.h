// Fills the warehouse: a thread that follows both streams of the log and lands their entries in batches.
//
// At least once: a batch counts when its position is written, after the rows and after the counters that they touch.
// What was landed before a crash is landed again, and the warehouse's keys and sets make that change nothing.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "capture/change.h"
#include "stream/event_log.h"
#include "stream/position.h"
#include "warehouse/filler_desk.h"
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

class WarehouseSink final : public DeskFiller {
 public:
  // All outlive the sink. `generation` is the data set's.
  WarehouseSink(const Clock* clock, Olap* olap, ChangeFeed* changes, EventLog* events, std::string generation,
                Metrics* metrics, WarehouseSinkOptions options = {});
  ~WarehouseSink() override;  // stops
  WarehouseSink(const WarehouseSink&) = delete;
  WarehouseSink& operator=(const WarehouseSink&) = delete;

  void Start() override;

  SinkStatus status() const override;
  // 0 until the sink has been at the log's end for the first time. Asks the log where it ends.
  TimeMs CountersAsOf() const override;

  // Begins with the next batch.
  Status Rewind(const SinkRewind& rewind) override;

  void ReportLag() const override;
  double LagSeconds() const override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace novafeed
