#include "adapters/postgres/connection_pool.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "adapters/postgres/errors.h"
#include "base/log.h"

namespace novafeed::postgres {

using SteadyClock = std::chrono::steady_clock;

ConnectionPool::ConnectionPool(const Target* target, PoolOptions options, Metrics* metrics)
    : target_(target),
      options_(std::move(options)),
      connects_(metrics->AddCounter("novafeed_postgres_connects_total", "Connections made to PostgreSQL.",
                                    {{"pool", options_.name}})),
      failures_(metrics->AddCounter("novafeed_postgres_connect_failures_total",
                                    "Connections to PostgreSQL that could not be made.", {{"pool", options_.name}})) {}

ConnectionPool::Lease ConnectionPool::Borrow() {
  {
    std::unique_lock lock(mutex_);
    if (!wake_.wait_for(lock, options_.patience, [this] { return lent_ < options_.most; })) {
      throw StoreError(Error{Failure::kUnavailable, "database_busy",
                             "All connections to the database are in use: try again in a moment.", 1000});
    }
    ++lent_;
  }
  try {
    std::unique_ptr<Connection> connection = TakeIdle();
    if (!connection) connection = MakeOne();
    return {this, std::move(connection)};
  } catch (...) {
    ReleasePlace();
    throw;
  }
}

std::unique_ptr<Connection> ConnectionPool::TakeIdle() {
  for (;;) {
    std::unique_ptr<Connection> connection;
    {
      const std::lock_guard lock(mutex_);
      if (idle_.empty()) return nullptr;
      connection = std::move(idle_.back());
      idle_.pop_back();
    }
    if (connection->IsUsable()) return connection;
  }
}

std::unique_ptr<Connection> ConnectionPool::MakeOne() {
  {
    const std::lock_guard lock(mutex_);
    if (connect_error_ && SteadyClock::now() < next_connect_) {
      throw ConnectionLost(connect_error_->error(), connect_error_->what());
    }
  }
  const SteadyClock::time_point began = SteadyClock::now();
  try {
    auto connection = std::make_unique<Connection>(*target_, options_.connection);
    connects_.Add();
    const std::lock_guard lock(mutex_);
    if (connect_error_) Log(LogLevel::kInfo, "database_available", {{"pool", options_.name}});
    connect_error_.reset();
    return connection;
  } catch (const StoreError& error) {
    failures_.Add();
    const std::lock_guard lock(mutex_);
    if (!connect_error_) {
      Log(LogLevel::kError, "database_unavailable", {{"pool", options_.name}, {"detail", std::string(error.what())}});
    }
    connect_error_ = error;
    const SteadyClock::time_point now = SteadyClock::now();
    next_connect_ = now + std::max<SteadyClock::duration>(options_.reconnect_pause, now - began);
    throw;
  }
}

void ConnectionPool::GiveBack(std::unique_ptr<Connection> connection) {
  if (!connection->broken()) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(connection));
  }
  ReleasePlace();
}

void ConnectionPool::ReleasePlace() {
  {
    const std::lock_guard lock(mutex_);
    --lent_;
  }
  wake_.notify_one();
}

}  // namespace novafeed::postgres
