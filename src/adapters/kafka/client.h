// librdkafka: one consumer that reads partition 0 of some topics from places that its owner keeps. No consumer group:
// nothing is committed, and nobody else's reading changes what this one gets.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/kafka/open.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/result.h"

struct rd_kafka_s;
struct rd_kafka_message_s;
struct rd_kafka_queue_s;

namespace novafeed::kafka {

using SteadyClock = std::chrono::steady_clock;
using Deadline = SteadyClock::time_point;

// How to connect, checked, with its secrets. It is copied into each client.
struct Access {
  std::vector<std::pair<std::string, std::string>> settings;  // librdkafka's
};
Result<Access> ReadAccess(const KafkaOptions& options);

struct TopicPlace {
  std::string topic;
  std::int64_t offset = 0;
};

// Offsets of a topic's messages: from `first` up to, not including, `end`.
struct TopicRange {
  std::int64_t first = 0;
  std::int64_t end = 0;
};

// A message, as long as this object lives.
class Message {
 public:
  explicit Message(rd_kafka_message_s* message) : message_(message) {}
  std::string_view topic() const;
  std::int64_t offset() const;
  std::string_view key() const;
  std::string_view value() const;

 private:
  struct Destroy {
    void operator()(rd_kafka_message_s* message) const;
  };
  std::unique_ptr<rd_kafka_message_s, Destroy> message_;
};

struct ClientMetrics {
  Counter losses;      // times no broker could be reached
  Counter reconnects;  // times one answered again
};

// For one thread at a time, but for SetArrival. Errors are StoreError kUnavailable "log_unavailable"; kConflict
// "log_forgotten" where messages that were to be read are gone.
class Client {
 public:
  enum class Use { kFollow, kLookUp };  // streams, or single messages here and there

  // `name` stands in log lines.
  Client(const Access& access, std::string name, Use use, ClientMetrics metrics);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Where each topic begins and ends now. Each must have exactly one partition.
  std::vector<TopicRange> Ranges(const std::vector<std::string>& topics, Deadline deadline);

  // Reads on from these places, and from no others.
  void Assign(const std::vector<TopicPlace>& places);
  // One message, waiting for it until `deadline` at most; empty: none has come.
  std::optional<Message> Poll(Deadline deadline);
  void Pause(const std::string& topic, bool paused);
  // How many messages of the topic the broker has behind `offset`, as far as is known here.
  std::int64_t Behind(const std::string& topic, std::int64_t offset) const;

  // Whether no broker can be reached, as far as is known.
  bool IsLost() const { return lost_; }
  // Called, from another thread, soon after something has come that Poll gives; it must not wait, and calls nothing of
  // this. Once this returns with nullptr, it is not called any more. From any thread.
  void SetArrival(std::function<void()> arrived);

 private:
  friend struct ClientCallbacks;
  struct Destroy {
    void operator()(rd_kafka_s* handle) const;
    void operator()(rd_kafka_queue_s* queue) const;
  };

  void NoteError(int code, const char* reason);
  void NoteAnswer();
  void Announce();

  const std::string name_;
  const ClientMetrics metrics_;
  bool lost_ = false;
  LogGate log_gate_{5000};
  std::mutex arrival_mutex_;
  std::function<void()> arrived_;
  std::unique_ptr<rd_kafka_s, Destroy> handle_;
  std::unique_ptr<rd_kafka_queue_s, Destroy> queue_;  // goes before the handle
};

}  // namespace novafeed::kafka
