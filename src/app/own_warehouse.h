// The warehouse of a stopped data directory, for as long as one command runs.
#pragma once

#include <chrono>
#include <memory>

#include "app/stores.h"
#include "app/warehouse_stack.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/settings.h"
#include "base/time.h"

namespace novafeed {

// Starts its engine, and begins to fill it; for the rest see WarehouseStack::Make. kConflict "no_warehouse" where it is
// off or not installed.
Result<std::unique_ptr<WarehouseStack>> OpenOwnWarehouse(const Settings& settings, const Clock* clock,
                                                         bool clock_is_held, Stores* stores, Metrics* metrics);

// Waits until it holds the log up to where that ends now, and says on standard error how far it is.
// kConflict "warehouse_refused"; kUnavailable "no_olap" where the engine ends before it has said anything, or where
// nothing has come of it for as long as `patience`, because it is away or not well.
Status AwaitFilled(WarehouseStack* warehouse, const Stores& stores,
                   std::chrono::milliseconds patience = std::chrono::minutes(1));

}  // namespace novafeed
