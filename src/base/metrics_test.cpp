#include "base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace novafeed {
namespace {

using testing::HasSubstr;

TEST(Metrics, RendersTheTextFormat) {
  Metrics metrics;
  metrics.AddCounter("novafeed_events_total", "Events taken.", {{"type", "view"}}).Add(3);
  const Gauge gauge = metrics.AddGauge("novafeed_lag_seconds", "Lag.");
  gauge.Set(2);
  gauge.Add(-0.5);
  metrics.AddHistogram("novafeed_feed_seconds", "Time of a feed.", {0.001, 0.01}).Observe(0.005);
  const std::string text = metrics.Render();
  EXPECT_THAT(text, HasSubstr("# HELP novafeed_events_total Events taken.\n# TYPE novafeed_events_total counter\n"));
  EXPECT_THAT(text, HasSubstr("novafeed_events_total{type=\"view\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("novafeed_lag_seconds 1.5\n"));
  EXPECT_THAT(text, HasSubstr("novafeed_feed_seconds_bucket{le=\"0.001\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("novafeed_feed_seconds_bucket{le=\"0.01\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("novafeed_feed_seconds_count 1\n"));
}

TEST(Metrics, TheSameNameAndLabelsAreTheSameMetric) {
  Metrics metrics;
  metrics.AddCounter("novafeed_x_total", "X.", {{"a", "1"}}).Add();
  metrics.AddCounter("novafeed_x_total", "X.", {{"a", "1"}}).Add();
  metrics.AddCounter("novafeed_x_total", "X.", {{"a", "2"}}).Add();
  EXPECT_THAT(metrics.Render(), HasSubstr("novafeed_x_total{a=\"1\"} 2\n"));
  EXPECT_THAT(metrics.Render(), HasSubstr("novafeed_x_total{a=\"2\"} 1\n"));
}

TEST(Metrics, CountsFromManyThreads) {
  Metrics metrics;
  const Counter counter = metrics.AddCounter("novafeed_x_total", "X.");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10'000; ++i) counter.Add();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(metrics.Render(), HasSubstr("novafeed_x_total 40000\n"));
}

}  // namespace
}  // namespace novafeed
