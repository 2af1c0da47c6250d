// GET /api/v1/pipeline: how the log, the index, the warehouse, the cache and the jobs do, for the page's charts.
//
// Read-only. For service and admin tokens; in a demo for everybody. All of it is in the metrics, which are on the
// second listener, and those are for machines: this is the little that a person can look at.
#pragma once

#include "api/service.h"
#include "app/warehouse_rows.h"
#include "app/warehouse_stack.h"
#include "base/metrics.h"
#include "base/time.h"
#include "capture/change.h"
#include "stream/event_log.h"

namespace novafeed {

// All outlive the service.
struct PipelineDependencies {
  const Clock* clock = nullptr;
  const Metrics* metrics = nullptr;
  ChangeFeed* changes = nullptr;
  EventLog* events = nullptr;
  WarehouseStack* warehouse = nullptr;  // null where there is none, as the next one
  WarehouseRows* warehouse_rows = nullptr;
  bool for_everybody = false;
};

// Before the server starts.
void AddPipelineRoute(ApiService* api, const PipelineDependencies& dependencies);

}  // namespace novafeed
