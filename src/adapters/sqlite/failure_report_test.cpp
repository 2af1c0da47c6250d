#include "adapters/sqlite/failure_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "adapters/sqlite/test_stores.h"

namespace novafeed::sqlite {
namespace {

const Error kDiskFull = {Failure::kStorageFull, "disk_full", "Free some space.", 0};
const Error kOverloaded = {Failure::kUnavailable, "overloaded", "Try again.", 1000};
const Error kTakenBack = {Failure::kConflict, "dry_run", "As its caller wanted.", 0};

TEST(FailureReport, CountsByStoreAndCode) {
  Metrics metrics;
  FailureReport graph("graph", &metrics);
  FailureReport events("events", &metrics);
  graph.RolledBack(kDiskFull, 3);
  graph.RolledBack(kDiskFull, 1);
  graph.RolledBack(kTakenBack, 1);
  events.Refused(kOverloaded);
  events.CheckpointFailed(kDiskFull);
  EXPECT_EQ(MetricValue(metrics, R"(novafeed_store_failed_works_total{code="disk_full",store="graph"})"), 4);
  EXPECT_EQ(MetricValue(metrics, R"(novafeed_store_failed_works_total{code="dry_run",store="graph"})"), 1);
  EXPECT_EQ(MetricValue(metrics, R"(novafeed_store_refused_total{code="overloaded",store="events"})"), 1);
  EXPECT_EQ(MetricValue(metrics, R"(novafeed_store_checkpoint_failures_total{store="events"})"), 1);
  EXPECT_EQ(MetricValue(metrics, R"(novafeed_store_checkpoint_failures_total{store="graph"})"), 0);
}

// A child process, whose log is written out when it ends.
TEST(FailureReportDeathTest, SaysEachKindOfFailureOnceInAWhile) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto report_and_exit = [] {
    Metrics metrics;
    FailureReport report("graph", &metrics);
    report.RolledBack(kTakenBack, 1);
    for (int i = 0; i < 50; ++i) {
      report.RolledBack(kDiskFull, 1);
      report.Refused(kOverloaded);
      report.CheckpointFailed(kDiskFull);
    }
    std::exit(0);
  };
  const auto has_one_line_each = testing::Truly([](const std::string& text) {
    const auto count = [&](const std::string& part) {
      std::size_t found = 0;
      for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
      return found;
    };
    const auto has = [&](const std::string& level, const std::string& event, const Error& error) {
      return count(R"("level":")" + level + R"(","event":")" + event + R"(","store":"graph","code":")" + error.code +
                   R"(","detail":")" + error.detail + R"("})") == 1;
    };
    return count("\n") == 3 && has("error", "store_write_failed", kDiskFull) &&
           has("warn", "store_write_refused", kOverloaded) && has("warn", "store_checkpoint_failed", kDiskFull);
  });
  EXPECT_EXIT(report_and_exit(), testing::ExitedWithCode(0), has_one_line_each);
}

}  // namespace
}  // namespace novafeed::sqlite
