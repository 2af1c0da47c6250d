// The demo network in a data directory: made once, through the same code as an import, and marked as a demo's.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "app/stores.h"
#include "base/result.h"
#include "base/time.h"
#include "demo/demo_network.h"

namespace novafeed {

// Called now and then: actions applied, and all that there are.
using DemoProgress = std::function<void(std::size_t done, std::size_t all)>;

// Fills empty stores with the wanted demo network; goes on where it was stopped; does nothing where one is complete.
// Returns what network is there: one that was begun is not made otherwise. kConflict "no_demo_data" where the stores
// hold what no demo made. Blocking; throws StoreError.
Result<DemoOptions> EnsureDemoData(Stores* stores, const DemoOptions& wanted, const DemoProgress& progress);

}  // namespace novafeed
