// A small pool of read connections, each with the prepared statements of its `Reader`.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "adapters/sqlite/database.h"

namespace novafeed::sqlite {

// How long a reader waits for a connection before it is told to try again.
inline constexpr std::chrono::milliseconds kBorrowPatience{5000};

// `Reader` is made from a Database&. Thread-safe.
template <class Reader>
class ConnectionPool {
 public:
  struct Connection {
    explicit Connection(const std::string& path) : database(path, Access::kRead), reader(database) {}
    Database database;
    Reader reader;
  };

  // A borrowed connection; goes back to the pool, which outlives it, in the destructor.
  class Lease {
   public:
    Lease(ConnectionPool* pool, std::unique_ptr<Connection> connection)
        : pool_(pool), connection_(std::move(connection)) {}
    ~Lease() { pool_->GiveBack(std::move(connection_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Reader* operator->() const { return &connection_->reader; }
    Database& database() const { return connection_->database; }

   private:
    ConnectionPool* pool_;
    std::unique_ptr<Connection> connection_;
  };

  ConnectionPool(const std::string& path, std::size_t count, std::chrono::milliseconds patience = kBorrowPatience)
      : patience_(patience) {
    for (std::size_t i = 0; i < count; ++i) {
      idle_.push_back(std::make_unique<Connection>(path));
    }
  }

  // Waits where all connections are out; after that throws StoreError kUnavailable "database_busy".
  Lease Borrow() {
    std::unique_lock lock(mutex_);
    if (!wake_.wait_for(lock, patience_, [this] { return !idle_.empty(); })) {
      throw StoreError(Error{Failure::kUnavailable, "database_busy",
                             "All read connections of the database are in use: try again in a moment.", 1000});
    }
    std::unique_ptr<Connection> connection = std::move(idle_.back());
    idle_.pop_back();
    return Lease(this, std::move(connection));
  }

 private:
  void GiveBack(std::unique_ptr<Connection> connection) {
    {
      const std::lock_guard lock(mutex_);
      idle_.push_back(std::move(connection));
    }
    wake_.notify_one();
  }

  const std::chrono::milliseconds patience_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::unique_ptr<Connection>> idle_;  // the last one given back is the next one out: its cache is warm
};

// One consistent cut: every read through `database` until this goes sees the same commit.
class ReadTransaction {
 public:
  explicit ReadTransaction(Database* database) : database_(database) {
    database_->Execute("beginning a read transaction", "BEGIN");
  }
  ~ReadTransaction() {
    try {
      database_->Execute("ending a read transaction", "COMMIT");
    } catch (const StoreError&) {
      // Closing the connection ends it as well; there is nothing to save.
    }
  }
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;

 private:
  Database* database_;
};

}  // namespace novafeed::sqlite
