// The feed behind the real way: PostgreSQL, Debezium on Kafka Connect, Kafka, as ./cluster runs them.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "adapters/kafka/open.h"
#include "adapters/kafka/test_broker.h"
#include "base/metrics.h"
#include "base/time.h"
#include "graph/store.h"

namespace novafeed::kafka {
namespace {

using SteadyClock = std::chrono::steady_clock;

#define NOVAFEED_NEEDS_CLUSTER()                                                                 \
  NOVAFEED_NEEDS_KAFKA()                                                                         \
  if (!std::filesystem::exists(kCheckout / "build/cluster/jars/plugins") ||                      \
      !std::filesystem::exists("/usr/lib/postgresql/15/bin/postgres")) {                         \
    GTEST_SKIP() << "Debezium or PostgreSQL is not installed: ./cluster install --only connect"; \
  }

// What a command prints; throws where it fails.
std::string Output(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run: " + command);
  std::string text;
  std::array<char, 4096> part;
  while (const std::size_t count = fread(part.data(), 1, part.size(), pipe)) text.append(part.data(), count);
  if (pclose(pipe) != 0) throw std::runtime_error("failed: " + command + "\n" + text);
  return text;
}

// PostgreSQL, Kafka and Connect in a folder of their own; they end with the test program, however that ends.
class TestCluster {
 public:
  TestCluster() {
    std::filesystem::permissions(directory_.path(), std::filesystem::perms(0711));  // PostgreSQL is another user
    StartGuard();
    Do("up --only connect");
    std::istringstream lines(Do("env"));
    for (std::string line; std::getline(lines, line);) {
      addresses_[line.substr(0, line.find('='))] = line.substr(line.find('=') + 1);
    }
  }
  ~TestCluster() {
    close(guard_input_);
    waitpid(guard_, nullptr, 0);
  }
  TestCluster(const TestCluster&) = delete;
  TestCluster& operator=(const TestCluster&) = delete;

  std::string Do(const std::string& what) const { return Output(Command(what) + " 2>&1"); }
  // As the owner of the graph; each statement is a transaction. Returns what psql prints.
  std::string Sql(const std::string& statements) const {
    const std::string script = (directory_.path() / (std::to_string(++scripts_) + ".sql")).string();
    std::ofstream(script) << "SET search_path = novafeed;\n" << statements;
    return Output("psql -X -q -A -t -v ON_ERROR_STOP=1 -d '" + addresses_.at("POSTGRES_URL") + "' -f " + script +
                  " 2>&1");
  }
  // Writes, and the place behind everything that is committed then, as a write is answered with it.
  std::int64_t Point(const std::string& statements = "") const {
    return std::stoll(Sql(statements + "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint;"));
  }
  // Until a worker of Connect that is killed now goes on where it was: before its first place is kept, it would read
  // the tables anew.
  void AwaitPlaceOfConnect() const {
    const std::string ask = "curl -fsS " + addresses_.at("CONNECT_URL") + "/connectors/nova-postgres-cdc/offsets";
    WaitUntil("Connect keeps its place", [&] {
      const std::string kept = Output(ask);
      return kept.find("\"lsn\"") != std::string::npos && kept.find("snapshot") == std::string::npos;
    });
  }
  void Kill(const std::string& part) const {
    pid_t pid = 0;
    std::ifstream(directory_.path() / "cluster/run" / (part + ".pid")) >> pid;
    kill(pid, SIGKILL);
  }
  KafkaOptions Options() const {
    KafkaOptions options;
    options.url = addresses_.at("KAFKA_URL");
    options.call_timeout = std::chrono::seconds(20);
    return options;
  }

 private:
  std::string Command(const std::string& what) const {
    return (kCheckout / "cluster").string() + " " + what + " --data " + (directory_.path() / "cluster").string();
  }

