#include "app/periodic_job.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <stdexcept>

namespace novafeed {
namespace {

using std::chrono::milliseconds;

TEST(PeriodicJobTest, RunsAgainAndAgain) {
  std::promise<void> third_run;
  int runs = 0;
  const PeriodicJob job("test", milliseconds(1), [&] {
    if (++runs == 3) third_run.set_value();
  });
  third_run.get_future().wait();
}

TEST(PeriodicJobTest, GoesOnAfterAFailure) {
  std::promise<void> second_run;
  int runs = 0;
  const PeriodicJob job("test", milliseconds(1), [&] {
    if (++runs == 1) throw std::runtime_error("once");
    if (runs == 2) second_run.set_value();
  });
  second_run.get_future().wait();
}

TEST(PeriodicJobTest, EndsWithoutWaitingForTheInterval) {
  const auto begin = std::chrono::steady_clock::now();
  int runs = 0;
  {
    const PeriodicJob job("test", std::chrono::hours(24), [&] { ++runs; });
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::hours(1));
  EXPECT_EQ(runs, 0);
}

}  // namespace
}  // namespace novafeed
