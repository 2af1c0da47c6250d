// A named pool of threads for calls that block (database reads), with a bounded queue.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace novafeed {

// Owned by the wiring. What a task posts to (I/O threads) must outlive the pool: declare the pool after it.
class BlockingPool {
 public:
  BlockingPool(std::string name, std::size_t threads, std::size_t max_queued);
  ~BlockingPool();  // runs what is queued, then joins
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  // False where `max_queued` tasks wait already: the caller answers "overloaded". Tasks must not throw. Any thread.
  bool Post(std::function<void()> task);

 private:
  void Work();

  const std::string name_;
  const std::size_t max_queued_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace novafeed
