// What may fail in a store that is a file.
#pragma once

#include <string>

#include "graph/write_report.h"

namespace novafeed::sqlite {

// Thread-safe, as what it is made from.
class FailureReport : public WriteReport {
 public:
  // As WriteReport.
  FailureReport(const std::string& store, Metrics* metrics);

  // The write-ahead log could not be folded into the file.
  void CheckpointFailed(const Error& error);

 private:
  Counter checkpoint_failures_;
  LogGate checkpoint_gate_{kLogIntervalMs};
};

}  // namespace novafeed::sqlite
