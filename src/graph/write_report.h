// How a store says that it did not do what it was asked to: one log line in a while, and a metric for every time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/metrics.h"
#include "base/result.h"

namespace novafeed {

// What the caller of a work is told that threw: of a StoreError its own Error, of anything else kInternal
// "write_failed".
Error WriteErrorOf(const std::exception_ptr& thrown);

// Thread-safe. Lines of one kind come at most every ten seconds.
class WriteReport {
 public:
  // `store` is the label of the metrics and of the lines; `metrics` outlives this.
  WriteReport(std::string store, Metrics* metrics);

  // Works were rolled back. A log line only where it was the store that failed (or a bug): a work may also be taken
  // back by its caller, with an Error of any other kind.
  void RolledBack(const Error& error, std::size_t works);
  // A write was not even begun: the queue or the log is full.
  void Refused(const Error& error);

 protected:
  void Say(LogLevel level, std::string_view event, const Error& error, LogGate* gate) const;

  static constexpr std::int64_t kLogIntervalMs = 10'000;

 private:
  void Count(const std::string& metric, const std::string& help, const Error& error, std::size_t by);

  const std::string store_;
  Metrics* metrics_;
  LogGate write_gate_{kLogIntervalMs};
  LogGate refusal_gate_{kLogIntervalMs};
};

}  // namespace novafeed
