#include "adapters/kafka/connection.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "adapters/kafka/address.h"

namespace novafeed::kafka {
namespace {

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

void OnLog(const rd_kafka_t* handle, int level, const char* facility, const char* text) {
  static_cast<Connection*>(rd_kafka_opaque(handle))->Say(level, facility, text);
}

void OnError(rd_kafka_t*, int code, const char* reason, void* connection) {
  static_cast<Connection*>(connection)->NoteError(code, reason);
}

}  // namespace

int MillisecondsUntil(Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

Error UnavailableError(const std::string& why) {
  return Error{Failure::kUnavailable, "log_unavailable", "Kafka: " + why, kRetryMs};
}

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

ConnectionMetrics::ConnectionMetrics(Metrics* metrics)
    : losses(metrics->AddCounter("novafeed_kafka_losses_total", "Times no broker of Kafka could be reached.")),
      reconnects(metrics->AddCounter("novafeed_kafka_reconnects_total", "Times Kafka answered again.")) {}

void Connection::NoteError(int code, const char* reason) {
  const bool is_loss = code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
                       code == RD_KAFKA_RESP_ERR__SSL;
  if (!is_loss || lost_) return;
  lost_ = true;
  metrics_.losses.Add();
  Log(LogLevel::kWarn, "kafka_unavailable", {{"client", name_}, {"reason", std::string(reason)}});
}

void Connection::NoteAnswer() {
  if (!lost_) return;
  lost_ = false;
  metrics_.reconnects.Add();
  Log(LogLevel::kInfo, "kafka_available", {{"client", name_}});
}

void Connection::Say(int level, const char* facility, const char* text) {
  if (level > 4 || !log_gate_.Open()) return;  // from "warning" on; it repeats itself with every attempt
  Log(LogLevel::kWarn, "kafka_client",
      {{"client", name_}, {"facility", std::string(facility)}, {"text", std::string(text)}});
}

void DestroyConf::operator()(rd_kafka_conf_s* conf) const {
  rd_kafka_conf_destroy(conf);
}

Conf NewConf(const Access& access, Connection* connection) {
  Conf conf(rd_kafka_conf_new());
  for (const auto& [setting, value] : access.settings) Set(conf, setting, value);
  Set(conf, "client.id", connection->name());
  Set(conf, "socket.nagle.disable", "true");
  Set(conf, "socket.keepalive.enable", "true");
  Set(conf, "reconnect.backoff.ms", "50");
  Set(conf, "reconnect.backoff.max.ms", "1000");
  rd_kafka_conf_set_opaque(conf.get(), connection);
  rd_kafka_conf_set_log_cb(conf.get(), &OnLog);
  rd_kafka_conf_set_error_cb(conf.get(), &OnError);
  return conf;
}

void Set(const Conf& conf, const std::string& name, const std::string& value) {
  std::array<char, 512> why;
  if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), why.data(), why.size()) != RD_KAFKA_CONF_OK) {
    throw std::runtime_error(why.data());
  }
}

}  // namespace novafeed::kafka