  // Waits for the end of its input, which is the end of this process at the latest.
  void StartGuard() {
    std::array<int, 2> ends;
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    const std::string command = "cat >/dev/null; exec " + Command("down") + " >/dev/null 2>&1";
    guard_ = fork();
    if (guard_ == 0) {
      setsid();
      dup2(ends[0], STDIN_FILENO);
      execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      _exit(127);
    }
    close(ends[0]);
    guard_input_ = ends[1];
  }

  TempDirectory directory_;
  std::map<std::string, std::string> addresses_;
  mutable std::atomic<int> scripts_ = 0;
  pid_t guard_ = -1;
  int guard_input_ = -1;
};

TestCluster& SharedCluster() {
  static TestCluster cluster;
  return cluster;
}

// One user, by a number.
std::string AddUser(int number) {
  const std::string name = "user" + std::to_string(number);
  return "INSERT INTO users VALUES (gen_random_uuid(), NULL, '" + name + "', '" + name + "', now());";
}

class DebeziumFeed : public ::testing::Test {
 protected:
  void SetUp() override {
    NOVAFEED_NEEDS_CLUSTER();
    feed_ = OpenKafkaChangeFeed(SharedCluster().Options(), &metrics_).value();
    at_ = feed_->End();  // what other tests wrote is no matter
  }

  // Reads until the point is reached, as the index would; what could not be read for a while is tried again.
  std::vector<Change> ReadTo(std::int64_t point) {
    std::vector<Change> all;
    WaitUntil("the point is reached", [&] {
      try {
        for (Change& change : feed_->Read(at_, 100)) {
          EXPECT_GE(change.sequence, at_);
          at_ = change.sequence;
          all.push_back(std::move(change));
        }
        at_ = feed_->QuietThrough(at_);
      } catch (const StoreError& error) {
        if (error.error().code != "log_unavailable") throw;
      }
      return at_ >= point;
    });
    return all;
  }

