#include "adapters/sqlite/failure_report.h"

namespace novafeed::sqlite {

FailureReport::FailureReport(const std::string& store, Metrics* metrics)
    : WriteReport(store, metrics),
      checkpoint_failures_(metrics->AddCounter("novafeed_store_checkpoint_failures_total",
                                               "Times the write-ahead log could not be folded into its file.",
                                               {{"store", store}})) {}

void FailureReport::CheckpointFailed(const Error& error) {
  checkpoint_failures_.Add();
  Say(LogLevel::kWarn, "store_checkpoint_failed", error, &checkpoint_gate_);
}

}  // namespace novafeed::sqlite
