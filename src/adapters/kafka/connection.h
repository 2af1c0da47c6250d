// What every client of Kafka has in common: how it gets there, what it says when nobody answers, and librdkafka's
// configuration.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "adapters/kafka/open.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/result.h"
#include "graph/store.h"

struct rd_kafka_conf_s;

namespace novafeed::kafka {

using SteadyClock = std::chrono::steady_clock;
using Deadline = SteadyClock::time_point;

// As librdkafka's calls take it; 0 where it has passed.
int MillisecondsUntil(Deadline deadline);

inline constexpr std::int64_t kRetryMs = 1000;

Error UnavailableError(const std::string& why);
inline StoreError Unavailable(const std::string& why) {
  return StoreError(UnavailableError(why));
}

// How to connect, checked, with its secrets. It is copied into each client.
struct Access {
  std::vector<std::pair<std::string, std::string>> settings;  // librdkafka's
};
Result<Access> ReadAccess(const KafkaOptions& options);

struct ConnectionMetrics {
  explicit ConnectionMetrics(Metrics* metrics);
  Counter losses;      // times no broker could be reached
  Counter reconnects;  // times one answered again
};

// Whether a client's brokers can be reached, as far as is known: counted and said where it changes. For the thread that
// polls the client, but for Say.
class Connection {
 public:
  // `name` stands in log lines.
  Connection(std::string name, ConnectionMetrics metrics) : name_(std::move(name)), metrics_(metrics) {}

  void NoteError(int code, const char* reason);
  void NoteAnswer();
  bool IsLost() const { return lost_; }
  // What librdkafka logs. From any thread.
  void Say(int level, const char* facility, const char* text);

  const std::string& name() const { return name_; }

 private:
  const std::string name_;
  const ConnectionMetrics metrics_;
  bool lost_ = false;
  LogGate log_gate_{5000};
};

struct DestroyConf {
  void operator()(rd_kafka_conf_s* conf) const;
};
using Conf = std::unique_ptr<rd_kafka_conf_s, DestroyConf>;

// A client's configuration; errors and log lines go to `connection`, which outlives the client. Both throw
// std::runtime_error with librdkafka's words, which repeat no value of a password.
Conf NewConf(const Access& access, Connection* connection);
void Set(const Conf& conf, const std::string& name, const std::string& value);

}  // namespace novafeed::kafka
