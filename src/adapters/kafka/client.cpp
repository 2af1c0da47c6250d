#include "adapters/kafka/client.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <utility>

#include "adapters/kafka/address.h"
#include "graph/store.h"

namespace novafeed::kafka {
namespace {

constexpr std::int64_t kRetryMs = 1000;

[[noreturn]] void ThrowUnavailable(const std::string& why) {
  throw StoreError(Error{Failure::kUnavailable, "log_unavailable", "Kafka: " + why, kRetryMs});
}

int MillisecondsUntil(Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

Result<std::string> ReadSecret(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string secret{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  while (secret.ends_with('\n') || secret.ends_with('\r')) secret.pop_back();
  if (!file.is_open() || file.bad() || secret.empty()) {
    return Fail(Failure::kInvalid, "bad_password_file",
                "The file " + path + " with a password of Kafka cannot be read.");
  }
  return secret;
}

struct DestroyConf {
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
};
using Conf = std::unique_ptr<rd_kafka_conf_t, DestroyConf>;

// Throws std::runtime_error with librdkafka's words, which repeat no value of a password.
void Set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  std::array<char, 512> why;
  if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why.data(), why.size()) != RD_KAFKA_CONF_OK) {
    throw std::runtime_error(why.data());
  }
}

struct DestroyList {
  void operator()(rd_kafka_topic_partition_list_t* list) const { rd_kafka_topic_partition_list_destroy(list); }
};
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t, DestroyList>;

PartitionList ListOf(const std::vector<TopicPlace>& places) {
  PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(places.size())));
  for (const TopicPlace& place : places) {
    rd_kafka_topic_partition_list_add(list.get(), place.topic.c_str(), 0)->offset = place.offset;
  }
  return list;
}

struct DestroyMetadata {
  void operator()(const rd_kafka_metadata_t* metadata) const { rd_kafka_metadata_destroy(metadata); }
};
using Metadata = std::unique_ptr<const rd_kafka_metadata_t, DestroyMetadata>;

void RequireOnePartition(const rd_kafka_metadata_t& metadata, const std::string& name) {
  for (int i = 0; i < metadata.topic_cnt; ++i) {
    const rd_kafka_metadata_topic_t& topic = metadata.topics[i];
    if (name != topic.topic) continue;
    if (topic.err != RD_KAFKA_RESP_ERR_NO_ERROR) ThrowUnavailable(name + ": " + rd_kafka_err2str(topic.err));
    if (topic.partition_cnt != 1) {
      throw StoreError(Error{Failure::kInternal, "bad_topic",
                             "The topic " + name + " has " + std::to_string(topic.partition_cnt) +
                                 " partitions; what capture writes in one order must have one.",
                             0});
    }
    return;
  }
  ThrowUnavailable("there is no topic " + name + ".");
}

}  // namespace

// What librdkafka calls. Only here, so that the header needs none of its types.
struct ClientCallbacks {
  static void OnLog(const rd_kafka_t* handle, int level, const char* facility, const char* text) {
    auto* client = static_cast<Client*>(rd_kafka_opaque(handle));
    if (level > 4 || !client->log_gate_.Open()) return;  // from "warning" on; it repeats itself with every attempt
    Log(LogLevel::kWarn, "kafka_client",
        {{"client", client->name_}, {"facility", std::string(facility)}, {"text", std::string(text)}});
  }
  static void OnError(rd_kafka_t*, int code, const char* reason, void* client) {
    static_cast<Client*>(client)->NoteError(code, reason);
  }
  static void OnArrival(rd_kafka_t*, void* client) { static_cast<Client*>(client)->Announce(); }
};

