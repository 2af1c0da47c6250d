#include "app/periodic_job.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <stdexcept>
#include <string>

namespace novafeed {
namespace {

using std::chrono::milliseconds;

TEST(PeriodicJobTest, RunsAgainAndAgain) {
  std::promise<void> third_run;
  int runs = 0;
  Metrics metrics;
  const PeriodicJob job("test", milliseconds(1), &metrics, [&] {
    if (++runs == 3) third_run.set_value();
  });
  third_run.get_future().wait();
}

TEST(PeriodicJobTest, GoesOnAfterAFailure) {
  std::promise<void> second_run;
  int runs = 0;
  Metrics metrics;
  const PeriodicJob job("test", milliseconds(1), &metrics, [&] {
    if (++runs == 1) throw std::runtime_error("once");
    if (runs == 2) second_run.set_value();
  });
  second_run.get_future().wait();
  EXPECT_NE(metrics.Render().find("novafeed_job_failures_total{job=\"test\"} 1\n"), std::string::npos);
}

TEST(PeriodicJobTest, EndsWithoutWaitingForTheInterval) {
  const auto begin = std::chrono::steady_clock::now();
  int runs = 0;
  Metrics metrics;
  {
    const PeriodicJob job("test", std::chrono::hours(24), &metrics, [&] { ++runs; });
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::hours(1));
  EXPECT_EQ(runs, 0);
}

}  // namespace
}  // namespace novafeed
