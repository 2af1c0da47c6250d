// librdkafka: one consumer that reads some topics from places that its owner keeps. It is in no consumer group: nothing
// is committed by reading, and nobody else's reading changes what this one gets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/kafka/connection.h"

struct rd_kafka_s;
struct rd_kafka_message_s;
struct rd_kafka_queue_s;

namespace novafeed::kafka {

struct TopicPlace {
  std::string topic;
  std::int64_t offset = 0;
  std::size_t partition = 0;
};

// Offsets of a topic's messages: from `first` up to, not including, `end`.
struct TopicRange {
  std::int64_t first = 0;
  std::int64_t end = 0;
};

// A message, as long as this object lives.
class Message {
 public:
  explicit Message(rd_kafka_message_s* message) : message_(message) {}
  std::string_view topic() const;
  std::size_t partition() const;
  std::int64_t offset() const;
  std::string_view key() const;
  std::string_view value() const;
  // Of the last header of this name; empty where there is none.
  std::optional<std::string_view> header(const char* name) const;

 private:
  struct Destroy {
    void operator()(rd_kafka_message_s* message) const;
  };
  std::unique_ptr<rd_kafka_message_s, Destroy> message_;
};

// For one thread at a time, but for SetArrival. Errors are StoreError kUnavailable "log_unavailable"; kConflict
// "log_forgotten" where messages that were to be read are gone.
class Client {
 public:
  enum class Use { kFollow, kLookUp };  // streams, or single messages here and there

  // `name` stands in log lines.
  Client(const Access& access, std::string name, Use use, ConnectionMetrics metrics);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Where each topic begins and ends now. Each must have exactly one partition.
  std::vector<TopicRange> Ranges(const std::vector<std::string>& topics, Deadline deadline);
  std::size_t CountPartitions(const std::string& topic, Deadline deadline);
  // Of each of its partitions.
  std::vector<TopicRange> PartitionRanges(const std::string& topic, Deadline deadline);

  // What a consumer group has committed in the first `partitions` partitions of a topic; -1 where it has nothing.
  std::vector<std::int64_t> Committed(const std::string& group, const std::string& topic, std::size_t partitions,
                                      Deadline deadline);
  // Commits for it, while it has no members on the topic: kUnavailable "group_is_busy" where it has.
  void Commit(const std::string& group, const std::vector<TopicPlace>& places, Deadline deadline);

  // Of each partition of a topic the first offset whose message has this time (milliseconds since 1970) or a later one;
  // kNowhere where none has. For kBegin where it begins, for kEnd where it ends.
  static constexpr std::int64_t kBegin = -2;
  static constexpr std::int64_t kEnd = -1;
  static constexpr std::int64_t kNowhere = -1;
  std::vector<std::int64_t> OffsetsAt(const std::string& topic, std::int64_t time, Deadline deadline);

  // Reads on from these places, and from no others.
  void Assign(const std::vector<TopicPlace>& places);
  // One message, waiting for it until `deadline` at most; empty: none has come.
  std::optional<Message> Poll(Deadline deadline);
  void Pause(const std::string& topic, bool paused);
  // How many messages of the topic the broker has behind `offset`, as far as is known here.
  std::int64_t Behind(const std::string& topic, std::int64_t offset) const;

  // Whether no broker can be reached. One that could not be is asked, for half a second at most: where no message
  // comes, nothing else tells that it is back.
  bool IsLost();
  // Called, from another thread, soon after something has come that Poll gives; it must not wait, and calls nothing of
  // this. Once this returns with nullptr, it is not called any more. From any thread.
  void SetArrival(std::function<void()> arrived);

 private:
  friend struct ClientCallbacks;
  struct Destroy {
    void operator()(rd_kafka_s* handle) const;
    void operator()(rd_kafka_queue_s* queue) const;
  };

  void Announce();

  Connection connection_;  // outlives the handle
  std::mutex arrival_mutex_;
  std::function<void()> arrived_;
  std::unique_ptr<rd_kafka_s, Destroy> handle_;
  std::unique_ptr<rd_kafka_queue_s, Destroy> queue_;  // goes before the handle
};

}  // namespace novafeed::kafka
