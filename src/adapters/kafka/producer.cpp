#include "adapters/kafka/producer.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>
#include <utility>

namespace novafeed::kafka {
namespace {

constexpr int kPollMs = 100;
// A delivery whose time is over fails with the next look at the queues, of which there is one a second.
constexpr std::chrono::milliseconds kLook{1500};
constexpr int kGiveUpMs = 10'000;

// Answers everything that is still queued or on its way: it has failed.
void GiveUp(rd_kafka_t* handle) {
  rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(handle, kGiveUpMs);
}

struct DestroyHeaders {
  void operator()(rd_kafka_headers_t* headers) const { rd_kafka_headers_destroy(headers); }
};
using HeaderList = std::unique_ptr<rd_kafka_headers_t, DestroyHeaders>;

HeaderList HeadersOf(const Outgoing& message) {
  HeaderList headers(rd_kafka_headers_new(message.headers.size()));
  for (const auto& [name, value] : message.headers) {
    rd_kafka_header_add(headers.get(), name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
  }
  return headers;
}

}  // namespace

// The messages of one Send, until the last of them is answered for.
class Producer::Batch {
 public:
  Batch(Producer* producer, std::size_t size, Sent sent)
      : producer_(producer), size_(size), left_(size + 1), sent_(std::move(sent)) {}

  Producer* producer() const { return producer_; }
  std::size_t size() const { return size_; }

  // Of one message; then, that all are put. The last one of all these calls is told so.
  bool NoteDelivered(std::size_t partition, std::int64_t point) {
    const std::scoped_lock lock(mutex_);
    end_[partition] = std::max(end_[partition], point);
    return --left_ == 0;
  }
  bool NoteFailed(const std::string& why) {
    const std::scoped_lock lock(mutex_);
    if (!failure_) failure_ = UnavailableError(why);
    return --left_ == 0;
  }
  bool NoteAllPut() {
    const std::scoped_lock lock(mutex_);
    return --left_ == 0;
  }

  const std::optional<Error>& failure() const { return failure_; }
  void Answer() const {
    if (failure_) return sent_(tl::unexpected<Error>(*failure_));
    sent_(end_);
  }

 private:
  Producer* const producer_;
  const std::size_t size_;
  std::mutex mutex_;  // guards the next ones, until the last call
  std::size_t left_;
  EventPoints end_;
  std::optional<Error> failure_;
  const Sent sent_;
};

// What librdkafka calls. Only here, so that the header needs none of its types.
struct ProducerCallbacks {
  static void OnDelivery(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
    auto* batch = static_cast<Producer::Batch*>(message->_private);
    batch->producer()->NoteDelivery(*message, batch);
  }
};

void Producer::Destroy::operator()(rd_kafka_s* handle) const {
  rd_kafka_destroy(handle);
}

Producer::Producer(const Access& access, std::string topic, Options options, Metrics* metrics)
    : access_(access),
      topic_(std::move(topic)),
      options_(options),
      metrics_(metrics),
      queued_gauge_(
          metrics->AddGauge("novafeed_kafka_queued_events", "Messages on their way to Kafka.", {{"topic", topic_}})),
      connection_("novafeed-producer", ConnectionMetrics(metrics)),
      handle_(NewHandle()),
      thread_([this] { Run(); }) {}

Producer::~Producer() {
  stopping_ = true;
  thread_.join();
  rd_kafka_flush(handle_.get(), static_cast<int>((options_.timeout + kLook).count()));
  GiveUp(handle_.get());
}

Producer::Handle Producer::NewHandle() {
  Conf conf = NewConf(access_, &connection_);
  // Retried by librdkafka in order and without a second copy, until its time is over.
  Set(conf, "enable.idempotence", "true");
  Set(conf, "acks", "all");
  Set(conf, "delivery.timeout.ms", std::to_string(options_.timeout.count()));
  Set(conf, "linger.ms", "5");
  Set(conf, "compression.codec", "lz4");
  Set(conf, "partitioner", "murmur2_random");  // as Kafka's own clients
  // Bounds that are not met: max_queued is, so a Send is queued whole or not at all.
  Set(conf, "queue.buffering.max.messages", "100000000");
  Set(conf, "queue.buffering.max.kbytes", "2147483647");
  rd_kafka_conf_set_dr_msg_cb(conf.get(), &ProducerCallbacks::OnDelivery);

  std::array<char, 512> why;
  Handle handle(rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), why.data(), why.size()));
  if (!handle) throw std::runtime_error(why.data());
  [[maybe_unused]] const rd_kafka_conf_t* taken_over = conf.release();
  return handle;
}

