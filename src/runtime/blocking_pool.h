// A named pool of threads for calls that block (database reads), with a bounded queue.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"

namespace novafeed {

// Owned by the wiring. What a task posts to (I/O threads) must outlive the pool: declare the pool after it.
class BlockingPool {
 public:
  // `metrics` outlives it: tasks that find the queue full are counted there, by the pool's name.
  BlockingPool(std::string name, std::size_t threads, std::size_t max_queued, Metrics* metrics);
  ~BlockingPool();  // stops
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  // False where `max_queued` tasks wait already: the caller answers "overloaded". Tasks must not throw. Any thread.
  bool Post(std::function<void()> task);

  // Lets the tasks that run end, drops those that wait, and joins. Later tasks are refused. The wiring calls it before
  // it destroys what tasks use, once the I/O threads have stopped (what a dropped task holds ends here). Not called by
  // a task; a second call does nothing.
  void Stop();

 private:
  static constexpr std::int64_t kRefusedLogMs = 1000;

  void Work();

  const std::string name_;
  const std::size_t max_queued_;
  const Counter refused_;
  LogGate refused_log_{kRefusedLogMs};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace novafeed
