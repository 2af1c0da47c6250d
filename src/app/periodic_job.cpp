#include "app/periodic_job.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "runtime/thread_name.h"

namespace novafeed {

PeriodicJob::PeriodicJob(std::string name, std::chrono::milliseconds interval, Metrics* metrics,
                         std::function<void()> job)
    : name_(std::move(name)),
      interval_(interval),
      runs_(metrics->AddCounter("novafeed_job_runs_total", "Runs of a periodic job.", {{"job", name_}})),
      failures_(
          metrics->AddCounter("novafeed_job_failures_total", "Runs of a periodic job that failed.", {{"job", name_}})),
      overruns_(metrics->AddCounter("novafeed_job_overruns_total",
                                    "Runs of a periodic job that took longer than its period.", {{"job", name_}})),
      last_seconds_(
          metrics->AddGauge("novafeed_job_last_seconds", "How long a job's last run took.", {{"job", name_}})),
      last_result_(metrics->AddGauge("novafeed_job_last_result",
                                     "1 where a job's last run succeeded, 0 where it failed.", {{"job", name_}})),
      job_(std::move(job)),
      thread_([this] { Run(); }) {
  metrics->AddGauge("novafeed_job_period_seconds", "How long a job rests between two runs.", {{"job", name_}})
      .Set(std::chrono::duration<double>(interval_).count());
}

PeriodicJob::~PeriodicJob() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void PeriodicJob::Run() {
  NameThisThread(name_);
  std::chrono::milliseconds rest = interval_;
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, rest, [this] { return stopping_; })) {
    lock.unlock();
    rest = RunOnce();
    lock.lock();
  }
}

std::chrono::milliseconds PeriodicJob::RunOnce() {
  const auto start = std::chrono::steady_clock::now();
  const bool succeeded = Try();
  const auto took = std::chrono::steady_clock::now() - start;
  const double seconds = std::chrono::duration<double>(took).count();
  runs_.Add();
  last_seconds_.Set(seconds);
  last_result_.Set(succeeded ? 1 : 0);
  if (took > interval_) {
    overruns_.Add();
    if (overrun_log_.Open()) Log(LogLevel::kWarn, "job_overran", {{"job", name_}, {"seconds", seconds}});
  }
  return succeeded ? interval_ : std::min(interval_, kJobRetryAfter);
}

bool PeriodicJob::Try() {
  try {
    job_();
    return true;
  } catch (const std::exception& error) {
    failures_.Add();
    if (failure_log_.Open()) {
      Log(LogLevel::kError, "job_failed", {{"job", name_}, {"reason", std::string(error.what())}});
    }
    return false;
  }
}

}  // namespace novafeed
