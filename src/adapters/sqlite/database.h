// SQLite behind RAII: a connection, prepared statements, rows; every failure is a StoreError that says what was being
// done. An object is used by one thread at a time. (sqlite3.h stays in the .cpp file.)
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "graph/store.h"
#include "social/ids.h"

struct sqlite3;
struct sqlite3_stmt;

namespace novafeed::sqlite {

enum class Access { kWrite, kRead };  // kRead connections refuse to change anything
enum class CheckpointMode { kPassive, kRestart, kTruncate };

// One connection: WAL, synchronous=FULL (what was committed survives a power cut), no foreign keys, secure_delete=ON
// (what is deleted is overwritten; see scrub.h for what that leaves).
class Database {
 public:
  Database(const std::string& path, Access access);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs SQL without parameters and results; `doing` ("creating the schema") is what an error says.
  void Execute(const char* doing, const std::string& sql);
  // The first column of the first row.
  std::int64_t QueryInt(const char* doing, const std::string& sql);

  void SetCacheMebibytes(int mebibytes);
  void SetBusyTimeout(int milliseconds);

  bool InTransaction() const;
  // Pages in the write-ahead log after this connection's last commit.
  std::int64_t wal_pages() const { return *wal_pages_; }
  // Folds the write-ahead log into the file as far as readers allow; kRestart also waits for readers (at most the busy
  // timeout) so that the log starts over, kTruncate so that its file is empty. False where readers were in the way.
  bool Checkpoint(CheckpointMode mode);
  // Lets go of cached pages. Outside of a transaction.
  void DropCache();

  const std::string& path() const { return path_; }
  sqlite3* handle() const { return handle_.get(); }

  [[noreturn]] void Throw(int code, std::string_view doing) const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };

  std::string path_;
  std::unique_ptr<std::int64_t> wal_pages_ = std::make_unique<std::int64_t>(0);  // a stable address for SQLite's hook
  std::unique_ptr<sqlite3, Close> handle_;
};

// Bytes that are bound as a BLOB.
struct Blob {
  std::string_view bytes;
};

class Statement;

// The rows of one run of a statement, which is reset when this goes. Views are valid until Next().
class Rows {
 public:
  explicit Rows(Statement* statement) : statement_(statement) {}
  ~Rows();
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  bool Next();

  bool IsNull(int column) const;
  std::int64_t Int(int column) const;
  std::string_view Bytes(int column) const;  // TEXT or BLOB
  Uuid Id(int column) const;
  std::string Text(int column) const { return std::string(Bytes(column)); }
  std::optional<std::string> OptionalText(int column) const;
  std::optional<std::int64_t> OptionalInt(int column) const;

 private:
  Statement* statement_;
};

// A prepared statement, kept with its connection (which outlives it) and prepared at its first use.
class Statement {
 public:
  // Both texts are literals. `doing` ("inserting a like") is what an error says.
  Statement(Database& database, const char* doing, const char* sql) : database_(&database), doing_(doing), sql_(sql) {}
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Runs to the end and returns how many rows changed. Values are bound in the order of the parameters: integers, text,
  // Blob, ids, and optionals of these.
  template <class... Values>
  std::int64_t Execute(const Values&... values) {
    BindAll(Lifetime::kOfCall, values...);
    return Finish();
  }

  // As Execute, but gives the rows. One run at a time.
  template <class... Values>
  Rows Query(const Values&... values) {
    BindAll(Lifetime::kCopied, values...);
    return Rows(this);
  }

 private:
  friend class Rows;
  enum class Lifetime { kOfCall, kCopied };

  template <class... Values>
  void BindAll(Lifetime lifetime, const Values&... values) {
    Prepare();
    int index = 0;
    (Bind(++index, lifetime, values), ...);
  }

  void Bind(int index, Lifetime lifetime, std::int64_t value);
  void Bind(int index, Lifetime lifetime, std::string_view text);
  void Bind(int index, Lifetime lifetime, Blob blob);
  void Bind(int index, Lifetime lifetime, const Uuid& id);
  void BindNull(int index);
  template <class Tag>
  void Bind(int index, Lifetime lifetime, const StrongId<Tag>& id) {
    Bind(index, lifetime, id.value);
  }
  template <class T>
  void Bind(int index, Lifetime lifetime, const std::optional<T>& value) {
    if (value) {
      Bind(index, lifetime, *value);
    } else {
      BindNull(index);
    }
  }

  void Prepare();
  void Check(int code) const;
  bool Step();
  std::int64_t Finish();
  void Reset();

  Database* database_;
  const char* doing_;
  const char* sql_;
  sqlite3_stmt* handle_ = nullptr;
};

}  // namespace novafeed::sqlite
