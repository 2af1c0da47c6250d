// A job that runs again and again: refreshing, saving, forgetting.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "base/log.h"
#include "base/metrics.h"

namespace novafeed {

inline constexpr std::chrono::milliseconds kJobRetryAfter{5000};

// Owned by the wiring. Runs `job` on a thread of its own, `interval` of real time after the last run's end, so that
// runs never pile up; the first time after one interval. What the job throws is counted, and logged every 10 s at most
// (a store may be away for minutes); it is tried again after kJobRetryAfter where the interval is longer. A run that
// takes longer than the interval is logged and counted. There is one process for each data directory, whose lock is
// what jobs run under.
class PeriodicJob {
 public:
  // `metrics` outlives it.
  PeriodicJob(std::string name, std::chrono::milliseconds interval, Metrics* metrics, std::function<void()> job);
  ~PeriodicJob();  // lets a run that has begun end, then joins
  PeriodicJob(const PeriodicJob&) = delete;
  PeriodicJob& operator=(const PeriodicJob&) = delete;

 private:
  void Run();
  // How long until the next run.
  std::chrono::milliseconds RunOnce();
  bool Try();

  const std::string name_;
  const std::chrono::milliseconds interval_;
  const Counter runs_;
  const Counter failures_;
  const Counter overruns_;
  const Gauge last_seconds_;
  const Gauge last_result_;
  const std::function<void()> job_;
  LogGate failure_log_{10'000};
  LogGate overrun_log_{10'000};
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace novafeed
