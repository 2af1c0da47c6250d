// Redis gone, restarted, slow, full, or not to be trusted: an error in time, and it heals.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include "adapters/redis/open.h"
#include "adapters/redis/test_server.h"

namespace novafeed {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::RedisServer;
using SteadyClock = std::chrono::steady_clock;

// Far beyond all time-outs below, far below a wait without one.
constexpr seconds kInTime{5};

std::string LineOf(const Metrics& metrics, const std::string& name) {
  const std::string text = "\n" + metrics.Render();
  const std::size_t at = text.find("\n" + name + " ");
  return at == text.npos ? "" : text.substr(at + name.size() + 2, text.find('\n', at + 1) - at - name.size() - 2);
}

class RedisFaults : public ::testing::Test {
 protected:
  void Open(const RedisServer& server) {
    RedisOptions options = server.Options();
    options.connect_timeout = milliseconds(1000);
    options.call_timeout = milliseconds(300);
    options.failures_to_open = 3;
    options.open_for = milliseconds(200);
    cache_ = OpenRedisCache(options, &metrics_).value();
  }

  // The call fails as the port says, in time.
  void ExpectUnavailable() {
    const auto begin = SteadyClock::now();
    const auto got = cache_->Get("key");
    EXPECT_LT(SteadyClock::now() - begin, kInTime);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().failure, Failure::kUnavailable);
    EXPECT_EQ(got.error().code, "cache_unavailable");
    EXPECT_GT(got.error().retry_after_ms, 0);
  }
  void ExpectOpenAfterThree() {
    for (int i = 0; i < 3; ++i) ExpectUnavailable();
    EXPECT_EQ(LineOf(metrics_, "novafeed_redis_breaker_state"), "2");
  }
  void ExpectHealed() {
    EXPECT_TRUE(Eventually([this] { return cache_->Put("key", "value", seconds(60)).has_value(); }));
    EXPECT_EQ(cache_->Get("key").value(), "value");
    EXPECT_EQ(LineOf(metrics_, "novafeed_redis_breaker_state"), "0");
  }
  // While open, calls cost nothing: thousands end within what one time-out would take.
  void ExpectNoWaitWhileOpen(const RedisServer& server) {
    RedisOptions options = server.Options();
    options.connect_timeout = options.call_timeout = milliseconds(300);
    options.failures_to_open = 1;
    options.open_for = seconds(600);
    Metrics metrics;
    const auto cache = OpenRedisCache(options, &metrics).value();
    EXPECT_FALSE(cache->Get("key"));
    const auto begin = SteadyClock::now();
    for (int i = 0; i < 1000; ++i) EXPECT_FALSE(cache->Get("key"));
    EXPECT_LT(SteadyClock::now() - begin, seconds(2));
    EXPECT_EQ(LineOf(metrics, "novafeed_redis_failures_total{reason=\"breaker_open\"}"), "1000");
  }

  Metrics metrics_;
  std::unique_ptr<Cache> cache_;
};

TEST_F(RedisFaults, GoneAndBack) {
  RedisServer server;
  Open(server);
  ExpectHealed();
  server.Kill();
  ExpectOpenAfterThree();
  ExpectNoWaitWhileOpen(server);
  server.Start();
  ExpectHealed();
}

TEST_F(RedisFaults, NotThereYet) {
  RedisServer server;
  server.Kill();
  Open(server);
  ExpectOpenAfterThree();
  server.Start();
  ExpectHealed();
}

TEST_F(RedisFaults, ARestartBetweenTwoCallsIsNotSeen) {
  RedisServer server(RedisServer::Mode::kSecret);
  Open(server);
  ASSERT_TRUE(cache_->Put("key", "value", seconds(60)));
  server.Kill();
  server.Start();
  const auto got = cache_->Get("key");
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(*got, std::nullopt);
}

TEST_F(RedisFaults, SlowAndQuickAgain) {
  RedisServer server;
  Open(server);
  ASSERT_TRUE(cache_->Put("key", "old", seconds(60)));
  ASSERT_TRUE(cache_->Put("other", "another's", seconds(60)));
  server.Stop();
  ExpectOpenAfterThree();
  ExpectNoWaitWhileOpen(server);
  server.GoOn();
  // The replies that came too late are nobody's.
  EXPECT_TRUE(Eventually([this] { return cache_->Get("other").has_value(); }));
  EXPECT_EQ(cache_->Get("other").value(), "another's");
  EXPECT_EQ(cache_->Get("key").value(), "old");
  ExpectHealed();
}

TEST_F(RedisFaults, WhileOneTriesTheMetricSaysSoAndOthersDoNotWait) {
  RedisServer server;
  Open(server);
  ExpectHealed();
  server.Stop();
  ExpectOpenAfterThree();
  std::atomic<bool> done{false};
  std::thread trying([&] {
    while (!done) static_cast<void>(cache_->Get("key"));
  });
  EXPECT_TRUE(Eventually([this] { return LineOf(metrics_, "novafeed_redis_breaker_state") == "1"; }));
  ExpectUnavailable();
  done = true;
  trying.join();
  server.GoOn();
  ExpectHealed();
}

using RedisBreakerLog = RedisFaults;

