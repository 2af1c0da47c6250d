// A job that runs again and again: refreshing, saving, forgetting.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "base/metrics.h"

namespace novafeed {

// Owned by the wiring. Runs `job` on a thread of its own every `interval` of real time, the first time after one.
// What the job throws is logged and counted by `name`, and it is tried again after the next interval.
class PeriodicJob {
 public:
  // `metrics` outlives it.
  PeriodicJob(std::string name, std::chrono::milliseconds interval, Metrics* metrics, std::function<void()> job);
  ~PeriodicJob();  // lets a run that has begun end, then joins
  PeriodicJob(const PeriodicJob&) = delete;
  PeriodicJob& operator=(const PeriodicJob&) = delete;

 private:
  void Run();

  const std::string name_;
  const std::chrono::milliseconds interval_;
  const Counter failures_;
  const std::function<void()> job_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace novafeed
