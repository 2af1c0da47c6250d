#include "warehouse/kafka_landing.h"

#include <chrono>
#include <cstddef>
#include <utility>

#include "warehouse/landing_topics.h"

namespace novafeed {
namespace {

const OlapCall kLook{std::chrono::seconds(10)};
const OlapCall kMake{std::chrono::seconds(60)};
const OlapCall kDrop{std::chrono::seconds(120)};  // a block on its way is written first

constexpr std::string_view kDatabase = "novafeed_kafka";
constexpr std::string_view kCountMade = "SELECT count() FROM system.tables WHERE database = {database:String}";

std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

// "likes" of "novafeed.likes_kafka".
std::string NameOf(std::string_view landing_table) {
  const std::size_t dot = landing_table.find('.');
  return std::string(landing_table.substr(dot + 1, landing_table.rfind("_kafka") - dot - 1));
}

std::string Place(std::string_view name) {
  return std::string(kDatabase) + "." + std::string(name);
}

// Measured: 200/20/50 ms give P50 0.25 s and P95 0.44 s from the row's commit to its place in the warehouse. A message
// is one row as it is (RawBLOB), so that none can fail to be read: what is no message is told apart by the views
// (ingest_errors). One consumer each, because blocks of a partition must come one after the other (touched_parts.h),
// and offsets are committed when all views are written, never before: that would lose what a crash interrupts.
std::string KafkaEngine(std::string_view topic, const KafkaLanding& landing) {
  return "ENGINE = Kafka SETTINGS kafka_broker_list = " + Quoted(landing.broker_list) +
         ", kafka_topic_list = " + Quoted(topic) +
         ", kafka_group_name = " + Quoted(LandingGroup(landing.group_name, topic)) +
         ", kafka_format = 'RawBLOB', kafka_num_consumers = 1, kafka_commit_every_batch = 0"
         ", kafka_flush_interval_ms = 200, kafka_consumer_reschedule_ms = 20, kafka_poll_timeout_ms = 50"
         ", kafka_max_block_size = 65536";
}

}  // namespace

std::string LandingGroup(std::string_view group_name, std::string_view topic) {
  return std::string(group_name) + "-" + std::string(topic);
}

std::string RenderKafkaLanding(const KafkaLanding& landing) {
  std::string script = "CREATE DATABASE IF NOT EXISTS " + std::string(kDatabase) + " ENGINE = Atomic;\n";
  for (std::size_t i = 0; i < kLandingTables.size(); ++i) {
    const std::string name = NameOf(kLandingTables[i]);
    script += "CREATE TABLE IF NOT EXISTS " + Place(name) + " (raw String) " + KafkaEngine(kLandingTopics[i], landing) +
              ";\nCREATE MATERIALIZED VIEW IF NOT EXISTS " + Place("mv_" + name) + " TO " +
              std::string(kLandingTables[i]) + " AS SELECT raw, _partition AS partition, _offset AS offset FROM " +
              Place(name) + ";\n";
  }
  return script;
}

// Asked each time: another node may have ended it.
Status BeginKafkaLanding(Olap* olap, const KafkaLanding& landing) {
  Result<OlapRows> count = olap->Query(kCountMade, {{"database", std::string(kDatabase)}}, kLook);
  if (!count) return tl::unexpected<Error>(std::move(count.error()));
  if (count->UInt64() == 2 * kLandingTables.size()) return {};
  return olap->Execute(RenderKafkaLanding(landing), {}, kMake);
}

// The table goes before its view: a table that lands without one would land nowhere.
Status EndKafkaLanding(Olap* olap) {
  std::string script = "CREATE DATABASE IF NOT EXISTS " + std::string(kDatabase) + " ENGINE = Atomic;\n";
  for (const std::string_view table : kLandingTables) {
    script += "DROP TABLE IF EXISTS " + Place(NameOf(table)) + " SYNC;\n";
  }
  script += "DROP DATABASE " + std::string(kDatabase) + " SYNC;\n";
  return olap->Execute(script, {}, kDrop);
}

}  // namespace novafeed
