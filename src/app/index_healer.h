// Where the log has lost what comes next for the index, nothing but a new index goes on.
#pragma once

#include <functional>
#include <mutex>

#include "base/metrics.h"
#include "base/result.h"
#include "index/applier.h"

namespace novafeed {

// Looks after an index that a node serves from: a job. For one thread.
class IndexHealer {
 public:
  // All outlive it. `rebuild` builds an index from the state of the graph and lets it take over; `upkeep` is held
  // meanwhile, as by whatever rewrites the log.
  IndexHealer(const IndexApplier* applier, std::function<Status()> rebuild, std::mutex* upkeep, Metrics* metrics);

  // Rebuilds where the index is cut off from the log. Throws StoreError where that fails: try again.
  void Run();

 private:
  const IndexApplier* const applier_;
  const std::function<Status()> rebuild_;
  std::mutex* const upkeep_;
  const Gauge is_cut_off_;
  const Counter rebuilds_;
  bool is_told_ = false;
};

}  // namespace novafeed
