// The changes of the graph as Debezium writes them into Kafka, and the events' shared log there: all that other rooms
// see of this adapter.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/metrics.h"
#include "base/result.h"
#include "capture/change.h"
#include "stream/dead_letters.h"
#include "stream/event_topic.h"
#include "warehouse/landing_topics.h"

namespace novafeed {

// A message that cannot be read. It stops nothing: it is counted, logged, and given to whoever keeps such.
struct PoisonMessage {
  std::string_view topic;
  std::size_t partition = 0;
  std::int64_t offset = 0;
  std::string_view key;
  std::string_view value;
  std::string_view reason;
};

struct KafkaOptions {
  // "kafka://host:9092,host:9092", or "kafkas://" for TLS; "user@" before the hosts logs in by SASL.
  std::string url;
  std::string password_file;  // of that user. A line end behind the password does not count
  // Or SCRAM-SHA-256, SCRAM-SHA-512, which Debian's librdkafka 2.0 and Kafka 4 cannot do together.
  std::string sasl_mechanism = "PLAIN";
  std::string ca_file;            // of TLS: whom to trust, as PEM; empty: whom the system trusts
  std::string certificate_file;   // of TLS: who we are, as PEM; empty: the broker does not ask
  std::string key_file;           // its key
  std::string key_password_file;  // empty: the key has none
  // Of each call, and of the delivery of what is appended. What is not answered by then is an error.
  std::chrono::milliseconds call_timeout{5000};
  // Of changes: rows of a topic that is ahead of the others, beyond which it is not read for a while. The rows of one
  // transaction are held at once, however many they are.
  std::size_t rows_ahead = 50'000;
  // Of events: those that were appended and not delivered yet, beyond which more are refused. (One Append always fits.)
  std::size_t max_queued_events = 100'000;
  // Called while a message is read, by the thread that reads; it does not throw. What it is given lives as long as the
  // call. The same message comes again where it is read again.
  std::function<void(const PoisonMessage&)> on_poison = nullptr;
};

// The port over the topics cdc.users, cdc.posts, cdc.comments, cdc.likes, cdc.follows, cdc.cdc_heartbeat and
// cdc.transaction, one partition each. A change's sequence is the place in PostgreSQL's write-ahead log where its
// transaction ended. For one reader: two that read at different places take turns in looking for theirs.
//
// Connects with the first call, so Kafka need not be there yet. Calls throw StoreError: kConflict "log_forgotten";
// kUnavailable "log_unavailable" where Kafka is away, does not answer in time, or lacks a topic. ReadState throws
// kInternal "no_state_in_log": the log holds changes, and the state is the warehouse's.
//
// CompleteAsOf is a time of the database's clock: where it differs from that of this machine, so does the age.
//
// kInvalid "bad_kafka_url", "bad_kafka_options", "bad_password_file". `metrics` outlives it.
Result<std::unique_ptr<ChangeFeed>> OpenKafkaChangeFeed(const KafkaOptions& options, Metrics* metrics);

// The port over the topic "events", with as many partitions as the broker says, 16 at the most: each message is one
// event (stream/event_json.h), with its post's id as the key and the time of its arrival as the time. A sequence is the
// message's offset + 1. What cannot be read is passed over, and handed to `on_poison`.
//
// Kafka need not be there yet. StoreError kInternal "bad_topic" where there are too many partitions. Errors
// as above; `metrics` outlives it.
Result<std::unique_ptr<EventTopic>> OpenKafkaEventTopic(const KafkaOptions& options, Metrics* metrics);

// The port over the topic "events.dlq", one partition. The key of a message is the place ("events/2/17"), so that one
// which is there twice is told; its headers are topic, partition, offset, reason, key, bytes and time, or `replayed`.
// What somebody else puts there is passed over. Connects with the first call. Errors as above; `on_poison` is not
// called; `metrics` outlives it.
Result<std::unique_ptr<DeadLetterTopic>> OpenKafkaDeadLetters(const KafkaOptions& options, Metrics* metrics);

// The port over the topics that ClickHouse lands: the five of rows, and `events`. `group_name` as ClickHouse has it
// (warehouse/kafka_landing.h). Connects with the first call. Errors as above; `on_poison` is not called; `metrics`
// outlives it.
Result<std::unique_ptr<LandingTopics>> OpenKafkaLandingTopics(const KafkaOptions& options, std::string group_name,
                                                              Metrics* metrics);

}  // namespace novafeed
