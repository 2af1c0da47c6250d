#include "adapters/kafka/client.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <stdexcept>
#include <thread>
#include <utility>

namespace novafeed::kafka {
namespace {

constexpr std::chrono::milliseconds kLeaderPause{50};
constexpr std::chrono::milliseconds kAskAgainFor{500};

struct DestroyList {
  void operator()(rd_kafka_topic_partition_list_t* list) const { rd_kafka_topic_partition_list_destroy(list); }
};
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t, DestroyList>;

PartitionList ListOf(const std::vector<TopicPlace>& places) {
  PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(places.size())));
  for (const TopicPlace& place : places) {
    const auto partition = static_cast<std::int32_t>(place.partition);
    rd_kafka_topic_partition_list_add(list.get(), place.topic.c_str(), partition)->offset = place.offset;
  }
  return list;
}

struct DestroyMetadata {
  void operator()(const rd_kafka_metadata_t* metadata) const { rd_kafka_metadata_destroy(metadata); }
};
using Metadata = std::unique_ptr<const rd_kafka_metadata_t, DestroyMetadata>;

std::size_t CountPartitions(const rd_kafka_metadata_t& metadata, const std::string& name) {
  for (int i = 0; i < metadata.topic_cnt; ++i) {
    const rd_kafka_metadata_topic_t& topic = metadata.topics[i];
    if (name != topic.topic) continue;
    if (topic.err != RD_KAFKA_RESP_ERR_NO_ERROR) throw Unavailable(name + ": " + rd_kafka_err2str(topic.err));
    return static_cast<std::size_t>(topic.partition_cnt);
  }
  throw Unavailable("there is no topic " + name + ".");
}

std::string BrokersOf(rd_kafka_t* handle) {
  std::array<char, 512> brokers{};
  std::size_t size = brokers.size();
  rd_kafka_conf_get(rd_kafka_conf(handle), "bootstrap.servers", brokers.data(), &size);
  return brokers.data();
}

// The first thing that is asked of a broker.
Metadata AskForMetadata(rd_kafka_t* handle, Deadline deadline) {
  const rd_kafka_metadata_t* known = nullptr;
  const auto asked = rd_kafka_metadata(handle, 1, nullptr, &known, MillisecondsUntil(deadline));
  if (asked != RD_KAFKA_RESP_ERR_NO_ERROR) {
    throw Unavailable("no broker answers at " + BrokersOf(handle) + " (" + rd_kafka_err2str(asked) +
                      "): check that it runs, and log.url.");
  }
  return Metadata(known);
}

void RequireOnePartition(const rd_kafka_metadata_t& metadata, const std::string& name) {
  const std::size_t count = CountPartitions(metadata, name);
  if (count == 1) return;
  throw StoreError(Error{Failure::kInternal, "bad_topic",
                         "The topic " + name + " has " + std::to_string(count) +
                             " partitions; what capture writes in one order must have one.",
                         0});
}

struct DestroyAnswer {
  void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
};
using Answer = std::unique_ptr<rd_kafka_event_t, DestroyAnswer>;

[[noreturn]] void ThrowBusy(const std::string& group, const std::string& why) {
  throw StoreError(Error{Failure::kUnavailable, "group_is_busy",
                         "The offsets of the consumer group " + group + " cannot be set: " + why, kRetryMs});
}

