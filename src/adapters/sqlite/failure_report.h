// How a store says that it does not do what it was asked to: one log line in a while, and a metric for every time.
#pragma once

#include <cstddef>
#include <string>

#include "base/log.h"
#include "base/metrics.h"
#include "base/result.h"

namespace novafeed::sqlite {

// Thread-safe. Lines of one kind come at most every ten seconds.
class FailureReport {
 public:
  // `store` is the label of the metrics and of the lines; `metrics` outlives this.
  FailureReport(std::string store, Metrics* metrics);

  // Works were rolled back. A log line only where it was the store that failed (or a bug): a work may also be taken
  // back by its caller, with an Error of any other kind.
  void RolledBack(const Error& error, std::size_t works);
  // A write was not even begun: the queue or the log is full.
  void Refused(const Error& error);
  // The write-ahead log could not be folded into the file.
  void CheckpointFailed(const Error& error);

 private:
  void Count(const std::string& metric, const std::string& help, const Error& error, std::size_t by);
  void Say(LogLevel level, std::string_view event, const Error& error, LogGate* gate) const;

  const std::string store_;
  Metrics* metrics_;
  Counter checkpoint_failures_;
  LogGate write_gate_;
  LogGate refusal_gate_;
  LogGate checkpoint_gate_;
};

}  // namespace novafeed::sqlite
