#include "base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <thread>
#include <vector>

namespace novafeed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

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

TEST(Metrics, AReadingHasTheValuesOfItsMoment) {
  Metrics metrics;
  const Counter runs = metrics.AddCounter("novafeed_runs_total", "Runs.", {{"job", "hot"}});
  runs.Add(3);
  metrics.AddCounter("novafeed_runs_total", "Runs.", {{"job", "warm"}});
  metrics.AddGauge("novafeed_lag_seconds", "Lag.").Set(1.5);
  const Histogram seconds = metrics.AddHistogram("novafeed_feed_seconds", "Time of a feed.", {0.001, 0.01});
  for (const double value : {0.005, 0.002, 7.0}) seconds.Observe(value);
  const MetricsReading reading = metrics.Read();
  runs.Add();

  std::map<std::string, double> by_job;
  for (const auto& [labels, value] : reading.Values("novafeed_runs_total")) by_job[labels.at("job")] = value;
  EXPECT_THAT(by_job, ElementsAre(Pair("hot", 3), Pair("warm", 0)));
  ASSERT_EQ(reading.Values("novafeed_lag_seconds").size(), 1U);
  EXPECT_EQ(reading.Values("novafeed_lag_seconds").front().value, 1.5);
  EXPECT_TRUE(reading.Values("novafeed_nothing").empty());
  const MetricsReading::Distribution times = reading.DistributionOf("novafeed_feed_seconds");
  EXPECT_EQ(times.count, 3U);
  EXPECT_DOUBLE_EQ(times.sum, 7.007);
  EXPECT_THAT(times.buckets, ElementsAre(Pair(0.001, 0), Pair(0.01, 2)));
  EXPECT_EQ(reading.DistributionOf("novafeed_nothing").count, 0U);
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