// The answer to what `ask` asks about a consumer group.
template <class Ask>
Answer AskAboutGroup(rd_kafka_t* handle, rd_kafka_admin_op_t operation, Deadline deadline, Ask ask) {
  const auto options = std::unique_ptr<rd_kafka_AdminOptions_t, decltype(&rd_kafka_AdminOptions_destroy)>(
      rd_kafka_AdminOptions_new(handle, operation), &rd_kafka_AdminOptions_destroy);
  const auto queue = std::unique_ptr<rd_kafka_queue_t, decltype(&rd_kafka_queue_destroy)>(rd_kafka_queue_new(handle),
                                                                                          &rd_kafka_queue_destroy);
  std::array<char, 512> why;
  rd_kafka_AdminOptions_set_request_timeout(options.get(), std::max(1, MillisecondsUntil(deadline)), why.data(),
                                            why.size());
  ask(options.get(), queue.get());
  Answer answer(rd_kafka_queue_poll(queue.get(), MillisecondsUntil(deadline)));
  if (!answer) throw Unavailable("nothing was said about a consumer group in time.");
  if (rd_kafka_event_error(answer.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    throw Unavailable(rd_kafka_event_error_string(answer.get()));
  }
  return answer;
}

std::span<const rd_kafka_topic_partition_t> PartitionsOf(const rd_kafka_group_result_t** groups, std::size_t count,
                                                         const std::string& group) {
  if (count != 1) throw Unavailable("nothing was said about the consumer group " + group + ".");
  if (const rd_kafka_error_t* error = rd_kafka_group_result_error(groups[0]); error != nullptr) {
    ThrowBusy(group, rd_kafka_error_string(error));
  }
  const rd_kafka_topic_partition_list_t* partitions = rd_kafka_group_result_partitions(groups[0]);
  if (partitions == nullptr) return {};
  return {partitions->elems, static_cast<std::size_t>(partitions->cnt)};
}

// Offsets in the place of times; the first error of any partition.
rd_kafka_resp_err_t FindOffsets(rd_kafka_t* handle, rd_kafka_topic_partition_list_t* list, Deadline deadline) {
  auto answered = rd_kafka_offsets_for_times(handle, list, MillisecondsUntil(deadline));
  for (int i = 0; i < list->cnt && answered == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) answered = list->elems[i].err;
  return answered;
}

}  // namespace

// What librdkafka calls. Only here, so that the header needs none of its types.
struct ClientCallbacks {
  static void OnArrival(rd_kafka_t*, void* client) { static_cast<Client*>(client)->Announce(); }
};

std::string_view Message::topic() const {
  return rd_kafka_topic_name(message_->rkt);
}

std::size_t Message::partition() const {
  return static_cast<std::size_t>(message_->partition);
}

std::int64_t Message::offset() const {
  return message_->offset;
}

std::string_view Message::key() const {
  return {static_cast<const char*>(message_->key), message_->key_len};
}

std::string_view Message::value() const {
  return {static_cast<const char*>(message_->payload), message_->len};
}

