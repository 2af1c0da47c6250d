// The embedded envelope against tests/golden/cdc.txt, which tools/golden/cdc.py took from the real Debezium: what was
// read is written again, and must be the same message.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "capture/envelope.h"

namespace novafeed {
namespace {

namespace json = boost::json;

struct GoldenMessage {
  std::string name;  // of the case
  std::string topic;
  std::string key;
  std::string value;
};

// For each message a comment, its topic, key, value, and an empty line.
std::vector<GoldenMessage> ReadGolden() {
  std::ifstream file(NOVAFEED_SOURCE_DIR "/tests/golden/cdc.txt");
  std::vector<GoldenMessage> messages;
  GoldenMessage next;
  std::string empty;
  while (std::getline(file, next.name) && std::getline(file, next.topic) && std::getline(file, next.key) &&
         std::getline(file, next.value) && std::getline(file, empty)) {
    EXPECT_EQ(empty, "") << next.name;
    messages.push_back(next);
  }
  return messages;
}

// Debezium counts microseconds, we milliseconds.
void CutToMilliseconds(json::object* block) {
  const std::int64_t at = block->at("ts_ms").as_int64();
  EXPECT_EQ(block->at("ts_us").as_int64() / 1'000, at);
  EXPECT_EQ(block->at("ts_ns").as_int64() / 1'000'000, at);
  block->at("ts_us") = at * 1'000;
  block->at("ts_ns") = at * 1'000'000;
}

// Which row of its transaction it is, the connector alone says: it shall be "<transaction>:<own place>".
void CutTransaction(json::object* envelope) {
  json::value& block = envelope->at("transaction");
  if (block.is_null()) return;
  const json::object& source = envelope->at("source").as_object();
  EXPECT_EQ(block.at("id").as_string(),
            std::to_string(source.at("txId").as_int64()) + ":" + std::to_string(source.at("lsn").as_int64()));
  EXPECT_GE(block.at("total_order").as_int64(), block.at("data_collection_order").as_int64());
  block = nullptr;
}

// What differs by nature: where the last commit ended (we have one writer), and which row of a snapshot it is.
void CutToOurs(json::object* source) {
  const json::array places = json::parse(source->at("sequence").as_string()).as_array();
  ASSERT_EQ(places.size(), 2u);
  EXPECT_EQ(places[1].as_string(), std::to_string(source->at("lsn").as_int64()));
  if (source->at("snapshot").as_string() == "false") {
    source->at("sequence") = "[\"…\",\"…\"]";
  } else {
    EXPECT_TRUE(places[0].is_null());
    source->at("snapshot") = "true";
  }
}

// Written in one way, whoever wrote it: which characters are escaped is each writer's own affair.
std::string Normalised(const std::string& value) {
  json::value parsed = ParseJson(value).value();
  json::object& envelope = parsed.as_object();
  CutToMilliseconds(&envelope);
  CutTransaction(&envelope);
  CutToMilliseconds(&envelope.at("source").as_object());
  CutToOurs(&envelope.at("source").as_object());
  return json::serialize(parsed);
}

TEST(GoldenEnvelope, WhatDebeziumWroteIsWhatWeWrite) {
  const std::vector<GoldenMessage> messages = ReadGolden();
  ASSERT_GE(messages.size(), 40u) << "tests/golden/cdc.txt";
  for (const GoldenMessage& golden : messages) {
    SCOPED_TRACE(golden.name);
    const Result<Change> change = DecodeEnvelope(golden.topic, golden.value);
    ASSERT_TRUE(change) << change.error().detail;
    const json::object envelope = ParseJson(golden.value)->as_object();
    const std::string version(envelope.at("source").at("version").as_string());
    const EnvelopeMessage ours =
        EncodeEnvelope(*change, envelope.at("ts_ms").as_int64(), {"postgresql", "novafeed", version});
    EXPECT_EQ(ours.topic, golden.topic);
    EXPECT_EQ(ours.key, golden.key);
    EXPECT_EQ(Normalised(ours.value), Normalised(golden.value));
  }
}

TEST(GoldenEnvelope, EveryOperationOfEveryTableIsThere) {
  std::set<std::string> seen;
  for (const GoldenMessage& golden : ReadGolden()) {
    const Result<Change> change = DecodeEnvelope(golden.topic, golden.value);
    ASSERT_TRUE(change) << change.error().detail;
    seen.insert(golden.topic + " " + static_cast<char>(change->op));
  }
  for (const char* table : {"users", "posts", "comments", "likes", "follows"}) {
    for (const char op : {'r', 'c', 'u', 'd'}) {
      const std::string wanted = std::string("cdc.") + table + " " + op;
      EXPECT_TRUE(seen.contains(wanted)) << wanted;
    }
  }
}

TEST(GoldenEnvelope, ATransactionSharesItsNumberAndTime) {
  std::vector<Change> changes;
  for (const GoldenMessage& golden : ReadGolden()) {
    if (golden.name == "# transaction of several rows") changes.push_back(*DecodeEnvelope(golden.topic, golden.value));
  }
  ASSERT_EQ(changes.size(), 7u);
  for (std::size_t i = 1; i < changes.size(); ++i) {
    EXPECT_EQ(changes[i].transaction, changes[0].transaction);
    EXPECT_EQ(changes[i].committed_at, changes[0].committed_at);
    EXPECT_GT(changes[i].sequence, changes[i - 1].sequence);
  }
}

}  // namespace
}  // namespace novafeed
