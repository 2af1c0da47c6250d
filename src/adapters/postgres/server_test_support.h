// For the tests of this room: a real PostgreSQL server of the test program's own, and databases in it.
#pragma once

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "adapters/postgres/connection.h"
#include "adapters/postgres/open.h"
#include "base/metrics.h"
#include "base/test_support.h"
#include "base/time.h"
#include "social/ids.h"

namespace novafeed::postgres {

inline constexpr TimeMs kTestStart = 1'795'382'793'122;

// Where PostgreSQL's own programs are; empty where it is not installed.
inline std::filesystem::path ServerPrograms() {
  std::filesystem::path newest;
  std::error_code ignored;
  for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", ignored)) {
    if (std::filesystem::exists(version.path() / "bin" / "postgres")) newest = std::max(newest, version.path() / "bin");
  }
  return newest;
}

#define NOVAFEED_NEEDS_POSTGRES()                                                                  \
  if (ServerPrograms().empty()) {                                                                  \
    GTEST_SKIP() << "PostgreSQL is not installed: apt-get install postgresql (tools/packages.sh)"; \
  }

// A server that ends with the test program, also when that crashes. PostgreSQL refuses to run as root; it is started as
// the user postgres (or nobody) then.
class TestServer {
 public:
  // `settings` are for postgres -c. Without `fsync=on` among them it does not wait for the disk.
  explicit TestServer(std::vector<std::string> settings = {}, int port = 5432)
      : settings_(std::move(settings)), port_(std::to_string(port)) {
    if (geteuid() == 0) {
      user_ = getpwnam("postgres");
      if (user_ == nullptr) user_ = getpwnam("nobody");
      if (user_ == nullptr || chown(home_.path().c_str(), user_->pw_uid, user_->pw_gid) != 0) {
        throw std::runtime_error("there is no user postgres or nobody to run a server as");
      }
    }
    Run("initdb", {"-D", data().string(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"});
    Start();
  }
  ~TestServer() { Stop(SIGQUIT); }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  std::filesystem::path data() const { return home_.path() / "data"; }
  const std::filesystem::path& home() const { return home_.path(); }

  void Start() {
    std::vector<std::string> arguments = {"-D", data().string(), "-k", home_.path().string(), "-p", port_};
    for (const char* setting :
         {"listen_addresses=", "fsync=off", "wal_level=logical", "max_connections=200", "shared_buffers=32MB",
          "deadlock_timeout=50ms", "max_replication_slots=8", "max_wal_senders=4", "autovacuum=off"}) {
      arguments.insert(arguments.end(), {"-c", setting});
    }
    for (const std::string& setting : settings_) arguments.insert(arguments.end(), {"-c", setting});
    process_ = Spawn("postgres", arguments);
    WaitUntil("the server answers", [this] {
      if (waitpid(process_, nullptr, WNOHANG) == process_) throw std::runtime_error("the server ended: " + Log());
      return IsUp();
    });
  }

  // As if the machine had lost its power: every process of the server at once.
  void Kill() {
    kill(process_, SIGSTOP);  // so that it starts no other
    std::ifstream children("/proc/" + std::to_string(process_) + "/task/" + std::to_string(process_) + "/children");
    for (pid_t child; children >> child;) kill(child, SIGKILL);
    Stop(SIGKILL);
  }

  void Stop(int signal) {
    if (process_ == 0) return;
    kill(process_, signal);
    waitpid(process_, nullptr, 0);
    process_ = 0;
  }

  std::string Url(const std::string& database) const {
    return "host=" + home_.path().string() + " port=" + port_ + " user=postgres dbname=" + database;
  }

  // Runs statements in a database.
  void Sql(const std::string& database, const std::string& sql) const {
    Connection connection(Target(Url(database), ""), {.statement_deadline = std::chrono::minutes(1)});
    connection.Script("a test's statement", sql);
  }

  // One of PostgreSQL's (or of another folder's) programs, to its end.
  void Run(const std::string& program, const std::vector<std::string>& arguments) {
    int status = 0;
    const pid_t child = Spawn(program, arguments);
    if (waitpid(child, &status, 0) != child || status != 0) throw std::runtime_error(program + " failed: " + Log());
  }

 private:
  bool IsUp() const {
    try {
      const Connection connection(Target(Url("postgres"), ""), {});
      return true;
    } catch (const StoreError&) {
      return false;
    }
  }

  std::string Log() const {
    std::stringstream text;
    text << std::ifstream(home_.path() / "log").rdbuf();
    return text.str();
  }

  pid_t Spawn(const std::string& program, std::vector<std::string> arguments) {
    const std::filesystem::path own = ServerPrograms() / program;
    arguments.insert(arguments.begin(), std::filesystem::exists(own) ? own.string() : program);
    std::vector<char*> pointers;
    pointers.reserve(arguments.size() + 1);
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    const std::string log = home_.path() / "log";
    const std::string home = home_.path();
    const pid_t child = fork();
    if (child != 0) return child;

    const int output = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    const bool is_other =
        user_ == nullptr || (setgroups(0, nullptr) == 0 && setgid(user_->pw_gid) == 0 && setuid(user_->pw_uid) == 0);
    if (!is_other || chdir(home.c_str()) != 0) _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGQUIT);
    execvp(pointers[0], pointers.data());
    _exit(127);
  }

  TempDirectory home_;
  std::vector<std::string> settings_;
  const std::string port_;  // also names the socket
  const passwd* user_ = nullptr;
  pid_t process_ = 0;
};

// The server that most tests share: started at its first use.
inline TestServer& SharedServer() {
  static TestServer server;
  return server;
}

// A database of one test, and what a store in it needs. It outlives the stores.
class TestDatabase {
 public:
  explicit TestDatabase(TestServer* server = &SharedServer())
      : server_(server), name_("test_" + std::to_string(NextNumber())) {
    server_->Sql("postgres", "CREATE DATABASE " + name_);
  }
  ~TestDatabase() {
    try {
      server_->Sql("postgres", "DROP DATABASE " + name_ + " WITH (FORCE)");
    } catch (const std::exception&) {
      // The server may be down by now; it goes as a whole.
    }
  }
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  ManualClock clock{kTestStart};
  Metrics metrics;

  std::string url() const { return server_->Url(name_); }
  Target target() const { return {url(), ""}; }

  PostgresOptions Options() {
    PostgresOptions options;
    options.url = url();
    options.clock = &clock;
    options.metrics = &metrics;
    options.writers = 4;
    options.readers = 2;
    return options;
  }
  std::unique_ptr<PostgresGraph> Open() { return OpenPostgresGraph(Options()); }

  void Sql(const std::string& sql) const { server_->Sql(name_, sql); }
  // The one number that a query answers.
  std::int64_t Number(const std::string& sql) const {
    Connection connection(target(), {});
    const Statement statement = {"a test's query", sql.c_str()};
    Rows rows = connection.Execute(statement);
    if (!rows.Next()) throw std::runtime_error("no row: " + sql);
    return rows.Int(0);
  }

 private:
  static int NextNumber() {
    static std::atomic<int> last = 0;
    return ++last;
  }

  TestServer* server_;
  const std::string name_;
};

inline Result<std::int64_t> WriteAndWait(GraphStore& store, GraphStore::Work work) {
  std::promise<Result<std::int64_t>> answer;
  store.Write(std::move(work), [&answer](Result<std::int64_t> result) { answer.set_value(std::move(result)); });
  return answer.get_future().get();
}

// What a function of a transaction returns, once it is committed; throws where it is not.
template <class F>
auto Do(GraphStore& store, F work) {
  std::optional<std::invoke_result_t<F, GraphTransaction&>> value;
  const Result<std::int64_t> written = WriteAndWait(store, [&](GraphTransaction& tx) { value.emplace(work(tx)); });
  if (!written) throw StoreError(written.error());
  return *std::move(value);
}

}  // namespace novafeed::postgres
