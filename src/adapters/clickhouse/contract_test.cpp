// The contract of Olap, over HTTP, against a real engine; and what happens where that engine is not well.
#include <gtest/gtest.h>

#include <boost/asio/ssl/impl/src.hpp>  // here once for this program: test_tls.h uses it
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "adapters/clickhouse/open.h"
#include "adapters/clickhouse/test_engine.h"
#include "adapters/clickhouse/test_tls.h"
#include "warehouse/olap_contract.h"
#include "warehouse/schema.h"

namespace novafeed {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::TestEngine;
using testing::TlsTerminator;

struct EngineAndClient {
  TestEngine engine;
  std::unique_ptr<Olap> olap = OpenClickHouse(engine.endpoint());
};

// Starting it takes a second: all tests of the contract share one.
OpenedOlap OpenShared() {
  static const auto kShared = std::make_shared<EngineAndClient>();
  return {kShared, kShared->olap.get()};
}

ClickHouseEndpoint SharedEndpoint() {
  return std::static_pointer_cast<EngineAndClient>(OpenShared().owner)->engine.endpoint();
}

// The same engine, by TLS.
struct TlsAndClient {
  TlsTerminator tls{SharedEndpoint().url};
  std::unique_ptr<Olap> olap = OpenClickHouse(Endpoint(), Options());

  ClickHouseEndpoint Endpoint(const std::string& host = "127.0.0.1") const {
    return {tls.url(host), SharedEndpoint().user, SharedEndpoint().password};
  }
  ClickHouseOptions Options() const {
    ClickHouseOptions options;
    options.ca_file = tls.CaFile();
    options.connect_timeout = seconds(5);  // this machine may be busy
    return options;
  }
};

OpenedOlap OpenSharedByTls() {
  static const auto kShared = std::make_shared<TlsAndClient>();
  return {kShared, kShared->olap.get()};
}

const OlapFactory kFactory = {"clickhouse", &OpenShared};
const OlapFactory kTlsFactory = {"clickhouse_tls", &OpenSharedByTls};
INSTANTIATE_TEST_SUITE_P(ClickHouse, OlapContract, ::testing::Values(kFactory, kTlsFactory));

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

// --- TLS.

TEST(ClickHouseByTls, OnlyATrustedCertificateOfThatHostIsTaken) {
  const TlsAndClient shared;
  EXPECT_EQ(CodeOf(shared.olap.get()), "");

  const auto refusal = [](const ClickHouseEndpoint& endpoint, const ClickHouseOptions& options) {
    const Result<OlapRows> rows = OpenClickHouse(endpoint, options)->Query("SELECT 1", {}, {});
    return rows ? Error{} : rows.error();
  };
  ClickHouseOptions options = shared.Options();
  options.ca_file = shared.tls.OtherCaFile();
  const Error stranger = refusal(shared.Endpoint(), options);
  EXPECT_EQ(stranger.code, "olap_unavailable");
  EXPECT_THAT(stranger.detail, ::testing::HasSubstr("certificate"));
  EXPECT_THAT(stranger.detail, ::testing::HasSubstr("by TLS"));
  EXPECT_THAT(stranger.detail, ::testing::Not(::testing::HasSubstr(shared.Endpoint().password)));
  EXPECT_THAT(refusal(shared.Endpoint("localhost"), shared.Options()).detail, ::testing::HasSubstr("mismatch"));
  options.ca_file = "";  // whom the system trusts
  EXPECT_EQ(refusal(shared.Endpoint(), options).code, "olap_unavailable");
  options.ca_file = "/nowhere/ca.crt";
  EXPECT_THROW(OpenClickHouse(shared.Endpoint(), options), std::runtime_error);
}

TEST(ClickHouseByTls, WhoSpeaksNoTlsIsUnavailableInTime) {
  ClickHouseEndpoint plain = SharedEndpoint();
  plain.url.replace(0, 4, "https");
  EXPECT_EQ(CodeOf(OpenClickHouse(plain).get()), "olap_unavailable");
}

TEST(ClickHouseByTls, AWrongPasswordIsAnError) {
  const TlsAndClient shared;
  ClickHouseEndpoint endpoint = shared.Endpoint();
  endpoint.password = "wrong";
  EXPECT_EQ(CodeOf(OpenClickHouse(endpoint, shared.Options()).get()), "olap_error");
}

TEST(ClickHouseByTls, LargeBodiesPassBothWays) {
  const TlsAndClient shared;
  std::string lines;
  for (int i = 0; i < 300'000; ++i) lines += "line " + std::to_string(i) + "\n";
  ASSERT_TRUE(shared.olap->Execute("CREATE OR REPLACE TABLE default.large (raw String) ENGINE = Memory", {}, {}));
  const Status inserted = shared.olap->Insert("default.large (raw)", "LineAsString", lines, {seconds(60)});
  ASSERT_TRUE(inserted) << inserted.error().detail;
  Result<OlapRows> rows = shared.olap->Query("SELECT raw FROM default.large", {}, {seconds(60)});
  ASSERT_TRUE(rows) << rows.error().detail;
  std::size_t bytes = 0;
  while (!rows->AtEnd()) bytes += rows->String().size() + 1;
  EXPECT_EQ(bytes, lines.size());
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