std::optional<std::string_view> Message::header(const char* name) const {
  rd_kafka_headers_t* headers = nullptr;  // the message's
  if (rd_kafka_message_headers(message_.get(), &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
  const void* value = nullptr;
  std::size_t size = 0;
  if (rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
  return std::string_view(static_cast<const char*>(value), size);
}

void Message::Destroy::operator()(rd_kafka_message_s* message) const {
  rd_kafka_message_destroy(message);
}

void Client::Destroy::operator()(rd_kafka_s* handle) const {
  rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

void Client::Destroy::operator()(rd_kafka_queue_s* queue) const {
  rd_kafka_queue_cb_event_enable(queue, nullptr, nullptr);
  rd_kafka_queue_destroy(queue);
}

Client::Client(const Access& access, std::string name, Use use, ConnectionMetrics metrics)
    : connection_(std::move(name), metrics) {
  Conf conf = NewConf(access, &connection_);
  Set(conf, "group.id", "novafeed-reader");  // librdkafka wants a name; no group is ever joined
  Set(conf, "enable.auto.commit", "false");
  Set(conf, "enable.auto.offset.store", "false");
  Set(conf, "auto.offset.reset", "error");
  if (use == Use::kFollow) {
    Set(conf, "fetch.wait.max.ms", "100");
    Set(conf, "queued.max.messages.kbytes", "16384");  // of each topic
  } else {
    // A broker answers one fetch after the other: one that waits for more, or brings what nobody wants, delays the
    // next.
    Set(conf, "fetch.wait.max.ms", "1");
    Set(conf, "fetch.message.max.bytes", "4096");
  }
  Set(conf, "fetch.error.backoff.ms", "100");

  std::array<char, 512> why;
  handle_.reset(rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), why.data(), why.size()));
  if (!handle_) throw std::runtime_error(why.data());
  [[maybe_unused]] const rd_kafka_conf_t* taken_over = conf.release();
  rd_kafka_poll_set_consumer(handle_.get());
  queue_.reset(rd_kafka_queue_get_consumer(handle_.get()));
  rd_kafka_queue_cb_event_enable(queue_.get(), &ClientCallbacks::OnArrival, this);
}

Client::~Client() = default;

std::vector<TopicRange> Client::Ranges(const std::vector<std::string>& topics, Deadline deadline) {
  const Metadata metadata = AskForMetadata(handle_.get(), deadline);
  std::vector<TopicRange> ranges;
  for (const std::string& topic : topics) {
    RequireOnePartition(*metadata, topic);
    TopicRange range;
    const auto answered = rd_kafka_query_watermark_offsets(handle_.get(), topic.c_str(), 0, &range.first, &range.end,
                                                           MillisecondsUntil(deadline));
    if (answered != RD_KAFKA_RESP_ERR_NO_ERROR) throw Unavailable(topic + ": " + rd_kafka_err2str(answered));
    ranges.push_back(range);
  }
  connection_.NoteAnswer();
  return ranges;
}

std::vector<std::int64_t> Client::OffsetsAt(const std::string& topic, std::int64_t time, Deadline deadline) {
  std::vector<TopicPlace> places;
  const std::size_t count = CountPartitions(topic, deadline);
  places.reserve(count);
  for (std::size_t partition = 0; partition < count; ++partition) places.push_back({topic, time, partition});
  PartitionList list = ListOf(places);
  auto answered = FindOffsets(handle_.get(), list.get(), deadline);
  // A topic that was made, or whose broker came back, a moment ago.
  while (answered == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION || answered == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) {
    if (SteadyClock::now() + kLeaderPause > deadline) break;
    std::this_thread::sleep_for(kLeaderPause);
    AskForMetadata(handle_.get(), deadline);
    list = ListOf(places);
    answered = FindOffsets(handle_.get(), list.get(), deadline);
  }
  if (answered != RD_KAFKA_RESP_ERR_NO_ERROR) throw Unavailable(topic + ": " + rd_kafka_err2str(answered));
  std::vector<std::int64_t> offsets(count);
  for (int i = 0; i < list->cnt; ++i) {
    offsets.at(static_cast<std::size_t>(list->elems[i].partition)) = list->elems[i].offset;
  }
  connection_.NoteAnswer();
  return offsets;
}

std::size_t Client::CountPartitions(const std::string& topic, Deadline deadline) {
  return kafka::CountPartitions(*AskForMetadata(handle_.get(), deadline), topic);
}

std::vector<TopicRange> Client::PartitionRanges(const std::string& topic, Deadline deadline) {
  std::vector<TopicRange> ranges(CountPartitions(topic, deadline));
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const auto answered =
        rd_kafka_query_watermark_offsets(handle_.get(), topic.c_str(), static_cast<std::int32_t>(i), &ranges[i].first,
                                         &ranges[i].end, MillisecondsUntil(deadline));
    if (answered != RD_KAFKA_RESP_ERR_NO_ERROR) throw Unavailable(topic + ": " + rd_kafka_err2str(answered));
  }
  connection_.NoteAnswer();
  return ranges;
}

std::vector<std::int64_t> Client::Committed(const std::string& group, const std::string& topic, std::size_t partitions,
                                            Deadline deadline) {
  std::vector<TopicPlace> places;
  places.reserve(partitions);
  for (std::size_t i = 0; i < partitions; ++i) {
    places.push_back({topic, RD_KAFKA_OFFSET_INVALID, i});
  }
  rd_kafka_ListConsumerGroupOffsets_t* request =
      rd_kafka_ListConsumerGroupOffsets_new(group.c_str(), ListOf(places).get());
  const Answer answer = AskAboutGroup(handle_.get(), RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, deadline,
                                      [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                                        rd_kafka_ListConsumerGroupOffsets(handle_.get(), &request, 1, options, queue);
                                        rd_kafka_ListConsumerGroupOffsets_destroy(request);
                                      });
  std::size_t count = 0;
  const rd_kafka_group_result_t** groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
      rd_kafka_event_ListConsumerGroupOffsets_result(answer.get()), &count);
  std::vector<std::int64_t> committed(partitions, -1);
  for (const rd_kafka_topic_partition_t& found : PartitionsOf(groups, count, group)) {
    if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) throw Unavailable(group + ": " + rd_kafka_err2str(found.err));
    committed.at(static_cast<std::size_t>(found.partition)) = std::max<std::int64_t>(-1, found.offset);
  }
  connection_.NoteAnswer();
  return committed;
}

