#include "adapters/clickhouse/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "warehouse/sql.h"

namespace novafeed {
namespace {

using namespace std::string_literals;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

HttpResponse Answered(int status, std::string body, Headers headers = {}) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  response.headers = std::move(headers);
  return response;
}

TEST(ClickHouseProtocol, TakesAddressesOfItsSchemes) {
  EXPECT_EQ(HttpUrlOf("clickhouse://10.0.0.1:8123"), "http://10.0.0.1:8123");
  EXPECT_EQ(HttpUrlOf("http://localhost:8123"), "http://localhost:8123");
  EXPECT_EQ(HttpUrlOf("https://localhost:8443"), "https://localhost:8443");
  EXPECT_EQ(HttpUrlOf("https://"), std::nullopt);
  EXPECT_EQ(HttpUrlOf("redis://localhost:1"), std::nullopt);
  EXPECT_EQ(HttpUrlOf("clickhouse://"), std::nullopt);
}

TEST(ClickHouseProtocol, PutsParametersAndSettingsIntoTheTarget) {
  OlapCall call;
  call.deadline = seconds(5);
  call.settings = {{"async_insert", "0"}};
  EXPECT_EQ(RenderTarget("", {{"name", "a b&c"}}, call),
            "/?wait_end_of_query=1&max_execution_time=5&async_insert=0&param_name=a%20b%26c");
  EXPECT_THAT(RenderTarget("INSERT INTO t FORMAT X", {}, call), HasSubstr("/?query=INSERT%20INTO%20t%20FORMAT%20X&"));
}

TEST(ClickHouseProtocol, EscapesParametersAsClickHouseReadsThem) {
  const std::string target = RenderTarget("", {{"x", "a\tb\nc\\d\r"s + '\0'}}, {});
  EXPECT_THAT(target, HasSubstr("param_x=a%5Ctb%5Cnc%5C%5Cd%5Cr%5C0"));
}

TEST(ClickHouseProtocol, TellsTheEngineOneOfAFewDeadlines) {
  EXPECT_EQ(MaxExecutionTime(milliseconds(1)), "1");
  EXPECT_EQ(MaxExecutionTime(milliseconds(1000)), "1");
  EXPECT_EQ(MaxExecutionTime(milliseconds(1001)), "2");
  EXPECT_EQ(MaxExecutionTime(seconds(31)), "60");
  EXPECT_EQ(MaxExecutionTime(std::chrono::hours(2)), "7200");
}

TEST(ClickHouseProtocol, SplitsAtSemicolonsOutsideOfQuotesAndComments) {
  EXPECT_THAT(SplitStatements("A ';' B; C -- x;y\n D;\n/* ; */ E `;` ;"),
              ElementsAre("A ';' B", " C -- x;y\n D", "\n/* ; */ E `;` "));
  EXPECT_THAT(SplitStatements(R"(A 'it''s;' 'a\';' ; B)"), ElementsAre(R"(A 'it''s;' 'a\';' )", " B"));
  EXPECT_THAT(SplitStatements("-- nothing\n;;\n /* at all */"), IsEmpty());
  EXPECT_THAT(SplitStatements("A 'without end; B"), ElementsAre("A 'without end; B"));
}

TEST(ClickHouseProtocol, SplitsTheSchemaIntoWholeStatements) {
  for (const SqlScript& script : WarehouseSchema()) {
    for (const std::string_view statement : SplitStatements(script.text)) {
      EXPECT_THAT(std::string(statement), ::testing::ContainsRegex("(CREATE|ALTER|DROP|INSERT|RENAME) ")) << statement;
    }
  }
}

TEST(ClickHouseProtocol, BelievesTheExceptionBeforeTheStatus) {
  EXPECT_FALSE(ErrorOf(Answered(200, "rows")));
  const auto error = ErrorOf(Answered(200, "Code: 60. No table\n", {{"x-clickhouse-exception-code", "60"}}));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, "olap_error");
  EXPECT_EQ(error->failure, Failure::kInternal);
  EXPECT_THAT(error->detail, HasSubstr("Code: 60. No table"));
}

TEST(ClickHouseProtocol, TellsWhatMayBeTriedAgain) {
  EXPECT_EQ(ErrorOf(Answered(500, "", {{"X-ClickHouse-Exception-Code", "159"}}))->code, "olap_timeout");
  EXPECT_EQ(ErrorOf(Answered(500, "", {{"X-ClickHouse-Exception-Code", "202"}}))->code, "olap_unavailable");
  EXPECT_EQ(ErrorOf(Answered(503, "busy"))->code, "olap_unavailable");
  EXPECT_EQ(ErrorOf(Answered(401, "who?"))->code, "olap_error");
  EXPECT_EQ(ErrorOf(Error{Failure::kUnavailable, "timeout", "", 0}).code, "olap_timeout");
  EXPECT_EQ(ErrorOf(Error{Failure::kUnavailable, "connection_lost", "gone", 0}).code, "olap_unavailable");
  EXPECT_EQ(ErrorOf(Error{Failure::kUnavailable, "cannot_connect", "gone", 0}).code, "olap_unavailable");
}

}  // namespace
}  // namespace novafeed
