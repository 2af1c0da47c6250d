#include "app/plain_passwords.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>

#include "app/settings_table.h"

namespace novafeed {
namespace {

// The complaint; empty where there is none.
std::string Judge(std::map<std::string, std::string> settings) {
  const auto loaded = LoadSettings({"", std::move(settings)});
  if (!loaded) return loaded.error().detail;
  const Status safe = RefusePlainPasswords(*loaded);
  if (safe) return "";
  EXPECT_EQ(safe.error().failure, Failure::kInvalid);
  return safe.error().detail;
}

std::string Graph(const std::string& url) {
  return Judge({{"graph.url", url}, {"graph.password_file", "/etc/secret"}});
}
std::string Log(const std::string& url) {
  return Judge({{"log.url", url}, {"log.password_file", "/etc/secret"}});
}
std::string Cache(const std::string& url) {
  return Judge({{"cache.url", url}, {"cache.password_file", "/etc/secret"}});
}
std::string Olap(const std::string& url) {
  return Judge({{"olap.url", url}, {"olap.reader_password_file", "/etc/secret"}});
}

TEST(PlainPasswords, StayOnThisMachine) {
  EXPECT_EQ(Judge({}), "");
  for (const char* host : {"127.0.0.1:1", "localhost:1", "[::1]:1", "127.1.2.3"}) {
    const std::string at = host;
    EXPECT_EQ(Graph("postgresql://nova@" + at + "/novafeed"), "");
    EXPECT_EQ(Log("kafka://nova@" + at), "");
    EXPECT_EQ(Cache("redis://" + at + "/0"), "");
    EXPECT_EQ(Olap("http://" + at), "");
  }
  EXPECT_EQ(Graph("postgresql://nova@%2Fvar%2Frun%2Fpostgresql/novafeed"), "") << "a socket in the file system";
}

TEST(PlainPasswords, GoNowhereElseWithoutTls) {
  for (const char* host : {"10.0.0.1:1", "db", "db:1", "[fe80::1]:1", "localhost.example.com"}) {
    const std::string at = host;
    EXPECT_NE(Graph("postgresql://nova@" + at + "/novafeed?sslmode=disable"), "");
    EXPECT_NE(Log("kafka://nova@" + at), "");
    EXPECT_NE(Cache("redis://" + at + "/0"), "");
    EXPECT_NE(Olap("http://" + at), "");
    EXPECT_NE(Olap("clickhouse://" + at), "");
  }
  EXPECT_NE(Log("kafka://nova@127.0.0.1:1,broker:1"), "") << "one of several";
  EXPECT_NE(Graph("postgresql://nova@127.0.0.1,db/novafeed"), "");
  EXPECT_NE(Graph("postgresql://nova@127.0.0.1/novafeed?hostaddr=10.0.0.1"), "") << "this is where it goes";
}

TEST(PlainPasswords, GoByTlsToWhomIsVerified) {
  EXPECT_EQ(Log("kafkas://nova@broker:9093"), "");
  EXPECT_EQ(Cache("rediss://cache/0"), "");
  EXPECT_EQ(Olap("https://olap:8443"), "");
  for (const char* mode : {"verify-full", "verify-ca"}) {
    EXPECT_EQ(Graph("postgresql://nova@db/novafeed?sslmode=" + std::string(mode)), "");
  }
  for (const char* mode : {"disable", "allow", "prefer", "require"}) {
    EXPECT_NE(Graph("postgresql://nova@db/novafeed?sslmode=" + std::string(mode)), "") << mode;
  }
  EXPECT_NE(Graph("postgresql://nova@db/novafeed"), "") << "libpq goes on without TLS where there is none";
}

TEST(PlainPasswords, WithoutOneAnyUrlWillDo) {
  EXPECT_EQ(Judge({{"log.url", "kafka://broker:9092"}}), "");
  EXPECT_EQ(Judge({{"cache.url", "redis://cache"}}), "");
  EXPECT_EQ(Judge({{"olap.url", "http://olap:8123"}}), "");
  EXPECT_EQ(Judge({{"graph.url", "postgresql://nova@db/novafeed"}}), "");
}

TEST(PlainPasswords, WhatLibpqTakesFromTheEnvironmentCounts) {
  setenv("PGPASSWORD", "sesame", 1);
  EXPECT_NE(Judge({{"graph.url", "postgresql://nova@db/novafeed"}}), "");
  setenv("PGSSLMODE", "verify-full", 1);
  EXPECT_EQ(Judge({{"graph.url", "postgresql://nova@db/novafeed"}}), "");
  unsetenv("PGPASSWORD");
  unsetenv("PGSSLMODE");
  setenv("PGHOST", "db", 1);
  EXPECT_NE(Graph("postgresql:///novafeed"), "");
  unsetenv("PGHOST");
}

TEST(PlainPasswords, TheComplaintSaysWhatToDoAndNoSecret) {
  const std::string log = Log("kafka://nova@broker:9092");
  EXPECT_NE(log.find("log.url would send a password to broker"), log.npos) << log;
  EXPECT_NE(log.find("kafkas://"), log.npos);
  EXPECT_NE(Graph("postgresql://nova@db/novafeed").find("sslmode=verify-full"), std::string::npos);
  const std::string bad = Graph("postgresql://[::1");
  EXPECT_NE(bad, "");
}

}  // namespace
}  // namespace novafeed
