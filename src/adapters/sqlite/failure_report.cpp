#include "adapters/sqlite/failure_report.h"

#include <utility>

namespace novafeed::sqlite {
namespace {

constexpr std::int64_t kLogIntervalMs = 10'000;

bool IsFaultOfStore(const Error& error) {
  return error.failure == Failure::kStorageFull || error.failure == Failure::kUnavailable ||
         error.failure == Failure::kInternal;
}

}  // namespace

FailureReport::FailureReport(std::string store, Metrics* metrics)
    : store_(std::move(store)),
      metrics_(metrics),
      checkpoint_failures_(metrics->AddCounter("novafeed_store_checkpoint_failures_total",
                                               "Times the write-ahead log could not be folded into its file.",
                                               {{"store", store_}})),
      write_gate_(kLogIntervalMs),
      refusal_gate_(kLogIntervalMs),
      checkpoint_gate_(kLogIntervalMs) {}

void FailureReport::RolledBack(const Error& error, std::size_t works) {
  Count("novafeed_store_failed_works_total", "Works that were rolled back.", error, works);
  if (IsFaultOfStore(error)) Say(LogLevel::kError, "store_write_failed", error, &write_gate_);
}

void FailureReport::Refused(const Error& error) {
  Count("novafeed_store_refused_total", "Writes that were not begun: the queue or the log was full.", error, 1);
  Say(LogLevel::kWarn, "store_write_refused", error, &refusal_gate_);
}

void FailureReport::CheckpointFailed(const Error& error) {
  checkpoint_failures_.Add();
  Say(LogLevel::kWarn, "store_checkpoint_failed", error, &checkpoint_gate_);
}

// Codes are few, and known only when they come; the metric is looked up by them.
void FailureReport::Count(const std::string& metric, const std::string& help, const Error& error, std::size_t by) {
  metrics_->AddCounter(metric, help, {{"store", store_}, {"code", error.code}}).Add(static_cast<double>(by));
}

void FailureReport::Say(LogLevel level, std::string_view event, const Error& error, LogGate* gate) const {
  if (!gate->Open()) return;
  Log(level, event, {{"store", store_}, {"code", error.code}, {"detail", error.detail}});
}

}  // namespace novafeed::sqlite