void Producer::Run() {
  while (!stopping_) {
    rd_kafka_poll(handle_.get(), kPollMs);
    RenewIfBroken();
  }
}

// An idempotent producer that has lost count with the broker sends nothing any more (librdkafka 2.0 does so also where
// only an answer was lost): another one begins to count anew.
void Producer::RenewIfBroken() {
  std::array<char, 512> why;
  if (rd_kafka_fatal_error(handle_.get(), why.data(), why.size()) == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  Log(LogLevel::kError, "kafka_producer_renewed", {{"reason", std::string(why.data())}});
  Handle broken = NewHandle();
  {
    const std::scoped_lock lock(handle_mutex_);
    std::swap(broken, handle_);
  }
  GiveUp(broken.get());
}

bool Producer::Reserve(std::size_t messages) {
  std::size_t queued = queued_;
  do {
    if (queued > 0 && queued + messages > options_.max_queued) return false;
  } while (!queued_.compare_exchange_weak(queued, queued + messages));
  queued_gauge_.Set(static_cast<double>(queued + messages));
  return true;
}

void Producer::Send(const std::vector<Outgoing>& messages, Sent sent) {
  if (messages.empty()) return sent(EventPoints());
  if (!Reserve(messages.size())) {
    const Error error = {Failure::kUnavailable, "overloaded", "More events are waiting than Kafka takes: try again.",
                         kRetryMs};
    CountRefused(error, messages.size());
    return sent(tl::unexpected<Error>(error));
  }
  Batch* batch = std::make_unique<Batch>(this, messages.size(), std::move(sent)).release();  // Finish takes it back
  {
    const std::scoped_lock lock(handle_mutex_);
    for (const Outgoing& message : messages) Put(message, batch);
  }
  if (batch->NoteAllPut()) Finish(batch);
}

void Producer::Put(const Outgoing& message, Batch* batch) {
  HeaderList headers = HeadersOf(message);
  std::array<rd_kafka_vu_t, 7> fields{};
  fields[0].vtype = RD_KAFKA_VTYPE_TOPIC;
  fields[0].u.cstr = topic_.c_str();
  fields[1].vtype = RD_KAFKA_VTYPE_KEY;
  fields[1].u.mem = {const_cast<char*>(message.key.data()), message.key.size()};
  fields[2].vtype = RD_KAFKA_VTYPE_VALUE;
  fields[2].u.mem = {const_cast<char*>(message.value.data()), message.value.size()};
  fields[3].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
  fields[3].u.i64 = message.at;
  fields[4].vtype = RD_KAFKA_VTYPE_OPAQUE;
  fields[4].u.ptr = batch;
  fields[5].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  fields[5].u.i = RD_KAFKA_MSG_F_COPY;
  fields[6].vtype = RD_KAFKA_VTYPE_HEADERS;
  fields[6].u.headers = headers.get();
  rd_kafka_error_t* error = rd_kafka_produceva(handle_.get(), fields.data(), fields.size());
  if (error == nullptr) {
    [[maybe_unused]] const rd_kafka_headers_t* taken_over = headers.release();
    return;
  }
  batch->NoteFailed(rd_kafka_error_string(error));
  rd_kafka_error_destroy(error);
}

void Producer::NoteDelivery(const rd_kafka_message_s& message, Batch* batch) {
  bool is_last = false;
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    // Possibly it was written all the same: sent again, its identity tells.
    is_last = batch->NoteFailed(std::string("an event was not delivered (") + rd_kafka_err2str(message.err) +
                                "): send it again with the same event_id, it is counted once.");
  } else if (std::cmp_greater_equal(message.partition, kMaxEventPartitions)) {
    is_last = batch->NoteFailed("the topic " + topic_ + " has too many partitions.");
  } else {
    connection_.NoteAnswer();
    is_last = batch->NoteDelivered(static_cast<std::size_t>(message.partition), message.offset + 1);
  }
  if (is_last) Finish(batch);
}

void Producer::Finish(Batch* batch) {
  const std::unique_ptr<Batch> owned(batch);
  queued_gauge_.Set(static_cast<double>(queued_ -= owned->size()));
  if (owned->failure()) CountRefused(*owned->failure(), owned->size());
  owned->Answer();
}

void Producer::CountRefused(const Error& error, std::size_t messages) {
  metrics_
      ->AddCounter("novafeed_kafka_refused_events_total", "Messages that were not surely kept, and refused.",
                   {{"code", error.code}, {"topic", topic_}})
      .Add(static_cast<double>(messages));
}

}  // namespace novafeed::kafka
