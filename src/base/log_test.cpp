#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <thread>
#include <vector>

#include "base/json.h"

namespace novafeed {
namespace {

TEST(FormatLogLine, IsOneJsonObjectWithRfc3339Time) {
  const std::string line = FormatLogLine(482'196'050'520, LogLevel::kWarn, "disk_low",
                                         {{"free_bytes", std::int64_t{17}}, {"share", 0.5}, {"path", "/data"}});
  EXPECT_EQ(line, R"({"time":"1985-04-12T23:20:50.520Z","level":"warn","event":"disk_low",)"
                  R"("free_bytes":17,"share":0.5,"path":"/data"})");
}

TEST(FormatLogLine, ForeignTextStaysInsideItsField) {
  const std::string line = FormatLogLine(0, LogLevel::kError, "request_failed",
                                         {{"path", "/\"\n{\"level\":\"info\"}\xff"}, {"ratio", std::nan("")}});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto parsed = ParseJson(line);
  ASSERT_TRUE(parsed) << line;
  EXPECT_EQ(parsed->as_object().at("path").as_string(), "/\"\n{\"level\":\"info\"}\ufffd");
  EXPECT_TRUE(parsed->as_object().at("ratio").is_null());
}

// A child process shows that lines are whole on standard error, and that none is lost at exit.
TEST(LogDeathTest, WritesWholeLinesFromManyThreadsUntilTheEnd) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto write_and_exit = [] {
    SetLogLevel(LogLevel::kInfo);
    Log(LogLevel::kDebug, "not_written");
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([] {
        for (std::int64_t i = 0; i < 100; ++i) Log(LogLevel::kInfo, "tick", {{"i", i}});
      });
    }
    for (std::thread& thread : threads) thread.join();
    std::exit(static_cast<int>(DroppedLogLines()));
  };
  const auto has_all_lines = testing::Truly([](const std::string& text) {
    std::size_t lines = 0;
    for (std::size_t at = text.find('{'); at < text.size(); ++lines) {
      const std::size_t end = text.find('\n', at);
      if (end == text.npos || !ParseJson(text.substr(at, end - at))) return false;
      at = end + 1;
    }
    return lines == 400 && text.find("not_written") == text.npos;
  });
  EXPECT_EXIT(write_and_exit(), testing::ExitedWithCode(0), has_all_lines);
}

TEST(LogGate, OpensOnceInItsInterval) {
  LogGate gate(1'000'000);
  std::atomic<int> opened{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) opened += gate.Open() ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(opened, 1);
}

TEST(LogGate, OpensAgainAfterwards) {
  LogGate gate(0);
  EXPECT_TRUE(gate.Open());
  EXPECT_TRUE(gate.Open());
}

}  // namespace
}  // namespace novafeed