Result<Access> ReadAccess(const KafkaOptions& options) {
  const Result<Address> address = ParseUrl(options.url);
  if (!address) return tl::unexpected<Error>(address.error());
  Access access;
  auto& settings = access.settings;
  settings.emplace_back("bootstrap.servers", address->brokers);
  const bool logs_in = !address->user.empty();
  settings.emplace_back("security.protocol",
                        address->tls ? (logs_in ? "sasl_ssl" : "ssl") : (logs_in ? "sasl_plaintext" : "plaintext"));
  if (logs_in) {
    const Result<std::string> password = ReadSecret(options.password_file);
    if (!password) return tl::unexpected<Error>(password.error());
    settings.emplace_back("sasl.mechanism", options.sasl_mechanism);
    settings.emplace_back("sasl.username", address->user);
    settings.emplace_back("sasl.password", *password);
  }
  if (address->tls) {
    settings.emplace_back("ssl.endpoint.identification.algorithm", "https");
    if (!options.ca_file.empty()) settings.emplace_back("ssl.ca.location", options.ca_file);
    if (!options.certificate_file.empty()) {
      settings.emplace_back("ssl.certificate.location", options.certificate_file);
      settings.emplace_back("ssl.key.location", options.key_file);
    }
    if (!options.key_password_file.empty()) {
      const Result<std::string> password = ReadSecret(options.key_password_file);
      if (!password) return tl::unexpected<Error>(password.error());
      settings.emplace_back("ssl.key.password", *password);
    }
  }
  return access;
}

std::string_view Message::topic() const {
  return rd_kafka_topic_name(message_->rkt);
}

std::int64_t Message::offset() const {
  return message_->offset;
}

std::string_view Message::key() const {
  return {static_cast<const char*>(message_->key), message_->key_len};
}

std::string_view Message::value() const {
  return {static_cast<const char*>(message_->payload), message_->len};
}

void Message::Destroy::operator()(rd_kafka_message_s* message) const {
  rd_kafka_message_destroy(message);
}

void Client::Destroy::operator()(rd_kafka_s* handle) const {
  rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

void Client::Destroy::operator()(rd_kafka_queue_s* queue) const {
  rd_kafka_queue_cb_event_enable(queue, nullptr, nullptr);
  rd_kafka_queue_destroy(queue);
}

Client::Client(const Access& access, std::string name, Use use, ClientMetrics metrics)
    : name_(std::move(name)), metrics_(metrics) {
  Conf conf(rd_kafka_conf_new());
  for (const auto& [setting, value] : access.settings) Set(conf.get(), setting, value);
  Set(conf.get(), "client.id", name_);
  Set(conf.get(), "group.id", "novafeed-reader");  // librdkafka wants a name; no group is ever joined
  Set(conf.get(), "enable.auto.commit", "false");
  Set(conf.get(), "enable.auto.offset.store", "false");
  Set(conf.get(), "auto.offset.reset", "error");
  if (use == Use::kFollow) {
    Set(conf.get(), "fetch.wait.max.ms", "100");
    Set(conf.get(), "queued.max.messages.kbytes", "16384");  // of each topic
  } else {
    // A broker answers one fetch after the other: one that waits for more, or brings what nobody wants, delays the
    // next.
    Set(conf.get(), "fetch.wait.max.ms", "1");
    Set(conf.get(), "fetch.message.max.bytes", "4096");
  }
  Set(conf.get(), "fetch.error.backoff.ms", "100");
  Set(conf.get(), "socket.nagle.disable", "true");
  Set(conf.get(), "socket.keepalive.enable", "true");
  Set(conf.get(), "reconnect.backoff.ms", "50");
  Set(conf.get(), "reconnect.backoff.max.ms", "1000");
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_log_cb(conf.get(), &ClientCallbacks::OnLog);
  rd_kafka_conf_set_error_cb(conf.get(), &ClientCallbacks::OnError);

  std::array<char, 512> why;
  handle_.reset(rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), why.data(), why.size()));
  if (!handle_) throw std::runtime_error(why.data());
  [[maybe_unused]] const rd_kafka_conf_t* taken_over = conf.release();
  rd_kafka_poll_set_consumer(handle_.get());
  queue_.reset(rd_kafka_queue_get_consumer(handle_.get()));
  rd_kafka_queue_cb_event_enable(queue_.get(), &ClientCallbacks::OnArrival, this);
}