  Metrics metrics_;
  std::unique_ptr<ChangeFeed> feed_;
  std::int64_t at_ = 0;
};

TEST_F(DebeziumFeed, ATransactionOverAllTablesComesWhole) {
  TestCluster& cluster = SharedCluster();
  const std::string id = "'018f0000-0000-7000-8000-0000000000";
  cluster.Sql(
      "BEGIN;"
      "INSERT INTO users VALUES (" +
      id +
      "01', NULL, 'ann', 'Ann', now());"
      "INSERT INTO users VALUES (" +
      id +
      "02', NULL, 'bob', 'Bob', now());"
      "INSERT INTO posts VALUES (" +
      id + "03', NULL, " + id +
      "01', 'text', now(), NULL);"
      "INSERT INTO likes VALUES (" +
      id + "02', " + id + "03', " + id +
      "01', now(), now(), 1);"
      "INSERT INTO follows VALUES (" +
      id + "02', " + id +
      "01', now(), 2);"
      "INSERT INTO comments VALUES (" +
      id + "04', NULL, " + id + "03', " + id + "02', " + id +
      "01', now(), 'text', now(), 3);"
      "UPDATE users SET name = 'Ann B' WHERE handle = 'ann';"
      "DELETE FROM likes WHERE user_id = " +
      id +
      "02';"
      "COMMIT;");
  const std::vector<Change> changes = ReadTo(cluster.Point());
  std::string operations;
  for (const Change& change : changes) {
    operations += static_cast<char>(change.op) + std::to_string(change.Latest().index()) + " ";
    EXPECT_EQ(change.sequence, changes.front().sequence);
  }
  EXPECT_EQ(operations, "c0 c0 c1 c3 c4 c2 u0 d3 ");
}

// How long it takes to read to the point behind a write.
double SecondsOf(const std::function<void()>& reading) {
  const auto begin = SteadyClock::now();
  reading();
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

TEST_F(DebeziumFeed, ALastWriteOnAnIdleDatabaseIsReached) {
  TestCluster& cluster = SharedCluster();
  ReadTo(cluster.Point());
  // The second writes nothing that is captured: only a heartbeat can bring it.
  for (const std::string& write :
       {AddUser(1000), std::string("INSERT INTO dismissals VALUES (gen_random_uuid(), gen_random_uuid(), now());")}) {
    const std::int64_t point = cluster.Point(write);
    const TimeMs written_at = SystemClock().Now();
    const double took = SecondsOf([&] { ReadTo(point); });
    std::printf("reached after %.3f s\n", took);
    EXPECT_LT(took, 10) << write;
    EXPECT_GE(feed_->CompleteAsOf(at_).value(), written_at - kMsPerSecond) << write;
  }
}

// Transactions of three rows on two tables, while a part is killed and started again: each comes whole, once, in order.
void ExpectNothingLost(const std::vector<Change>& changes, int first, int count) {
  std::map<std::int64_t, std::vector<std::string>> transactions;
  for (const Change& change : changes) {
    const Row& row = change.Latest();
    transactions[change.sequence].push_back(std::holds_alternative<User>(row) ? std::get<User>(row).handle
                                                                              : std::get<Post>(row).text);
  }
  ASSERT_EQ(transactions.size(), static_cast<std::size_t>(count));
  int number = first;
  for (const auto& [commit, rows] : transactions) {
    const std::string name = "user" + std::to_string(number++);
    EXPECT_EQ(rows, (std::vector<std::string>{name, name, name + "b"}));
  }
}

std::string WriteMany(int first, int count) {
  std::string statements;
  for (int number = first; number < first + count; ++number) {
    const std::string name = "'user" + std::to_string(number);
    statements += "BEGIN; WITH u AS (INSERT INTO users VALUES (gen_random_uuid(), NULL, " + name +
                  "', '', now())"
                  " RETURNING id) INSERT INTO posts SELECT gen_random_uuid(), NULL, id, " +
                  name + "', now(), NULL FROM u; INSERT INTO users VALUES (gen_random_uuid(), NULL, " + name +
                  "b', '', now()); COMMIT; SELECT pg_sleep(0.005);\n";
  }
  return statements;
}

TEST_F(DebeziumFeed, ConnectIsKilledWhileRowsAreWritten) {
  TestCluster& cluster = SharedCluster();
  cluster.AwaitPlaceOfConnect();
  int number = 2000;
  for (int round = 0; round < 3; ++round) {
    std::jthread writer([&] { cluster.Sql(WriteMany(number, 400)); });
    std::this_thread::sleep_for(std::chrono::milliseconds(900 + 400 * round));  // in the midst of it
    cluster.Kill("connect");
    writer.join();
    cluster.Do("up --only connect");
    ExpectNothingLost(ReadTo(cluster.Point()), number, 400);
    number += 400;
  }
  EXPECT_EQ(metrics_.Read().Values("novafeed_kafka_searches_total").front().value, 1);
}

TEST_F(DebeziumFeed, TheBrokerIsKilledWhileRowsAreWritten) {
  TestCluster& cluster = SharedCluster();
  std::jthread writer([&] { cluster.Sql(WriteMany(5000, 400)); });
  std::vector<Change> changes = ReadTo(cluster.Point());
  cluster.Kill("kafka");
  writer.join();
  cluster.Do("up --only connect");
  std::ranges::move(ReadTo(cluster.Point()), std::back_inserter(changes));
  ExpectNothingLost(changes, 5000, 400);
}

TEST_F(DebeziumFeed, AfterANewSnapshotAReaderMustBeginAnew) {
  TestCluster& cluster = SharedCluster();
  cluster.Sql(AddUser(9000));
  ReadTo(cluster.Point());
  cluster.Do("resnapshot");
  cluster.Sql(AddUser(9001));
  const std::int64_t point = cluster.Point();
  try {
    ReadTo(point);
    FAIL() << "what changed before the snapshot may be missing";
  } catch (const StoreError& error) {
    EXPECT_EQ(error.error().code, "log_forgotten");
  }
  WaitUntil("capture goes on behind it", [&] { return feed_->End() >= point; });
  at_ = feed_->End();
  cluster.Sql(AddUser(9002));
  EXPECT_EQ(ReadTo(cluster.Point()).size(), 1u);
}

}  // namespace
}  // namespace novafeed::kafka
