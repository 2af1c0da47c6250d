#include "app/periodic_job.h"

#include <exception>
#include <utility>

#include "base/log.h"
#include "runtime/thread_name.h"

namespace novafeed {

PeriodicJob::PeriodicJob(std::string name, std::chrono::milliseconds interval, Metrics* metrics,
                         std::function<void()> job)
    : name_(std::move(name)),
      interval_(interval),
      failures_(
          metrics->AddCounter("novafeed_job_failures_total", "Runs of a periodic job that failed.", {{"job", name_}})),
      job_(std::move(job)),
      thread_([this] { Run(); }) {}

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
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, interval_, [this] { return stopping_; })) {
    lock.unlock();
    try {
      job_();
    } catch (const std::exception& error) {
      failures_.Add();
      Log(LogLevel::kError, "job_failed", {{"job", name_}, {"reason", std::string(error.what())}});
    }
    lock.lock();
  }
}

}  // namespace novafeed
