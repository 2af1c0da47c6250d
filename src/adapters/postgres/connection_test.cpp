// Deadlines, lost servers, pools, credentials: what can go wrong between the program and the server.
#include "adapters/postgres/connection.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <memory>

#include "adapters/postgres/connection_pool.h"
#include "adapters/postgres/errors.h"
#include "adapters/postgres/server_test_support.h"
#include "base/test_ports.h"

namespace novafeed::postgres {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr Statement kOne = {"asking for one", "SELECT 1"};
constexpr Statement kPid = {"asking for the process", "SELECT pg_backend_pid()"};
constexpr Statement kSleep = {"sleeping", "SELECT pg_sleep(60)"};
constexpr Statement kBegin = {"beginning", "BEGIN"};
constexpr Statement kInsert = {"inserting", "INSERT INTO public.numbers VALUES ($1)"};
constexpr Statement kCount = {"counting", "SELECT count(*) FROM public.numbers"};
constexpr Statement kNonsense = {"asking for nonsense", "SELECT nonsense"};

template <class F>
Error ErrorOf(const F& call) {
  try {
    call();
  } catch (const StoreError& error) {
    return error.error();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

std::int64_t NumberOf(Rows rows) {
  rows.Next();
  return rows.Int(0);
}

// Takes connections and answers nothing.
class SilentServer {
 public:
  SilentServer() {
    const sockaddr_in address = testing::Loopback(port_);
    if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        listen(listener_, 8) != 0) {
      throw std::runtime_error("no server at port " + std::to_string(port_));
    }
  }
  ~SilentServer() { close(listener_); }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;

  Target target() const { return {"host=127.0.0.1 user=u port=" + std::to_string(port_), ""}; }

 private:
  const int port_ = testing::FreePort();
  const int listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

class PostgresConnection : public ::testing::Test {
 protected:
  void SetUp() override {
    NOVAFEED_NEEDS_POSTGRES();
    database_ = std::make_unique<TestDatabase>();
    database_->Sql("CREATE TABLE public.numbers (number bigint PRIMARY KEY)");
  }

  ConnectionOptions Quick() const { return {milliseconds(5000), milliseconds(100)}; }
  PoolOptions Pool(std::size_t most) const {
    PoolOptions options;
    options.name = "test";
    options.most = most;
    options.patience = milliseconds(100);
    return options;
  }
  bool FailedConnectsAre(int count) const {
    const std::string line = "novafeed_postgres_connect_failures_total{pool=\"test\"} " + std::to_string(count) + "\n";
    return metrics_.Render().find(line) != std::string::npos;
  }

  std::unique_ptr<TestDatabase> database_;
  Metrics metrics_;
};

TEST_F(PostgresConnection, AStatementOverItsDeadlineIsAnErrorAndTheConnectionGoesOn) {
  Connection connection(database_->target(), Quick());
  const auto start = SteadyClock::now();
  const Error error = ErrorOf([&] { connection.Execute(kSleep); });
  EXPECT_EQ(error.failure, Failure::kUnavailable);
  EXPECT_EQ(error.code, "database_slow");
  EXPECT_GT(error.retry_after_ms, 0);
  EXPECT_LT(SteadyClock::now() - start, std::chrono::seconds(30));
  EXPECT_FALSE(connection.broken()) << "the server itself gave it up";
  EXPECT_EQ(NumberOf(connection.Execute(kOne)), 1);
}

TEST_F(PostgresConnection, AServerThatHangsIsGivenUp) {
  Connection connection(database_->target(), Quick());
  const auto server = static_cast<pid_t>(NumberOf(connection.Execute(kPid)));
  ASSERT_EQ(kill(server, SIGSTOP), 0);
  const Error error = ErrorOf([&] { connection.Execute(kOne); });
  kill(server, SIGCONT);
  EXPECT_EQ(error.code, "database_slow");
  EXPECT_TRUE(connection.broken());
  EXPECT_EQ(ErrorOf([&] { connection.Execute(kOne); }).code, "database_unavailable");
}

TEST_F(PostgresConnection, AConnectThatIsNotAnsweredEndsAtItsDeadline) {
  const SilentServer server;
  std::string cause;
  const Error error = ErrorOf([&] {
    try {
      Connection(server.target(), {milliseconds(100), milliseconds(100)});
    } catch (const StoreError& thrown) {
      cause = thrown.what();
      throw;
    }
  });
  EXPECT_EQ(error.failure, Failure::kUnavailable);
  EXPECT_EQ(error.code, "database_unavailable");
  EXPECT_NE(cause.find("100 ms"), std::string::npos) << cause;
  EXPECT_EQ(error.detail.find("100 ms"), std::string::npos) << "clients are told no more than that it is away";
}

TEST_F(PostgresConnection, WhatIsQueuedTravelsWithTheNextStatementInItsOrder) {
  Connection connection(database_->target(), {});
  for (std::int64_t i = 0; i < 5000; ++i) connection.Queue(kInsert, Expect::kOneRow, i);
  EXPECT_EQ(NumberOf(connection.Execute(kCount)), 5000);
}

TEST_F(PostgresConnection, AnErrorOfWhatIsQueuedComesWithTheNextWait) {
  Connection connection(database_->target(), {});
  connection.Queue(kBegin, Expect::kAnything);
  connection.Queue(kInsert, Expect::kOneRow, std::int64_t{1});
  connection.Queue(kInsert, Expect::kOneRow, std::int64_t{1});
  EXPECT_THROW(connection.Execute(kCount), Conflict) << "a key that is there";
  connection.RollBack();
  EXPECT_FALSE(connection.broken());
  EXPECT_EQ(NumberOf(connection.Execute(kCount)), 0);

  connection.Queue(kNonsense, Expect::kAnything);
  const Error error = ErrorOf([&] { connection.Finish(); });
  EXPECT_EQ(error.failure, Failure::kInternal);
  EXPECT_NE(error.detail.find("asking for nonsense"), std::string::npos);
  EXPECT_EQ(NumberOf(connection.Execute(kOne)), 1) << "also where its preparation was not come to";
}

TEST_F(PostgresConnection, APoolLendsNoMoreThanItHasAndSaysSo) {
  const Target target = database_->target();
  ConnectionPool pool(&target, Pool(2), &metrics_);
  auto first = std::make_unique<ConnectionPool::Lease>(pool.Borrow());
  const ConnectionPool::Lease second = pool.Borrow();
  const std::int64_t pid = NumberOf((*first)->Execute(kPid));
  const Error error = ErrorOf([&] { pool.Borrow(); });
  EXPECT_EQ(error.failure, Failure::kUnavailable);
  EXPECT_EQ(error.code, "database_busy");
  first.reset();
  EXPECT_EQ(NumberOf(pool.Borrow()->Execute(kPid)), pid) << "what was given back is lent again";
}

TEST_F(PostgresConnection, APoolReplacesConnectionsThatTheServerHasClosed) {
  const Target target = database_->target();
  ConnectionPool pool(&target, Pool(1), &metrics_);
  const std::int64_t before = NumberOf(pool.Borrow()->Execute(kPid));
  database_->Number("SELECT pg_terminate_backend(" + std::to_string(before) + ")::int");
  WaitUntil("the server's process is gone", [&] { return kill(static_cast<pid_t>(before), 0) != 0; });
  EXPECT_NE(NumberOf(pool.Borrow()->Execute(kPid)), before);
}

TEST_F(PostgresConnection, APoolWithoutAServerFailsAtOnceForAWhile) {
  const Target nowhere("host=/nonexistent user=u", "");
  PoolOptions options = Pool(1);
  options.reconnect_pause = std::chrono::hours(1);
  ConnectionPool pool(&nowhere, options, &metrics_);
  EXPECT_EQ(ErrorOf([&] { pool.Borrow(); }).code, "database_unavailable");
  EXPECT_EQ(ErrorOf([&] { pool.Borrow(); }).code, "database_unavailable");
  EXPECT_TRUE(FailedConnectsAre(1)) << metrics_.Render();
}

TEST_F(PostgresConnection, ASilentServerIsLeftAloneAsLongAsItWasWaitedFor) {
  const SilentServer server;
  const Target target = server.target();
  PoolOptions options = Pool(1);
  options.connection.connect_deadline = milliseconds(1000);
  options.reconnect_pause = milliseconds(0);
  ConnectionPool pool(&target, options, &metrics_);
  for (int call = 0; call < 3; ++call) {
    EXPECT_EQ(ErrorOf([&] { pool.Borrow(); }).code, "database_unavailable");
  }
  EXPECT_TRUE(FailedConnectsAre(1)) << metrics_.Render();
  EXPECT_TRUE(Eventually([&] {
    ErrorOf([&] { pool.Borrow(); });
    return FailedConnectsAre(2);
  })) << "nor longer";
}

TEST(PostgresTarget, ABadUrlOrOneWithAPasswordIsRefused) {
  EXPECT_THROW(Target("postgresql://[::1", ""), std::runtime_error);
  EXPECT_THROW(Target("nonsense=1", ""), std::runtime_error);
  EXPECT_THROW(Target("postgresql://user:secret@host/db", ""), std::runtime_error);
  EXPECT_NO_THROW(Target("postgresql://user@host/db?sslmode=verify-full", ""));
}

// --- Credentials and TLS: a server of its own, that lets nobody in without both.

class PostgresTls : public ::testing::Test {
 protected:
  void SetUp() override {
    NOVAFEED_NEEDS_POSTGRES();
    MakeCertificate();
    server_ = std::make_unique<TestServer>(
        std::vector<std::string>{"listen_addresses=127.0.0.1", "ssl=on", "ssl_cert_file=" + certificate().string(),
                                 "ssl_key_file=" + (keys_.path() / "key.pem").string()},
        port_);
  }

  std::filesystem::path certificate() const { return keys_.path() / "certificate.pem"; }

  void MakeCertificate() {
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost "
        "-addext subjectAltName=DNS:localhost -keyout " +
        (keys_.path() / "key.pem").string() + " -out " + certificate().string() + " 2>/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0) << "openssl makes no certificate";
    if (const passwd* user = getpwnam("postgres"); geteuid() == 0 && user != nullptr) {
      ASSERT_EQ(chown(keys_.path().c_str(), user->pw_uid, user->pw_gid), 0);
      ASSERT_EQ(chown((keys_.path() / "key.pem").c_str(), user->pw_uid, user->pw_gid), 0);
    }
  }

  TempDirectory keys_;
  const int port_ = testing::FreePort();
  std::unique_ptr<TestServer> server_;
};

TEST_F(PostgresTls, AVerifiedServerAndAPasswordFromAFileAreWhatItTakes) {
  {
    Connection admin(Target(server_->Url("postgres"), ""), {});
    admin.Script("making a role", "CREATE ROLE feed LOGIN PASSWORD 'open sesame'");
    admin.Script("making a database", "CREATE DATABASE feed OWNER feed");
  }
  std::ofstream(server_->data() / "pg_hba.conf")
      << "local all postgres trust\nhostssl feed feed 127.0.0.1/32 scram-sha-256\n";
  {
    Connection admin(Target(server_->Url("postgres"), ""), {});
    static_cast<void>(admin.Execute(Statement{"reading pg_hba.conf again", "SELECT pg_reload_conf()"}));
  }
  WaitUntil("nobody gets in without TLS", [&] {
    try {
      Connection(Target("host=127.0.0.1 user=feed dbname=feed sslmode=disable port=" + std::to_string(port_), ""), {});
      return false;
    } catch (const StoreError& error) {
      return std::string(error.what()).find("no pg_hba.conf entry") != std::string::npos;
    }
  });

  const std::string password = (keys_.path() / "password").string();
  std::ofstream(password) << "open sesame\n";
  chmod(password.c_str(), 0600);
  const ManualClock clock(kTestStart);
  Metrics metrics;
  PostgresOptions options;
  const std::string url = "postgresql://feed@localhost:" + std::to_string(port_) +
                          "/feed?hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert=";
  options.url = url + certificate().string();
  options.password_file = password;
  options.clock = &clock;
  options.metrics = &metrics;
  {
    const auto store = OpenPostgresGraph(options);  // also: an ordinary role can make and use the schema
    EXPECT_TRUE(WriteAndWait(*store, [](GraphTransaction& tx) { tx.SetFact("a", "b"); }));
    EXPECT_EQ(store->GetFact("a"), "b");
    Connection admin(Target(server_->Url("postgres"), ""), {});
    EXPECT_GT(NumberOf(admin.Execute(Statement{"counting",
                                               "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) "
                                               "WHERE usename = 'feed' AND ssl"})),
              0);
  }

  const auto refusal = [&] {
    try {
      OpenPostgresGraph(options);
      return std::string();
    } catch (const std::runtime_error& error) {
      return std::string(error.what());
    }
  };
  chmod(password.c_str(), 0644);
  EXPECT_NE(refusal().find("chmod 600"), std::string::npos) << refusal();
  chmod(password.c_str(), 0600);
  std::ofstream(password) << "open barley\n";
  EXPECT_NE(refusal().find("password authentication failed"), std::string::npos) << refusal();
  EXPECT_EQ(refusal().find("barley"), std::string::npos) << "a secret in a message";

  std::ofstream(password) << "open sesame\n";
  const std::filesystem::path trusted = certificate();
  std::filesystem::rename(trusted, keys_.path() / "servers.pem");
  MakeCertificate();  // of somebody else
  EXPECT_NE(refusal().find("certificate verify failed"), std::string::npos) << refusal();
}

}  // namespace
}  // namespace novafeed::postgres
