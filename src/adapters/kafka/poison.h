// What is done with messages that cannot be read.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "adapters/kafka/client.h"
#include "adapters/kafka/open.h"
#include "base/log.h"
#include "base/metrics.h"

namespace novafeed::kafka {

// Counts, logs (one in a second) and hands them on. For one thread at a time.
class PoisonReport {
 public:
  PoisonReport(const std::vector<std::string>& topics, std::function<void(const PoisonMessage&)> hand_on,
               Metrics* metrics);

  // A message of one of the topics.
  void Note(const Message& message, const std::string& reason);

 private:
  std::map<std::string, Counter, std::less<>> counters_;  // by topic
  const std::function<void(const PoisonMessage&)> hand_on_;
  LogGate log_{1000};
};

}  // namespace novafeed::kafka
