#include "adapters/kafka/poison.h"

#include <utility>

namespace novafeed::kafka {

PoisonReport::PoisonReport(const std::vector<std::string>& topics, std::function<void(const PoisonMessage&)> hand_on,
                           Metrics* metrics)
    : hand_on_(std::move(hand_on)) {
  for (const std::string& topic : topics) {
    counters_.emplace(topic, metrics->AddCounter("novafeed_kafka_poison_messages_total",
                                                 "Messages that cannot be read.", {{"topic", topic}}));
  }
}

void PoisonReport::Note(const Message& message, const std::string& reason) {
  if (const auto counter = counters_.find(message.topic()); counter != counters_.end()) counter->second.Add();
  if (log_.Open()) {
    Log(LogLevel::kError, "kafka_poison_message",
        {{"topic", std::string(message.topic())},
         {"partition", static_cast<std::int64_t>(message.partition())},
         {"offset", message.offset()},
         {"reason", reason}});
  }
  if (hand_on_) {
    hand_on_({message.topic(), message.partition(), message.offset(), message.key(), message.value(), reason});
  }
}

}  // namespace novafeed::kafka
