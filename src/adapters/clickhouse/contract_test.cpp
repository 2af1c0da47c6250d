// The contract of Olap, over HTTP, against a real engine; and what happens where that engine is not well.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "adapters/clickhouse/open.h"
#include "adapters/clickhouse/test_engine.h"
#include "warehouse/olap_contract.h"
#include "warehouse/schema.h"

namespace novafeed {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::TestEngine;

struct EngineAndClient {
  TestEngine engine;
  std::unique_ptr<Olap> olap = OpenClickHouse(engine.endpoint());
};

// Starting it takes a second: all tests of the contract share one.
OpenedOlap OpenShared() {
  static const auto kShared = std::make_shared<EngineAndClient>();
  return {kShared, kShared->olap.get()};
}

const OlapFactory kFactory = {"clickhouse", &OpenShared};
INSTANTIATE_TEST_SUITE_P(ClickHouse, OlapContract, ::testing::Values(kFactory));

std::string CodeOf(Olap* olap, milliseconds deadline = seconds(5)) {
  OlapCall call;
  call.deadline = deadline;
  const Result<OlapRows> rows = olap->Query("SELECT 1", {}, call);
  return rows ? "" : rows.error().code;
}

TEST(ClickHouse, NobodyThereIsUnavailable) {
  const auto olap = OpenClickHouse(ClickHouseEndpoint{"http://127.0.0.1:1", "novafeed", "x"});
  EXPECT_EQ(CodeOf(olap.get()), "olap_unavailable");
  const auto nowhere = OpenClickHouse([] { return std::optional<ClickHouseEndpoint>(); });
  EXPECT_EQ(CodeOf(nowhere.get()), "olap_unavailable");
  EXPECT_THROW(OpenClickHouse(ClickHouseEndpoint{"kafka://here:1", "", ""}), std::runtime_error);
}

TEST(ClickHouse, AWrongPasswordIsAnError) {
  const OpenedOlap shared = OpenShared();
  ClickHouseEndpoint endpoint = std::static_pointer_cast<EngineAndClient>(shared.owner)->engine.endpoint();
  endpoint.password = "wrong";
  EXPECT_EQ(CodeOf(OpenClickHouse(endpoint).get()), "olap_error");
}

TEST(ClickHouse, FindsAnEngineThatComesBackElsewhere) {
  TestEngine engine;
  const auto olap = OpenClickHouse([&engine] { return std::optional(engine.endpoint()); });
  EXPECT_EQ(CodeOf(olap.get()), "");
  engine.Kill();
  EXPECT_EQ(CodeOf(olap.get()), "olap_unavailable");
  engine.Start();
  EXPECT_EQ(CodeOf(olap.get()), "");  // no kept connection of the old one is used
}

TEST(ClickHouse, WaitsForAConnectionWithinTheDeadline) {
  const OpenedOlap shared = OpenShared();
  const ClickHouseEndpoint endpoint = std::static_pointer_cast<EngineAndClient>(shared.owner)->engine.endpoint();
  ClickHouseOptions options;
  options.max_connections = 1;
  const auto olap = OpenClickHouse(endpoint, options);
  std::thread busy([&olap] { static_cast<void>(olap->Query("SELECT sleep(1)", {}, {})); });
  // The sleeper has the connection once a call with a short deadline finds none.
  while (CodeOf(olap.get(), milliseconds(50)).empty()) std::this_thread::yield();
  EXPECT_EQ(CodeOf(olap.get(), milliseconds(50)), "olap_timeout");
  EXPECT_EQ(CodeOf(olap.get(), seconds(5)), "");
  busy.join();
}

// --- The schema, on the real engine.

TEST(WarehouseSchemaOnTheEngine, IsAppliedWholeOnceAndForwardOnly) {
  const EngineAndClient engine;
  Olap* olap = engine.olap.get();
  for (int time = 0; time < 2; ++time) {
    const Status applied = ApplySchema(olap, WarehouseSchema());
    ASSERT_TRUE(applied) << applied.error().detail;
  }
  OlapRows tables = std::move(*olap->Query("SELECT count() FROM system.tables WHERE database = 'novafeed'", {}, {}));
  EXPECT_GT(tables.UInt64(), 30U);

  std::vector<SqlScript> scripts(WarehouseSchema().begin(), WarehouseSchema().end());
  const SqlScript added{"0099_added.sql", "CREATE TABLE IF NOT EXISTS novafeed.added (a UInt8) ENGINE = Memory;"};
  scripts.push_back(added);
  ASSERT_TRUE(ApplySchema(olap, scripts));
  EXPECT_TRUE(olap->Query("SELECT a FROM novafeed.added", {}, {}));

  const Status older = ApplySchema(olap, WarehouseSchema());
  ASSERT_FALSE(older);
  EXPECT_EQ(older.error().code, "schema_newer");
  EXPECT_THAT(older.error().detail, ::testing::HasSubstr("0099_added.sql"));

  scripts.back() = {"0099_added.sql", "SELECT 1;"};
  const Status changed = ApplySchema(olap, scripts);
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().code, "schema_changed");
}

}  // namespace
}  // namespace novafeed
