// librdkafka: one idempotent producer of one topic.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/kafka/connection.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "stream/event_points.h"

struct rd_kafka_s;
struct rd_kafka_message_s;

namespace novafeed::kafka {

struct Outgoing {
  std::string key;  // messages with the same one go to the same partition, in order
  std::string value;
  TimeMs at = 0;
  std::vector<std::pair<std::string, std::string>> headers{};
};

// Thread-safe.
class Producer {
 public:
  struct Options {
    std::chrono::milliseconds timeout{5000};  // of a delivery
    std::size_t max_queued = 100'000;         // messages that are not delivered yet
  };
  // Points (offset + 1) within which all messages of a Send lie; or that this is not sure of all of them:
  // kUnavailable "log_unavailable", "overloaded". Once: on the producer's thread, which it must not hold up; on the
  // caller's, inside Send, where nothing could be queued.
  using Sent = std::function<void(Result<EventPoints>)>;

  // Throws std::runtime_error where librdkafka does not take the options. `metrics` outlives it.
  Producer(const Access& access, std::string topic, Options options, Metrics* metrics);
  // Waits for what is on its way, `timeout` at the most; what is not delivered then has failed.
  ~Producer();
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  void Send(const std::vector<Outgoing>& messages, Sent sent);

 private:
  friend struct ProducerCallbacks;
  struct Destroy {
    void operator()(rd_kafka_s* handle) const;
  };
  using Handle = std::unique_ptr<rd_kafka_s, Destroy>;
  class Batch;

  Handle NewHandle();
  void Run();
  void RenewIfBroken();
  bool Reserve(std::size_t messages);
  void Put(const Outgoing& message, Batch* batch);
  void NoteDelivery(const rd_kafka_message_s& message, Batch* batch);
  void Finish(Batch* batch);
  void CountRefused(const Error& error, std::size_t messages);

  const Access access_;
  const std::string topic_;
  const Options options_;
  Metrics* const metrics_;
  Gauge queued_gauge_;
  Connection connection_;  // outlives the handle; the thread's
  std::atomic<std::size_t> queued_{0};
  std::atomic<bool> stopping_{false};
  std::mutex handle_mutex_;  // held while the thread changes the handle, and by who else uses it
  Handle handle_;
  std::thread thread_;
};

}  // namespace novafeed::kafka