TEST_F(RedisBreakerLog, SaysThatItOpensAndThatItCloses) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto open_and_close = [this] {
    RedisServer server;
    Open(server);
    server.Kill();
    ExpectOpenAfterThree();
    server.Start();
    ExpectHealed();
    server.Kill();
    std::exit(HasFailure() ? 1 : 0);
  };
  EXPECT_EXIT(
      open_and_close(), ::testing::ExitedWithCode(0),
      R"("warn","event":"redis_breaker","state":"open","was":"closed","address":"[^"]+:[0-9]+","reason":"[^"]+".*)"
      R"("info","event":"redis_breaker","state":"closed")");
}

TEST_F(RedisFaults, FullRefusesWritesAndServesReads) {
  RedisServer server;
  server.Ask({"CONFIG", "SET", "maxmemory", "4mb", "maxmemory-policy", "noeviction"});
  Open(server);
  ASSERT_TRUE(cache_->Put("kept", "value", seconds(60)));
  const std::string large(1 << 18, 'x');
  Status put = {};
  int kept = 0;
  for (; put && kept < 100; ++kept) put = cache_->Put("large" + std::to_string(kept), large, seconds(60));
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, "cache_unavailable");
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(cache_->Put("more", large, seconds(60)));
  EXPECT_EQ(LineOf(metrics_, "novafeed_redis_failures_total{reason=\"refused\"}"), "11");
  EXPECT_EQ(LineOf(metrics_, "novafeed_redis_breaker_state"), "0");
  EXPECT_EQ(cache_->Get("kept").value(), "value");
  for (int i = 0; i < kept; ++i) ASSERT_TRUE(cache_->Remove("large" + std::to_string(i)));
  ExpectHealed();
}

TEST_F(RedisFaults, AnIdleConnectionThatRedisClosedIsReplaced) {
  RedisServer server;
  Open(server);
  ASSERT_TRUE(cache_->Put("key", "value", seconds(60)));
  server.Ask({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
  EXPECT_EQ(cache_->Get("key").value(), "value");
}

TEST_F(RedisFaults, WhatIsNoRedisIsUnavailable) {
  RedisServer server(RedisServer::Mode::kTls);  // answers plain text with an alert, or not at all
  RedisOptions options = server.Options();
  options.url = "redis://127.0.0.1:" + std::to_string(server.port());
  options.call_timeout = milliseconds(300);
  cache_ = OpenRedisCache(options, &metrics_).value();
  ExpectUnavailable();
}

TEST_F(RedisFaults, WithoutTheRightPasswordNothingIsRead) {
  RedisServer server(RedisServer::Mode::kSecret);
  Open(server);
  ExpectHealed();
  RedisOptions options = server.Options();
  options.password_file = "";
  cache_ = OpenRedisCache(options, &metrics_).value();
  ExpectUnavailable();

  const TempDirectory directory;
  options.password_file = directory.path() / "wrong";
  std::ofstream(options.password_file) << "battery staple";
  cache_ = OpenRedisCache(options, &metrics_).value();
  ExpectUnavailable();
  EXPECT_EQ(cache_->Get("key").error().detail.find("staple"), std::string::npos);
}

TEST_F(RedisFaults, AUserOfTheAccessListsMayBeNamed) {
  RedisServer server(RedisServer::Mode::kSecret);
  server.Ask({"ACL", "SETUSER", "nova", "on", std::string(">") + RedisServer::kPassword, "~feed:*", "+@all"});
  RedisOptions options = server.Options();
  options.url = "redis://nova@127.0.0.1:" + std::to_string(server.port());
  cache_ = OpenRedisCache(options, &metrics_).value();
  EXPECT_TRUE(cache_->Put("feed:key", "value", seconds(60)));
  ExpectUnavailable();  // "key" is not theirs
}

TEST_F(RedisFaults, OnlyATrustedCertificateOfThatHostIsTaken) {
  RedisServer server(RedisServer::Mode::kTls);
  const RedisServer other(RedisServer::Mode::kTls);
  RedisOptions options = server.Options();
  options.ca_file = other.CaFile();
  cache_ = OpenRedisCache(options, &metrics_).value();
  ExpectUnavailable();
  EXPECT_NE(cache_->Get("key").error().detail.find("certificate"), std::string::npos);

  options = server.Options();
  options.url = "rediss://localhost:" + std::to_string(server.port());
  cache_ = OpenRedisCache(options, &metrics_).value();
  ExpectUnavailable();
}

TEST(OpenRedisCache, NamesWhatIsWrongWithItsOptions) {
  Metrics metrics;
  RedisOptions options;
  options.url = "http://cache";
  EXPECT_EQ(OpenRedisCache(options, &metrics).error().code, "bad_redis_url");
  options.url = "rediss://cache";
  options.password_file = "/nowhere/password";
  EXPECT_EQ(OpenRedisCache(options, &metrics).error().code, "bad_password_file");
  options.password_file = "";
  options.ca_file = "/nowhere/ca.crt";
  EXPECT_EQ(OpenRedisCache(options, &metrics).error().code, "bad_ca_file");
  for (const char* file : {"/nowhere/password", "/nowhere/ca.crt"}) {
    options.ca_file = options.password_file = file;
    EXPECT_EQ(OpenRedisCache(options, &metrics).error().failure, Failure::kInvalid);
  }
}

}  // namespace
}  // namespace novafeed
