#include "adapters/chdb/clickhouse_request.h"

#include <gtest/gtest.h>

#include <string>

namespace novafeed {
namespace {

HttpRequest RequestOf(std::string query, Headers headers = {}) {
  HttpRequest request;
  request.method = Method::kPost;
  request.path = "/";
  request.query = std::move(query);
  request.headers = std::move(headers);
  return request;
}

ClickHouseRequest Parsed(const HttpRequest& request) {
  auto parsed = ParseClickHouseRequest(request);
  EXPECT_TRUE(parsed) << parsed.error().text;
  return parsed.value_or(ClickHouseRequest{});
}

int CodeOf(const HttpRequest& request) {
  const auto parsed = ParseClickHouseRequest(request);
  return parsed ? 0 : parsed.error().code;
}

TEST(ClickHouseRequestTest, EachParameterHasItsPlace) {
  const ClickHouseRequest parsed = Parsed(RequestOf(
      "query=SELECT+1&database=d&default_format=CSV&query_id=q%201&param_x=1&max_threads=2&wait_end_of_query=1"));
  EXPECT_EQ(parsed.query, "SELECT 1");
  EXPECT_EQ(parsed.database, "d");
  EXPECT_EQ(parsed.format, "CSV");
  EXPECT_EQ(parsed.query_id, "q 1");
  EXPECT_EQ(parsed.params, (NamedTexts{{"x", "1"}}));
  EXPECT_EQ(parsed.settings, (NamedTexts{{"max_threads", "2"}}));
  EXPECT_FALSE(parsed.credentials);
  EXPECT_FALSE(parsed.compress_answer);
}

TEST(ClickHouseRequestTest, HeadersNameDatabaseAndFormatAndTheUrlWins) {
  const Headers headers{{"X-ClickHouse-Database", "a"}, {"x-clickhouse-format", "TSV"}};
  EXPECT_EQ(Parsed(RequestOf("", headers)).database, "a");
  EXPECT_EQ(Parsed(RequestOf("", headers)).format, "TSV");
  EXPECT_EQ(Parsed(RequestOf("database=b&default_format=CSV", headers)).database, "b");
  EXPECT_EQ(Parsed(RequestOf("database=b&default_format=CSV", headers)).format, "CSV");
}

TEST(ClickHouseRequestTest, CredentialsComeInThreeWays) {
  const auto check = [](const HttpRequest& request, const std::string& user, const std::string& password) {
    const ClickHouseRequest parsed = Parsed(request);
    ASSERT_TRUE(parsed.credentials);
    EXPECT_EQ(parsed.credentials->user, user);
    EXPECT_EQ(parsed.credentials->password, password);
    EXPECT_TRUE(parsed.settings.empty());
  };
  check(RequestOf("user=a&password=b%26"), "a", "b&");
  check(RequestOf("", {{"X-ClickHouse-User", "a"}, {"X-ClickHouse-Key", "b"}}), "a", "b");
  check(RequestOf("", {{"Authorization", "Basic YTpiOmM="}}), "a", "b:c");
  check(RequestOf("", {{"Authorization", "basic YTp+fw=="}}), "a", "~\x7f");
  check(RequestOf("user=z", {{"Authorization", "Basic YTpi"}}), "a", "b");
}

TEST(ClickHouseRequestTest, MalformedBasicIsNoCredential) {
  for (const char* header : {"Basic", "Basic !", "Bearer YTpi", "Basic YTpi YTpi"}) {
    EXPECT_FALSE(Parsed(RequestOf("user=a&password=b", {{"Authorization", header}})).credentials) << header;
  }
}

TEST(ClickHouseRequestTest, AnswersArePackedOnlyWhereBothWantIt) {
  const Headers gzip{{"Accept-Encoding", "deflate, gzip"}};
  EXPECT_TRUE(Parsed(RequestOf("enable_http_compression=1", gzip)).compress_answer);
  EXPECT_FALSE(Parsed(RequestOf("enable_http_compression=0", gzip)).compress_answer);
  EXPECT_FALSE(Parsed(RequestOf("", gzip)).compress_answer);
  EXPECT_FALSE(Parsed(RequestOf("enable_http_compression=1")).compress_answer);
}

TEST(ClickHouseRequestTest, WhatIsNotSpokenIsRefused) {
  for (const char* query : {"session_id=x", "compress=1", "decompress=1", "role=x", "stacktrace=1"}) {
    EXPECT_EQ(CodeOf(RequestOf(query)), 48) << query;
  }
  EXPECT_EQ(CodeOf(RequestOf("compress=0&decompress=0")), 0);
}

TEST(ClickHouseRequestTest, MalformedParametersAreRefused) {
  EXPECT_EQ(CodeOf(RequestOf("query=%zz")), 36);
  EXPECT_EQ(CodeOf(RequestOf("query=%ff")), 36);
  EXPECT_EQ(CodeOf(RequestOf("default_format=a%0Ab")), 73);
  EXPECT_EQ(CodeOf(RequestOf("", {{"X-ClickHouse-Format", "a b"}})), 73);
  EXPECT_EQ(CodeOf(RequestOf("query_id=a%0Ab")), 36);
  EXPECT_EQ(CodeOf(RequestOf("query_id=" + std::string(129, 'x'))), 36);
}

TEST(ClickHouseRequestTest, OnlyNamesOfThisMachineAreItsHosts) {
  for (const char* host : {"127.0.0.1", "127.0.0.1:8123", "localhost", "LocalHost:1", "[::1]", "[::1]:8123"}) {
    EXPECT_TRUE(IsLoopbackHost(host)) << host;
  }
  for (const char* host : {"", ":80", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "[::2]:1",
                           "evil.example:127.0.0.1", "::1", "127.0.0.1@evil", "127.0.0.1:80:80"}) {
    EXPECT_FALSE(IsLoopbackHost(host)) << host;
  }
}

}  // namespace
}  // namespace novafeed
