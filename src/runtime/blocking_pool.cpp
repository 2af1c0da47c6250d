#include "runtime/blocking_pool.h"

#include <utility>

#include "runtime/thread_name.h"

namespace novafeed {

BlockingPool::BlockingPool(std::string name, std::size_t threads, std::size_t max_queued, Metrics* metrics)
    : name_(std::move(name)),
      max_queued_(max_queued),
      refused_(metrics->AddCounter("novafeed_pool_refused_total", "Tasks refused because the pool's queue was full.",
                                   {{"pool", name_}})) {
  threads_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

BlockingPool::~BlockingPool() {
  Stop();
}

bool BlockingPool::Post(std::function<void()> task) {
  bool taken = false;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    taken = queue_.size() < max_queued_;
    if (taken) queue_.push_back(std::move(task));
  }
  if (taken) {
    wake_.notify_one();
  } else {
    refused_.Add();
    if (refused_log_.Open()) Log(LogLevel::kWarn, "pool_full", {{"pool", name_}});
  }
  return taken;
}

void BlockingPool::Stop() {
  std::deque<std::function<void()>> dropped;  // destroyed without the lock: what it holds may be anything
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    dropped.swap(queue_);
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void BlockingPool::Work() {
  NameThisThread(name_);
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    const std::function<void()> task = std::exchange(queue_.front(), nullptr);
    queue_.pop_front();
    lock.unlock();
    task();
    lock.lock();
  }
}

}  // namespace novafeed
