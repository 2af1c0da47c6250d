#include "runtime/stop_signals.h"

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <future>

namespace novafeed {
namespace {

TEST(StopSignals, TheFirstSignalCallsBackOnce) {
  for (const int number : {SIGTERM, SIGINT}) {
    std::promise<void> stopped;
    std::atomic<int> calls{0};
    const StopSignals signals([&] {
      ++calls;
      stopped.set_value();
    });
    std::raise(number);
    stopped.get_future().wait();
    EXPECT_EQ(calls, 1);
  }
}

TEST(StopSignals, NothingHappensWithoutASignal) {
  const StopSignals signals([] { FAIL(); });
}

TEST(StopSignalsDeathTest, TheSecondSignalEndsTheProcessAtOnce) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto raise_twice = [] {
    std::promise<void> stopped;
    const StopSignals signals([&] { stopped.set_value(); });
    std::raise(SIGTERM);
    stopped.get_future().wait();
    std::raise(SIGINT);
    std::promise<void>().get_future().wait();
  };
  EXPECT_EXIT(raise_twice(), testing::ExitedWithCode(128 + SIGINT), "");
}

TEST(StopSignalsDeathTest, AfterItsLifeASignalKillsAgain) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto raise_after = [] {
    {
      const StopSignals signals([] {});
    }
    std::raise(SIGTERM);
  };
  EXPECT_EXIT(raise_after(), testing::KilledBySignal(SIGTERM), "");
}

}  // namespace
}  // namespace novafeed
