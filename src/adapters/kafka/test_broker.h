// For the tests of this room: a real Kafka broker of the test program's own, and a writer that puts onto its topics
// what Debezium would.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/json.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "adapters/kafka/open.h"
#include "adapters/kafka/topics.h"
#include "base/test_ports.h"
#include "base/test_support.h"
#include "capture/envelope.h"

namespace novafeed::kafka {

inline const std::filesystem::path kCheckout = NOVAFEED_SOURCE_DIR;

inline std::filesystem::path Jars() {
  return kCheckout / "build/cluster/jars/kafka";
}

inline bool KafkaIsInstalled() {
  return std::filesystem::exists(Jars()) && std::system("command -v java >/dev/null") == 0;
}

#define NOVAFEED_NEEDS_KAFKA()                                                \
  if (!KafkaIsInstalled()) {                                                  \
    GTEST_SKIP() << "Kafka is not installed: ./cluster install --only kafka"; \
  }

inline void Run(const std::string& command) {
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

// A broker that ends with the test program, also when that crashes. It listens in the clear; and with TLS, where it
// asks clients for a certificate and for a user with a password.
class TestBroker {
 public:
  TestBroker() {
    MakeCertificates();
    std::ofstream(File("password")) << kPassword << "\n";
    WriteSettings();
    Java("kafka.tools.StorageTool format --cluster-id AAAAAAAAAAAAAAAAAAAAAA --config " + File("settings"));
    Start();
    MakeTopics();
  }
  ~TestBroker() { Kill(); }
  TestBroker(const TestBroker&) = delete;
  TestBroker& operator=(const TestBroker&) = delete;

  static constexpr const char* kPassword = "sesame";

  void Start() {
    process_ = fork();
    if (process_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      const int log = open(File("log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
      dup2(log, STDOUT_FILENO);
      dup2(log, STDERR_FILENO);
      const std::string command = "exec " + JavaCommand("kafka.Kafka " + File("settings"));
      execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      _exit(127);
    }
    WaitUntil("the broker listens", [this] {
      if (waitpid(process_, nullptr, WNOHANG) == process_) throw std::runtime_error("the broker ended: " + Log());
      return Listens();
    });
  }
  // kill -9; nothing if it does not run.
  void Kill() {
    if (process_ <= 0) return;
    kill(process_, SIGCONT);
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
    process_ = -1;
  }
  // Those that are missing.
  void MakeTopics() const {
    Run("/usr/bin/python3 -B " + (kCheckout / "deploy/kafka/kafka.py").string() + " topics " + Plain() + " " +
        (kCheckout / "deploy/kafka/topics.toml").string());
  }
  void Stop() const { kill(process_, SIGSTOP); }
  void GoOn() const { kill(process_, SIGCONT); }

  std::string Plain() const { return "127.0.0.1:" + std::to_string(plain_port_); }
  KafkaOptions Options() const {
    KafkaOptions options;
    options.url = "kafka://" + Plain();
    options.call_timeout = std::chrono::seconds(20);  // this machine may be busy
    return options;
  }
  KafkaOptions SecretOptions() const {
    KafkaOptions options = Options();
    options.url = "kafkas://nova@127.0.0.1:" + std::to_string(secret_port_);
    options.password_file = File("password");
    options.ca_file = File("ca.crt");
    options.certificate_file = File("client.crt");
    options.key_file = File("client.key");
    return options;
  }
  std::string File(const std::string& name) const { return (directory_.path() / name).string(); }

 private:
  // Starts in half the time with the archive of classes that ./cluster leaves (deploy/native/jvm.sh).
  static std::string ClassArchive() {
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(kCheckout / "build/cluster/classes", none)) {
      const std::string path = entry.path().string();
      if (entry.path().filename().string().starts_with("kafka-")) return " -XX:SharedArchiveFile='" + path + "'";
    }
    return "";
  }
  static std::string JavaCommand(const std::string& rest) {
    return "java -Xms64m -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xlog:disable -Xlog:all=error:stderr" +
           ClassArchive() + " -Dlog4j2.configurationFile='" + (kCheckout / "deploy/kafka/log4j2.xml").string() +
           "' -cp '" + Jars().string() + "/*' " + rest;
  }
  void Java(const std::string& rest) const {
    const std::string command = JavaCommand(rest) + " >>" + File("log") + " 2>&1";
    if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command + "\n" + Log());
  }

  void WriteSettings() const {
    std::ifstream shipped(kCheckout / "deploy/kafka/server.properties");
    std::ofstream settings(File("settings"));
    for (std::string line; std::getline(shipped, line);) {
      if (!line.starts_with("listener.security.protocol.map")) settings << line << "\n";
    }
    const std::string controller = "127.0.0.1:" + std::to_string(controller_port_);
    const std::string listeners = "PLAINTEXT://" + Plain() + ",SECRET://127.0.0.1:" + std::to_string(secret_port_);
    settings << "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECRET:SASL_SSL\n"
             << "listeners=" << listeners << ",CONTROLLER://" << controller << "\n"
             << "advertised.listeners=" << listeners << "\n"
             << "controller.quorum.voters=1@" << controller << "\n"
             << "log.dirs=" << File("data") << "\n"
             << "log.retention.check.interval.ms=500\n"
             << "log.initial.task.delay.ms=500\n"
             << "listener.name.secret.sasl.enabled.mechanisms=PLAIN\n"
             << "listener.name.secret.plain.sasl.jaas.config="
                "org.apache.kafka.common.security.plain.PlainLoginModule required user_nova=\""
             << kPassword << "\";\n"
             << "listener.name.secret.ssl.client.auth=required\n"
             << "listener.name.secret.ssl.keystore.type=PEM\n"
             << "listener.name.secret.ssl.keystore.location=" << File("server.pem") << "\n"
             << "listener.name.secret.ssl.truststore.type=PEM\n"
             << "listener.name.secret.ssl.truststore.location=" << File("ca.crt") << "\n";
  }

  // A maker of certificates, one of this machine, and one of a client.
  void MakeCertificates() const {
    Run("cd '" + directory_.path().string() +
        "' && exec 2>/dev/null && curve='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'"
        " && openssl req -x509 $curve -days 2 -keyout ca.key -out ca.crt -subj /CN=ca"
        " && openssl req -x509 $curve -days 2 -keyout other.key -out other.crt -subj /CN=other"
        " && printf 'subjectAltName=IP:127.0.0.1' >names"
        " && for who in server client; do"
        "   openssl req $curve -keyout $who.key -out $who.csr -subj /CN=$who"
        "   && openssl x509 -req -in $who.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names"
        "        -out $who.crt || exit 1; done"
        " && cat server.key server.crt >server.pem");
  }

  bool Listens() const {
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = testing::Loopback(plain_port_);
    const bool connected = connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    close(descriptor);
    return connected;
  }

  std::string Log() const {
    std::stringstream text;
    text << std::ifstream(File("log")).rdbuf();
    return text.str();
  }

  TempDirectory directory_;
  const int plain_port_ = testing::FreePort();
  const int secret_port_ = testing::FreePort();
  const int controller_port_ = testing::FreePort();
  pid_t process_ = -1;
};

// One for all tests of the program.
inline TestBroker& SharedBroker() {
  static TestBroker broker;
  return broker;
}

// Puts messages onto topics, each acknowledged before the call returns.
class TestProducer {
 public:
  explicit TestProducer(const std::string& brokers) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    std::array<char, 512> why;
    for (const auto& [name, value] : std::map<std::string, std::string>{
             {"bootstrap.servers", brokers}, {"linger.ms", "0"}, {"enable.idempotence", "true"}, {"log_level", "0"}}) {
      rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why.data(), why.size());
    }
    handle_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why.data(), why.size());
    if (handle_ == nullptr) throw std::runtime_error(why.data());
  }
  ~TestProducer() { rd_kafka_destroy(handle_); }
  TestProducer(const TestProducer&) = delete;
  TestProducer& operator=(const TestProducer&) = delete;

  void Put(std::string_view topic, const std::string& value, int partition = 0) {
    rd_kafka_topic_t* handle = rd_kafka_topic_new(handle_, std::string(topic).c_str(), nullptr);
    const int put = rd_kafka_produce(handle, partition, RD_KAFKA_MSG_F_COPY, const_cast<char*>(value.data()),
                                     value.size(), nullptr, 0, nullptr);
    rd_kafka_topic_destroy(handle);
    if (put != 0) throw std::runtime_error(rd_kafka_err2str(rd_kafka_last_error()));
  }
  // As retention does it: of each partition everything before an offset is gone. Without: all of a topic with one.
  void Forget(std::string_view topic, const std::vector<std::int64_t>& offsets = {RD_KAFKA_OFFSET_END}) {
    rd_kafka_topic_partition_list_t* until = rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size()));
    for (int partition = 0; partition < std::ssize(offsets); ++partition) {
      rd_kafka_topic_partition_list_add(until, std::string(topic).c_str(), partition)->offset =
          offsets[static_cast<std::size_t>(partition)];
    }
    rd_kafka_DeleteRecords_t* request = rd_kafka_DeleteRecords_new(until);
    Ask([&](rd_kafka_queue_t* answers) { rd_kafka_DeleteRecords(handle_, &request, 1, nullptr, answers); });
    rd_kafka_DeleteRecords_destroy(request);
    rd_kafka_topic_partition_list_destroy(until);
  }
  void Delete(std::string_view topic) {
    rd_kafka_DeleteTopic_t* request = rd_kafka_DeleteTopic_new(std::string(topic).c_str());
    Ask([&](rd_kafka_queue_t* answers) { rd_kafka_DeleteTopics(handle_, &request, 1, nullptr, answers); });
    rd_kafka_DeleteTopic_destroy(request);
  }
  void Grow(std::string_view topic, std::size_t partitions) {
    std::array<char, 512> why;
    rd_kafka_NewPartitions_t* request =
        rd_kafka_NewPartitions_new(std::string(topic).c_str(), partitions, why.data(), why.size());
    Ask([&](rd_kafka_queue_t* answers) { rd_kafka_CreatePartitions(handle_, &request, 1, nullptr, answers); });
    rd_kafka_NewPartitions_destroy(request);
  }
  void Flush() {
    if (rd_kafka_flush(handle_, 60'000) != RD_KAFKA_RESP_ERR_NO_ERROR) throw std::runtime_error("nothing was written");
  }

 private:
  void Ask(const std::function<void(rd_kafka_queue_t*)>& ask) {
    rd_kafka_queue_t* answers = rd_kafka_queue_new(handle_);
    ask(answers);
    rd_kafka_event_t* answer = rd_kafka_queue_poll(answers, 60'000);
    const bool done = answer != nullptr && rd_kafka_event_error(answer) == RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_event_destroy(answer);
    rd_kafka_queue_destroy(answers);
    if (!done) throw std::runtime_error("Kafka's administration does not answer");
  }

  rd_kafka_t* handle_ = nullptr;
};

// What a connector would write, transaction by transaction.
class TestConnector {
 public:
  explicit TestConnector(const std::string& brokers) : producer_(brokers) {}

  struct Transaction {
    std::vector<Row> rows;  // each is created; none: a heartbeat
    std::int64_t number = 0;
    std::int64_t commit = 0;
    std::optional<std::int64_t> follows;
    TimeMs committed_at = 1;
  };

  // What is committed from now on is committed later than what was; returns when.
  TimeMs MoveTime() { return time_ += 1000; }

  // Gives it its place, without writing it.
  Transaction Commit(std::vector<Row> rows) {
    Transaction transaction{std::move(rows), ++number_, 0, last_, time_};
    now_ += 1000;
    transaction.commit = now_;
    last_ = now_;
    return transaction;
  }
  // Writes it; without `held`, a topic whose rows come later by WriteHeld.
  void Write(const Transaction& transaction, std::string_view held = "") {
    std::map<std::string, std::int64_t> counts;
    producer_.Put(kTransactionTopic, R"({"status":"BEGIN","id":")" + std::to_string(transaction.number) +
                                         R"(:1","ts_ms":1,"event_count":null,"data_collections":null})");
    std::int64_t order = 0;
    for (const Row& row : transaction.rows) {
      Change change;
      change.after = row;
      const EnvelopeMessage message = Envelope(transaction, change, ++order);
      ++counts[message.topic];
      if (message.topic == held) {
        held_.push_back(message);
      } else {
        producer_.Put(message.topic, message.value);
      }
    }
    if (transaction.rows.empty()) {
      ++counts["cdc.cdc_heartbeat"];
      Change beat;
      beat.after = User();
      producer_.Put("cdc.cdc_heartbeat", Envelope(transaction, beat, 1).value);
    }
    producer_.Put(kTransactionTopic, End(transaction, counts));
    producer_.Flush();
  }
  std::int64_t WriteNew(std::vector<Row> rows, std::string_view held = "") {
    const Transaction transaction = Commit(std::move(rows));
    Write(transaction, held);
    return transaction.commit;
  }
  // Writes these as one transaction, at most 499, each with a place of its own; returns where it ended.
  std::int64_t WriteChanges(const std::vector<Change>& changes) {
    const Transaction transaction = Commit({});
    std::map<std::string, std::int64_t> counts;
    std::int64_t order = 0;
    for (const Change& change : changes) {
      const EnvelopeMessage message = Envelope(transaction, change, ++order);
      ++counts[message.topic];
      producer_.Put(message.topic, message.value);
    }
    producer_.Put(kTransactionTopic, End(transaction, counts));
    producer_.Flush();
    return transaction.commit;
  }
  void WriteHeld() {
    for (const EnvelopeMessage& message : std::exchange(held_, {})) producer_.Put(message.topic, message.value);
    producer_.Flush();
  }
  void Put(std::string_view topic, const std::string& value) {
    producer_.Put(topic, value);
    producer_.Flush();
  }
  void Forget(std::string_view topic) { producer_.Forget(topic); }
  std::int64_t last() const { return last_.value_or(0); }

 private:
  static EnvelopeMessage Envelope(const Transaction& transaction, Change change, std::int64_t order) {
    change.sequence = transaction.commit - 500 + order;
    change.transaction = transaction.number;
    EnvelopeMessage message = EncodeEnvelope(change, 1, {"postgresql", "novafeed", "3.6.3.Final"});
    boost::json::value value = boost::json::parse(message.value);
    const std::string own = std::to_string(change.sequence);
    const std::string follows =
        transaction.follows ? "\"" + std::to_string(*transaction.follows) + "\"" : std::string("null");
    value.at("source").as_object()["sequence"] = "[" + follows + ",\"" + own + "\"]";
    value.as_object()["transaction"] = {
        {"id", std::to_string(transaction.number) + ":" + own}, {"total_order", order}, {"data_collection_order", 1}};
    message.value = boost::json::serialize(value);
    return message;
  }
  static std::string End(const Transaction& transaction, const std::map<std::string, std::int64_t>& counts) {
    boost::json::array collections;
    std::int64_t all = 0;
    for (const auto& [topic, count] : counts) {
      collections.push_back({{"data_collection", "novafeed." + topic.substr(4)}, {"event_count", count}});
      all += count;
    }
    return boost::json::serialize(
        boost::json::value{{"status", "END"},
                           {"id", std::to_string(transaction.number) + ":" + std::to_string(transaction.commit)},
                           {"ts_ms", transaction.committed_at},
                           {"event_count", all},
                           {"data_collections", collections}});
  }

  TestProducer producer_;
  std::int64_t number_ = 700;
  std::int64_t now_ = 10'000;
  TimeMs time_ = 1;
  std::optional<std::int64_t> last_;
  std::vector<EnvelopeMessage> held_;
};

}  // namespace novafeed::kafka