Client::~Client() = default;

std::vector<TopicRange> Client::Ranges(const std::vector<std::string>& topics, Deadline deadline) {
  const rd_kafka_metadata_t* known = nullptr;
  const auto asked = rd_kafka_metadata(handle_.get(), 1, nullptr, &known, MillisecondsUntil(deadline));
  if (asked != RD_KAFKA_RESP_ERR_NO_ERROR) ThrowUnavailable(rd_kafka_err2str(asked));
  const Metadata metadata(known);
  std::vector<TopicRange> ranges;
  for (const std::string& topic : topics) {
    RequireOnePartition(*metadata, topic);
    TopicRange range;
    const auto answered = rd_kafka_query_watermark_offsets(handle_.get(), topic.c_str(), 0, &range.first, &range.end,
                                                           MillisecondsUntil(deadline));
    if (answered != RD_KAFKA_RESP_ERR_NO_ERROR) ThrowUnavailable(topic + ": " + rd_kafka_err2str(answered));
    ranges.push_back(range);
  }
  NoteAnswer();
  return ranges;
}

void Client::Assign(const std::vector<TopicPlace>& places) {
  const auto done = rd_kafka_assign(handle_.get(), ListOf(places).get());
  if (done != RD_KAFKA_RESP_ERR_NO_ERROR) ThrowUnavailable(rd_kafka_err2str(done));
}

std::optional<Message> Client::Poll(Deadline deadline) {
  while (true) {
    rd_kafka_message_t* polled = rd_kafka_consumer_poll(handle_.get(), MillisecondsUntil(deadline));
    if (polled == nullptr) return std::nullopt;
    Message message(polled);
    if (polled->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      NoteAnswer();
      return message;
    }
    const std::string topic = polled->rkt != nullptr ? rd_kafka_topic_name(polled->rkt) : "";
    if (polled->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || polled->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
      throw StoreError(Error{Failure::kConflict, "log_forgotten",
                             "Messages of the topic " + topic + " that were to be read are gone.", 0});
    }
    NoteError(polled->err, rd_kafka_message_errstr(polled));
  }
}

void Client::Pause(const std::string& topic, bool paused) {
  const PartitionList list = ListOf({{topic, RD_KAFKA_OFFSET_INVALID}});
  if (paused) {
    rd_kafka_pause_partitions(handle_.get(), list.get());
  } else {
    rd_kafka_resume_partitions(handle_.get(), list.get());
  }
}

std::int64_t Client::Behind(const std::string& topic, std::int64_t offset) const {
  TopicRange range;
  const auto known = rd_kafka_get_watermark_offsets(handle_.get(), topic.c_str(), 0, &range.first, &range.end);
  return known == RD_KAFKA_RESP_ERR_NO_ERROR ? std::max<std::int64_t>(0, range.end - offset) : 0;
}

void Client::SetArrival(std::function<void()> arrived) {
  const std::scoped_lock lock(arrival_mutex_);
  arrived_ = std::move(arrived);
}

void Client::Announce() {
  const std::scoped_lock lock(arrival_mutex_);
  if (arrived_) arrived_();
}

void Client::NoteError(int code, const char* reason) {
  const bool is_loss = code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
                       code == RD_KAFKA_RESP_ERR__SSL;
  if (!is_loss || lost_) return;
  lost_ = true;
  metrics_.losses.Add();
  Log(LogLevel::kWarn, "kafka_unavailable", {{"client", name_}, {"reason", std::string(reason)}});
}

void Client::NoteAnswer() {
  if (!lost_) return;
  lost_ = false;
  metrics_.reconnects.Add();
  Log(LogLevel::kInfo, "kafka_available", {{"client", name_}});
}

}  // namespace novafeed::kafka
