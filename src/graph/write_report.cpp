#include "graph/write_report.h"

#include <utility>

#include "graph/store.h"

namespace novafeed {
namespace {

bool IsFaultOfStore(const Error& error) {
  return error.failure == Failure::kStorageFull || error.failure == Failure::kUnavailable ||
         error.failure == Failure::kInternal;
}

}  // namespace

Error WriteErrorOf(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const StoreError& error) {
    return error.error();
  } catch (const std::exception& error) {
    return {Failure::kInternal, "write_failed", std::string("A write failed and was taken back: ") + error.what()};
  } catch (...) {
    return {Failure::kInternal, "write_failed", "A write failed and was taken back."};
  }
}

WriteReport::WriteReport(std::string store, Metrics* metrics) : store_(std::move(store)), metrics_(metrics) {}

void WriteReport::RolledBack(const Error& error, std::size_t works) {
  Count("novafeed_store_failed_works_total", "Works that were rolled back.", error, works);
  if (IsFaultOfStore(error)) Say(LogLevel::kError, "store_write_failed", error, &write_gate_);
}

void WriteReport::Refused(const Error& error) {
  Count("novafeed_store_refused_total", "Writes that were not begun: the queue or the log was full.", error, 1);
  Say(LogLevel::kWarn, "store_write_refused", error, &refusal_gate_);
}

// Codes are few, and known only when they come; the metric is looked up by them.
void WriteReport::Count(const std::string& metric, const std::string& help, const Error& error, std::size_t by) {
  metrics_->AddCounter(metric, help, {{"store", store_}, {"code", error.code}}).Add(static_cast<double>(by));
}

void WriteReport::Say(LogLevel level, std::string_view event, const Error& error, LogGate* gate) const {
  if (!gate->Open()) return;
  Log(level, event, {{"store", store_}, {"code", error.code}, {"detail", error.detail}});
}

}  // namespace novafeed
