// A bounded set of connections that are lent for a moment each, and made again after the server went away.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "adapters/postgres/connection.h"
#include "base/metrics.h"
#include "base/result.h"
#include "graph/store.h"

namespace novafeed::postgres {

struct PoolOptions {
  std::string name;      // label of the metrics: "writers", "readers", "upkeep"
  std::size_t most = 8;  // connections at once
  ConnectionOptions connection;
  std::chrono::milliseconds patience{5000};  // who waits longer for one is told to try again
  // After a connect that failed nobody tries again for so long, or for as long as it took where that is longer: they
  // are given its error. So where the server is silent, half of the calls at most wait for it.
  std::chrono::milliseconds reconnect_pause{250};
};

// Thread-safe.
class ConnectionPool {
 public:
  // `target` and `metrics` outlive it. Connects nothing yet.
  ConnectionPool(const Target* target, PoolOptions options, Metrics* metrics);
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  // A lent connection; goes back to the pool, which outlives it, in the destructor. One that is broken does not.
  class Lease {
   public:
    Lease(ConnectionPool* pool, std::unique_ptr<Connection> connection)
        : pool_(pool), connection_(std::move(connection)) {}
    ~Lease() {
      if (connection_) pool_->GiveBack(std::move(connection_));
    }
    Lease(Lease&&) = default;
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Connection& operator*() const { return *connection_; }
    Connection* operator->() const { return connection_.get(); }

   private:
    ConnectionPool* pool_;
    std::unique_ptr<Connection> connection_;
  };

  // Lends one that is idle, or a new one; waits where all are lent. Throws StoreError: kUnavailable "database_busy"
  // after `patience`, "database_unavailable" where none can be made.
  Lease Borrow();

 private:
  // An idle connection that the server has not closed meanwhile.
  std::unique_ptr<Connection> TakeIdle();
  std::unique_ptr<Connection> MakeOne();
  void GiveBack(std::unique_ptr<Connection> connection);
  void ReleasePlace();

  const Target* target_;
  const PoolOptions options_;
  const Counter connects_;
  const Counter failures_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::size_t lent_ = 0;                           // out there, or being made
  std::vector<std::unique_ptr<Connection>> idle_;  // the last one given back is the next one out
  std::optional<StoreError> connect_error_;        // of the last connect, where it failed
  std::chrono::steady_clock::time_point next_connect_{};
};

}  // namespace novafeed::postgres