void Client::Commit(const std::string& group, const std::vector<TopicPlace>& places, Deadline deadline) {
  rd_kafka_AlterConsumerGroupOffsets_t* request =
      rd_kafka_AlterConsumerGroupOffsets_new(group.c_str(), ListOf(places).get());
  const Answer answer = AskAboutGroup(handle_.get(), RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, deadline,
                                      [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                                        rd_kafka_AlterConsumerGroupOffsets(handle_.get(), &request, 1, options, queue);
                                        rd_kafka_AlterConsumerGroupOffsets_destroy(request);
                                      });
  std::size_t count = 0;
  const rd_kafka_group_result_t** groups = rd_kafka_AlterConsumerGroupOffsets_result_groups(
      rd_kafka_event_AlterConsumerGroupOffsets_result(answer.get()), &count);
  for (const rd_kafka_topic_partition_t& placed : PartitionsOf(groups, count, group)) {
    if (placed.err != RD_KAFKA_RESP_ERR_NO_ERROR) ThrowBusy(group, rd_kafka_err2str(placed.err));
  }
  connection_.NoteAnswer();
}

void Client::Assign(const std::vector<TopicPlace>& places) {
  const auto done = rd_kafka_assign(handle_.get(), ListOf(places).get());
  if (done != RD_KAFKA_RESP_ERR_NO_ERROR) throw Unavailable(rd_kafka_err2str(done));
}

std::optional<Message> Client::Poll(Deadline deadline) {
  while (true) {
    rd_kafka_message_t* polled = rd_kafka_consumer_poll(handle_.get(), MillisecondsUntil(deadline));
    if (polled == nullptr) return std::nullopt;
    Message message(polled);
    if (polled->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      connection_.NoteAnswer();
      return message;
    }
    const std::string topic = polled->rkt != nullptr ? rd_kafka_topic_name(polled->rkt) : "";
    if (polled->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || polled->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
      throw StoreError(Error{Failure::kConflict, "log_forgotten",
                             "Messages of the topic " + topic + " that were to be read are gone.", 0});
    }
    connection_.NoteError(polled->err, rd_kafka_message_errstr(polled));
  }
}

bool Client::IsLost() {
  if (!connection_.IsLost()) return false;
  try {
    AskForMetadata(handle_.get(), SteadyClock::now() + kAskAgainFor);
  } catch (const StoreError&) {
    return true;
  }
  connection_.NoteAnswer();
  return false;
}

void Client::Pause(const std::string& topic, bool paused) {
  const PartitionList list = ListOf({{topic, RD_KAFKA_OFFSET_INVALID}});
  if (paused) {
    rd_kafka_pause_partitions(handle_.get(), list.get());
  } else {
    rd_kafka_resume_partitions(handle_.get(), list.get());
  }
}

std::int64_t Client::Behind(const std::string& topic, std::int64_t offset) const {
  TopicRange range;
  const auto known = rd_kafka_get_watermark_offsets(handle_.get(), topic.c_str(), 0, &range.first, &range.end);
  return known == RD_KAFKA_RESP_ERR_NO_ERROR ? std::max<std::int64_t>(0, range.end - offset) : 0;
}

void Client::SetArrival(std::function<void()> arrived) {
  const std::scoped_lock lock(arrival_mutex_);
  arrived_ = std::move(arrived);
}

void Client::Announce() {
  const std::scoped_lock lock(arrival_mutex_);
  if (arrived_) arrived_();
}

}  // namespace novafeed::kafka
