// For tests: a real redis-server of their own, on a free port of this machine, that keeps nothing.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/redis/connection.h"
#include "adapters/redis/open.h"
#include "base/test_ports.h"
#include "base/test_support.h"

namespace novafeed::testing {

class RedisServer {
 public:
  enum class Mode { kPlain, kSecret, kTls };  // kSecret: with a password; kTls: with a password and TLS alone

  explicit RedisServer(Mode mode = Mode::kPlain) : mode_(mode), port_(FreePort()) {
    if (mode == Mode::kTls) MakeCertificates();
    std::ofstream(PasswordFile()) << kPassword << "\n";
    Start();
  }
  ~RedisServer() { Kill(); }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  static constexpr const char* kPassword = "correct horse";

  // Until it answers. On the same port each time. Throws std::runtime_error.
  void Start() {
    std::vector<std::string> words = {"redis-server", "--bind", "127.0.0.1", "--save", "", "--dir", Path("").string()};
    const auto add = [&words](std::vector<std::string> more) { words.insert(words.end(), more.begin(), more.end()); };
    const std::string port = std::to_string(port_);
    if (mode_ == Mode::kTls) {
      add({"--port", "0", "--tls-port", port, "--tls-auth-clients", "no", "--tls-ca-cert-file", CaFile()});
      add({"--tls-cert-file", Path("server.crt"), "--tls-key-file", Path("server.key")});
    } else {
      add({"--port", port});
    }
    if (mode_ != Mode::kPlain) add({"--requirepass", kPassword});
    Run(words);
    if (!Eventually([this] { return Answers(); })) throw std::runtime_error("redis-server does not start");
  }
  // kill -9; nothing if it does not run.
  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGCONT);
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  void Stop() const { kill(pid_, SIGSTOP); }
  void GoOn() const { kill(pid_, SIGCONT); }

  // As a client of its own would ask; throws std::runtime_error where it is not answered.
  RedisReply Ask(const RedisCommand& command) const {
    const std::optional<RedisReply> reply = Try(command);
    if (!reply) throw std::runtime_error("redis-server does not answer");
    return *reply;
  }

  RedisOptions Options() const {
    RedisOptions options;
    options.url = std::string(mode_ == Mode::kTls ? "rediss" : "redis") + "://127.0.0.1:" + std::to_string(port_);
    if (mode_ != Mode::kPlain) options.password_file = PasswordFile();
    if (mode_ == Mode::kTls) options.ca_file = CaFile();
    options.connect_timeout = std::chrono::seconds(5);  // this machine may be busy
    options.call_timeout = std::chrono::seconds(5);
    return options;
  }
  std::string CaFile() const { return Path("ca.crt"); }
  int port() const { return port_; }

 private:
  std::filesystem::path Path(const std::string& name) const { return directory_.path() / name; }
  std::string PasswordFile() const { return Path("password"); }

  void Run(const std::vector<std::string>& words) {
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    pid_ = fork();
    if (pid_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int nowhere = open("/dev/null", O_RDWR);
    for (int descriptor = 0; descriptor < 3; ++descriptor) dup2(nowhere, descriptor);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }

  std::optional<RedisReply> Try(const RedisCommand& command) const {
    const RedisAddress address{mode_ == Mode::kTls, "", "127.0.0.1", std::to_string(port_), "0"};
    const Result<TlsTrust> trust = TlsTrust::Load(mode_ == Mode::kTls ? CaFile() : "");
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    auto channel = RedisChannel::Connect(address, address.tls ? &*trust : nullptr, deadline);
    if (!channel) return std::nullopt;
    RedisConnection connection(std::move(*channel));
    std::vector<RedisCommand> commands = {command};
    if (mode_ != Mode::kPlain) commands.insert(commands.begin(), {"AUTH", kPassword});
    auto replies = connection.Exchange(commands, deadline);
    if (!replies) return std::nullopt;
    return replies->back();
  }
  bool Answers() const {
    const std::optional<RedisReply> reply = Try({"PING"});
    return reply && reply->text == "PONG";
  }

  // A maker of certificates, one of this machine, and another maker whom nobody should trust.
  void MakeCertificates() const {
    const std::string make = "cd '" + directory_.path().string() +
                             "' && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
                             "-keyout ca.key -out ca.crt -subj /CN=ca 2>/dev/null"
                             " && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key "
                             "-out server.csr -subj /CN=redis 2>/dev/null"
                             " && printf 'subjectAltName=IP:127.0.0.1' >names"
                             " && openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 "
                             "-extfile names -out server.crt 2>/dev/null";
    if (std::system(make.c_str()) != 0) throw std::runtime_error("openssl makes no certificates");
  }

  const Mode mode_;
  TempDirectory directory_;
  const int port_;
  pid_t pid_ = -1;
};

}  // namespace novafeed::testing
