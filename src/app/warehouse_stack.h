// The warehouse beside a running serve: the engine's process, where it is its own, the clients that speak to it, and
// what fills it.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "adapters/clickhouse/open.h"
#include "app/olap_process.h"
#include "app/stores.h"
#include "base/metrics.h"
#include "base/settings.h"
#include "base/time.h"
#include "index/boot.h"
#include "warehouse/filler.h"

namespace novafeed {

// Made before the index boots, so that the engine starts meanwhile; nothing waits for it. Thread-safe as its parts are.
class WarehouseStack {
 public:
  // Null where warehouse.engine is off, and where the library of an engine of its own is missing: then with a warning
  // and a metric. All outlive it. `clock_is_held`: not the time that the engine goes by, so its TTLs are stopped.
  static std::unique_ptr<WarehouseStack> Make(const Settings& settings, const Clock* clock, bool clock_is_held,
                                              Stores* stores, Metrics* metrics);
  ~WarehouseStack();
  WarehouseStack(const WarehouseStack&) = delete;
  WarehouseStack& operator=(const WarehouseStack&) = delete;

  // As a source of a boot. It outlives what boots.
  BootWarehouse AsBootSource();
  // Begins to fill it. Once.
  void Start() { filler_->Start(); }
  // Begins nothing new, lets what is on its way to the engine end, for a while, and stops an engine of its own: whoever
  // waits for either is told so.
  void Stop();

  WarehouseFiller& filler() { return *filler_; }
  // Why the engine's process ended last; empty where it never has, or is not this node's.
  std::string EngineFailure() const { return process_ ? process_->LastFailure() : ""; }
  // May do everything; read: only what reads (docs/olap.md).
  Olap& writer() { return *writer_; }
  Olap& reader() { return *reader_; }

 private:
  WarehouseStack(const Settings& settings, const Clock* clock, bool clock_is_held, Stores* stores, Metrics* metrics);

  const std::unique_ptr<OlapProcess> process_;  // null where the engine is elsewhere (olap.url)
  const std::unique_ptr<Olap> writer_;
  const std::unique_ptr<Olap> reader_;
  const std::unique_ptr<WarehouseFiller> filler_;
};

}  // namespace novafeed
