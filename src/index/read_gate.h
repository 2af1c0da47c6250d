// The gate between the index's readers and its one writer.
//
// Readers never wait for a scan: the writer only enters when nobody is inside, and it holds the gate for one small
// slice of the log. A writer that finds the gate busy steps back and tries again, so a long read delays what is new,
// never other readers. After `kPatience` it closes the gate for newcomers once, so that it cannot starve; it does not
// where the reader inside is a long one (a snapshot), which would make everybody wait.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <utility>

namespace novafeed {

class ReadGate {
 public:
  static constexpr std::chrono::milliseconds kPatience{20};

  template <class F>
  auto Read(F&& read) {
    if (closed_.load()) const std::scoped_lock wait(turnstile_);
    std::shared_lock lock(mutex_);
    return std::forward<F>(read)();
  }

  // For a scan that may take longer than kPatience.
  template <class F>
  auto ReadLong(F&& read) {
    const LongReader long_reader(&long_readers_);
    return Read(std::forward<F>(read));
  }

  template <class F>
  void Write(F&& write) {
    Enter();
    std::unique_lock lock(mutex_, std::adopt_lock);
    std::forward<F>(write)();
  }

 private:
  struct LongReader {
    explicit LongReader(std::atomic<int>* count) : count_(count) { ++*count_; }
    ~LongReader() { --*count_; }
    LongReader(const LongReader&) = delete;
    LongReader& operator=(const LongReader&) = delete;
    std::atomic<int>* count_;
  };

  void Enter() {
    const auto start = std::chrono::steady_clock::now();
    while (!mutex_.try_lock()) {
      if (long_readers_.load() == 0 && std::chrono::steady_clock::now() - start > kPatience && EnterClosed()) return;
      std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
  }

  // Closes the gate to newcomers and waits for those inside. False where one of them turns out to be a long reader: it
  // counted itself before it looked whether the gate is closed, so here it is seen.
  bool EnterClosed() {
    const std::scoped_lock hold(turnstile_);
    closed_.store(true);
    const bool only_short = long_readers_.load() == 0;
    if (only_short) mutex_.lock();
    closed_.store(false);
    return only_short;
  }

  std::shared_mutex mutex_;
  std::mutex turnstile_;
  std::atomic<bool> closed_{false};
  std::atomic<int> long_readers_{0};
};

}  // namespace novafeed
