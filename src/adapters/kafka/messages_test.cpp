#include "adapters/kafka/messages.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace novafeed::kafka {
namespace {

constexpr std::size_t kUsers = 0;
constexpr std::size_t kPosts = 1;

constexpr char kEnd[] = R"({"status":"END","id":"778:26916200","ts_ms":1795382813230,"event_count":6,)"
                        R"("data_collections":[{"data_collection":"novafeed.posts","event_count":3},)"
                        R"({"data_collection":"novafeed.cdc_heartbeat","event_count":1},)"
                        R"({"data_collection":"novafeed.others","event_count":2}]})";

// A row of cdc.users with these blocks.
std::string UserRow(const std::string& source, const std::string& transaction,
                    const std::string& id = "018f0000-0000-7000-8000-000000000001") {
  return R"({"before":null,"after":{"id":")" + id +
         R"(","external_id":null,"handle":"ann","name":"Ann","created_at":"2026-11-20T10:00:00.123000Z"},"source":{)" +
         source + R"(},"transaction":)" + transaction + R"(,"op":"c","ts_ms":1795382813245})";
}

std::string Source(const std::string& sequence, const std::string& snapshot = "false") {
  return R"("ts_ms":1795382813215,"snapshot":")" + snapshot + R"(","sequence":")" + sequence +
         R"(","txId":778,"lsn":26915536)";
}

constexpr char kBlock[] = R"({"id":"778:26915536","total_order":2,"data_collection_order":1})";

TEST(KafkaMessages, AnEndSaysWhereItsTransactionEndedAndWhatBelongsToIt) {
  const std::optional<TransactionEnd> end = ParseTransaction(kEnd).value();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->transaction, 778);
  EXPECT_EQ(end->commit, 26'916'200);
  EXPECT_EQ(end->committed_at, 1'795'382'813'230);
  EXPECT_EQ(end->rows[kUsers], 0);
  EXPECT_EQ(end->rows[kPosts], 3);
  EXPECT_EQ(end->rows[kHeartbeatTopic], 1);
}

TEST(KafkaMessages, ABeginSaysNothing) {
  EXPECT_FALSE(ParseTransaction(R"({"status":"BEGIN","id":"778:26915536","ts_ms":1,"event_count":null,)"
                                R"("data_collections":null})")
                   .value());
}

TEST(KafkaMessages, WhatIsNoTransactionIsNamed) {
  for (const char* value : {"", "poison", "[]", "{}", R"({"status":"LATER"})", R"({"status":"END","id":"778"})",
                            R"({"status":"END","id":"x:1","ts_ms":1,"data_collections":[]})",
                            R"({"status":"END","id":"1:2","ts_ms":1,"data_collections":null})",
                            R"({"status":"END","id":"1:2","ts_ms":1,"data_collections":[{"event_count":1}]})"}) {
    const auto parsed = ParseTransaction(value);
    ASSERT_FALSE(parsed) << value;
    EXPECT_EQ(parsed.error().code, "bad_transaction") << value;
  }
}

TEST(KafkaMessages, ARowSaysWhereItStands) {
  const ParsedRow parsed = ParseRow(kUsers, UserRow(Source(R"([\"26914840\",\"26915536\"])"), kBlock)).value();
  EXPECT_FALSE(parsed.problem);
  EXPECT_EQ(parsed.row.transaction, 778);
  EXPECT_EQ(parsed.row.lsn, 26'915'536);
  EXPECT_EQ(parsed.row.follows, 26'914'840);
  EXPECT_EQ(parsed.row.order, 2);
  EXPECT_EQ(parsed.row.Place(), 26'914'840);
  ASSERT_TRUE(parsed.row.change);
  EXPECT_EQ(std::get<User>(*parsed.row.change->after).handle, "ann");
}

TEST(KafkaMessages, TheFirstRowsBehindASnapshotFollowNothing) {
  const ParsedRow parsed = ParseRow(kUsers, UserRow(Source(R"([null,\"26915536\"])"), kBlock)).value();
  EXPECT_FALSE(parsed.row.follows);
  EXPECT_EQ(parsed.row.Place(), 26'915'536);
}

TEST(KafkaMessages, ARowOfASnapshotIsOfNoTransaction) {
  const ParsedRow parsed = ParseRow(kUsers, UserRow(Source(R"([null,\"26915536\"])", "last"), "null")).value();
  EXPECT_EQ(parsed.row.order, 0);
  EXPECT_EQ(parsed.row.lsn, 26'915'536);
  EXPECT_FALSE(parsed.row.change);
}

TEST(KafkaMessages, ARowWhoseColumnsCannotBeReadKeepsItsPlace) {
  const ParsedRow parsed = ParseRow(kUsers, UserRow(Source(R"([null,\"26915536\"])"), kBlock, "no uuid")).value();
  ASSERT_TRUE(parsed.problem);
  EXPECT_NE(parsed.problem->detail.find("id"), std::string::npos);
  EXPECT_EQ(parsed.row.order, 2);
  EXPECT_FALSE(parsed.row.change);
}

TEST(KafkaMessages, WhatHasNoPlaceIsNamed) {
  const std::string good = Source(R"([null,\"1\"])");
  for (const std::string& value :
       {std::string("poison"), std::string("{}"), UserRow("", kBlock), UserRow(Source("what"), kBlock),
        UserRow(Source("[]"), kBlock), UserRow(Source(R"([\"x\",\"1\"])"), kBlock), UserRow(good, "null"),
        UserRow(good, "{}"), UserRow(good, R"({"total_order":0})")}) {
    const auto parsed = ParseRow(kUsers, value);
    ASSERT_FALSE(parsed) << value;
    EXPECT_EQ(parsed.error().code, "bad_envelope") << value;
  }
}

// What the real connector wrote (tests/golden): every row can be placed, and transactions are numbered through.
TEST(KafkaMessages, TheGoldenRowsArePlaced) {
  std::ifstream file(NOVAFEED_SOURCE_DIR "/tests/golden/cdc.txt");
  std::string name;
  std::string topic;
  std::string key;
  std::string value;
  std::string empty;
  int rows = 0;
  std::int64_t transaction = 0;
  std::int64_t order = 0;
  while (std::getline(file, name) && std::getline(file, topic) && std::getline(file, key) &&
         std::getline(file, value) && std::getline(file, empty)) {
    SCOPED_TRACE(name);
    const auto at = std::ranges::find(kRowTopics, topic);
    ASSERT_NE(at, kRowTopics.end());
    const auto parsed = ParseRow(at - kRowTopics.begin(), value);
    ASSERT_TRUE(parsed) << parsed.error().detail;
    EXPECT_FALSE(parsed->problem);
    ++rows;
    if (name == "# snapshot") {
      EXPECT_EQ(parsed->row.order, 0);
      continue;
    }
    order = parsed->row.transaction == transaction ? order + 1 : 1;
    transaction = parsed->row.transaction;
    EXPECT_EQ(parsed->row.order, order);
    EXPECT_LT(parsed->row.Place(), parsed->row.lsn + 1);
  }
  EXPECT_GT(rows, 40);
}

}  // namespace
}  // namespace novafeed::kafka
