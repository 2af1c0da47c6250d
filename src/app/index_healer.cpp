#include "app/index_healer.h"

#include <utility>

#include "base/log.h"
#include "graph/store.h"

namespace novafeed {

IndexHealer::IndexHealer(const IndexApplier* applier, std::function<Status()> rebuild, std::mutex* upkeep,
                         Metrics* metrics)
    : applier_(applier),
      rebuild_(std::move(rebuild)),
      upkeep_(upkeep),
      is_cut_off_(metrics->AddGauge("novafeed_index_cut_off",
                                    "1 where the log has lost what comes next for the index, until it is built anew.")),
      rebuilds_(metrics->AddCounter("novafeed_index_rebuilds_total",
                                    "Times the index was built anew while it served, because it was cut off.")) {}

void IndexHealer::Run() {
  const bool is_cut_off = applier_->IsCutOff();
  is_cut_off_.Set(is_cut_off ? 1 : 0);
  if (!is_cut_off) {
    is_told_ = false;
    return;
  }
  if (!std::exchange(is_told_, true)) {
    Log(LogLevel::kError, "index_cut_off",
        {{"changes", applier_->Applied().changes},
         {"what_happens", "The log has lost what comes next. The index is built anew; until then it grows old."}});
  }
  const std::scoped_lock lock(*upkeep_);
  if (const Status built = rebuild_(); !built) throw StoreError(built.error());
  rebuilds_.Add();
  Log(LogLevel::kInfo, "index_rebuilt", {{"changes", applier_->Applied().changes}});
}

}  // namespace novafeed
