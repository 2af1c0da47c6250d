// Checks of a running node, one after the other: for `novafeed check`, for POST /admin/check, and by itself.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "app/upkeep.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "check/checker.h"
#include "index/boot.h"
#include "index/feed_index.h"

namespace novafeed {

// Thread-safe; blocking.
class CheckDesk {
 public:
  // All outlive the desk. `upkeep` is held by whatever rewrites the log or the warehouse; a check waits for it,
  // and it for a check.
  CheckDesk(CheckSubjects subjects, Upkeep* upkeep, Metrics* metrics);

  // Counted in the metrics. kUnavailable "stopping" once Stop() was called.
  Result<CheckOutcome> Run(CheckOptions options, const CheckProgress& progress);
  // The same as the JSON of an answer.
  Result<std::string> Answer(bool repair);
  // A check that only its metrics and the log tell of.
  void RunByItself();
  // Lets a check that runs end soon, and no other begin.
  void Stop() { stopping_.store(true); }

 private:
  void Count(const CheckOutcome& outcome);

  const CheckSubjects subjects_;
  Upkeep* const upkeep_;
  const Gauge last_success_;
  const Gauge seconds_;
  const Gauge schema_differences_;
  std::vector<Gauge> differences_;  // by relation
  std::atomic<bool> stopping_{false};
};

// Builds an index from the tables and the log, and lets it take the place of `live`'s state once it has applied as
// much. Throws StoreError. kUnavailable "index_behind" where the log grows faster than it is read, "stopping" soon
// after `is_stopping` says so.
Status RebuildIndex(
    const BootSources& sources, TimeMs now, FeedIndex* live,
    const std::function<bool()>& is_stopping = [] { return false; });

}  // namespace novafeed
