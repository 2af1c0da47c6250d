// libpq behind RAII: one connection in non-blocking mode, with a deadline on everything that it waits for.
//
// Statements are sent in a pipeline: what nobody waits for travels with the next statement that somebody does wait for.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "adapters/postgres/values.h"

struct pg_conn;
struct pg_result;

namespace novafeed::postgres {

// The schema of the database that holds everything of ours; it is each connection's search path.
inline constexpr char kSchema[] = "novafeed";

// How much longer than the server's own statement_timeout a client waits: so that it is told, while the server lives.
inline constexpr std::chrono::milliseconds kAnswerGrace{1000};

// Where the database is and how one connects to it.
class Target {
 public:
  // `url` is "postgresql://user@host:port/database?sslmode=verify-full" or libpq's "host=… dbname=…". The password
  // comes from `password_file` (its first line; read at each connect; no others than its owner may read it), or, where
  // that is empty, from where libpq looks: PGPASSFILE, ~/.pgpass, the certificate that the URL names. Throws
  // std::runtime_error with a sentence where the URL is none, or has a password in it.
  Target(const std::string& url, std::string password_file);

  using Keywords = std::vector<std::pair<std::string, std::string>>;
  // Everything that libpq is given. Throws ConnectionLost where the password file is not as it must be.
  Keywords ForConnect() const;

 private:
  Keywords keywords_;
  std::string password_file_;
};

struct ConnectionOptions {
  std::chrono::milliseconds connect_deadline{5000};
  std::chrono::milliseconds statement_deadline{5000};  // of each statement, the wait for locks included
};

// A statement, prepared at its first use on each connection. Named constants beside their store: known by their
// address.
struct Statement {
  const char* doing;  // "finding a user": what failed, in an error
  const char* sql;
};

// The rows that a statement answered. Columns count from 0.
class Rows {
 public:
  explicit Rows(pg_result* result) : result_(result) {}

  bool Next() { return ++row_ < count(); }
  int count() const;
  std::int64_t affected() const;  // by an INSERT, UPDATE or DELETE

  bool IsNull(int column) const;
  std::int64_t Int(int column) const { return DecodeInt(Raw(column)); }
  bool Bool(int column) const { return DecodeBool(Raw(column)); }
  Uuid Id(int column) const { return DecodeUuid(Raw(column)); }
  TimeMs Time(int column) const { return DecodeInstant(Raw(column)); }
  std::string Text(int column) const { return std::string(Raw(column)); }  // also bytea
  std::optional<TimeMs> OptionalTime(int column) const {
    return IsNull(column) ? std::nullopt : std::optional(Time(column));
  }
  std::optional<std::string> OptionalText(int column) const {
    return IsNull(column) ? std::nullopt : std::optional(Text(column));
  }

 private:
  struct Clear {
    void operator()(pg_result* result) const;
  };
  std::string_view Raw(int column) const;  // valid as long as this is

  std::unique_ptr<pg_result, Clear> result_;
  int row_ = -1;
};

// What a queued statement must have done, or there is a Conflict.
enum class Expect { kAnything, kOneRow };

// Used by one thread at a time. Throws StoreError: Conflict and ConnectionLost (adapters/postgres/errors.h),
// kUnavailable "database_slow" where a deadline passed. After a deadline that the server did not answer either, and
// after ConnectionLost, the connection is broken: only to be destroyed.
class Connection {
 public:
  // Connects. (A name is resolved by libc, which has deadlines of its own: give an address where that matters.)
  Connection(const Target& target, const ConnectionOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Runs a statement, after those that are queued, and waits for its rows. An error of an earlier one is thrown here.
  template <class... Values>
  Rows Execute(const Statement& statement, const Values&... values) {
    Send(statement, Parameters(values...), Expect::kAnything);
    return Rows(ReadPending());
  }

  // Sends a statement, at the latest with the next one that is waited for.
  template <class... Values>
  void Queue(const Statement& statement, Expect expect, const Values&... values) {
    Send(statement, Parameters(values...), expect);
  }

  // Waits for what is queued.
  void Finish();

  // Takes an open transaction back, whatever became of what was queued in it. Never throws: where this fails the
  // connection is broken, and the server takes it back.
  void RollBack() noexcept;

  // Runs several statements in one text, without parameters, for schema changes. Nothing may be queued.
  void Script(std::string_view doing, const std::string& sql);

  bool broken() const { return broken_; }
  // False where the connection is broken, or the server has closed it meanwhile. Does not wait.
  bool IsUsable();

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  struct Pending {
    const Statement* statement;
    bool is_prepare;
    Expect expect;
  };
  struct Close {
    void operator()(pg_conn* connection) const;
  };

  void Connect(const Target& target);
  void Send(const Statement& statement, const Parameters& parameters, Expect expect);
  const std::string& Prepare(const Statement& statement);
  // Waits for the answers to everything that was sent; the last statement's.
  pg_result* ReadPending();
  // The next result, null where the answer to a statement is complete. The caller frees it.
  pg_result* ReadResult();
  // Waits for the socket. False where the deadline has passed.
  bool Poll(short events, TimePoint deadline) const;
  [[noreturn]] void ThrowLost();
  [[noreturn]] void ThrowError(std::string_view doing, const pg_result* error);
  [[noreturn]] void ThrowSlow(std::string_view doing);

  const ConnectionOptions options_;
  std::unique_ptr<pg_conn, Close> connection_;
  std::unordered_map<const Statement*, std::string> prepared_;
  std::size_t prepared_count_ = 0;  // ever, so that no name is used twice
  std::deque<Pending> pending_;     // sent, not answered
  bool broken_ = false;
};

}  // namespace novafeed::postgres
