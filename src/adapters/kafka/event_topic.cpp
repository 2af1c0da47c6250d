#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/kafka/client.h"
#include "adapters/kafka/open.h"
#include "adapters/kafka/poison.h"
#include "adapters/kafka/producer.h"
#include "adapters/kafka/topics.h"
#include "capture/retention.h"
#include "stream/event_json.h"

namespace novafeed {
namespace {

using namespace kafka;  // NOLINT(google-build-using-namespace): this file is of that namespace, but for its factory

class KafkaEventTopic final : public EventTopic {
 public:
  KafkaEventTopic(const KafkaOptions& options, const Access& access, Metrics* metrics);

  void Append(std::vector<LoggedEvent> events, Done done) override;
  Batch Read(const EventPoints& after, std::size_t limit, std::chrono::milliseconds patience) override;
  EventPoints Begin() override { return EventPoints(OffsetsAt(Client::kBegin)); }
  EventPoints End() override { return EventPoints(OffsetsAt(Client::kEnd)); }
  EventPoints PointsAt(TimeMs received_at) override;

 private:
  std::vector<std::int64_t> OffsetsAt(std::int64_t time);
  void GoTo(const EventPoints& after);
  void Take(const Message& message, Batch* batch);

  const std::string topic_{kEventTopic};
  const std::chrono::milliseconds call_timeout_;
  std::atomic<std::size_t> partitions_{0};  // as last seen

  // The reader's.
  PoisonReport poison_;
  Client stream_;
  std::optional<EventPoints> at_;    // where the stream reads on
  std::size_t read_partitions_ = 0;  // of that many partitions

  std::mutex lookup_mutex_;
  Client lookup_;  // guarded by lookup_mutex_

  Producer producer_;
};

KafkaEventTopic::KafkaEventTopic(const KafkaOptions& options, const Access& access, Metrics* metrics)
    : call_timeout_(options.call_timeout),
      poison_({topic_}, options.on_poison, metrics),
      stream_(access, "novafeed-events", Client::Use::kFollow, ConnectionMetrics(metrics)),
      lookup_(access, "novafeed-event-lookup", Client::Use::kLookUp, ConnectionMetrics(metrics)),
      producer_(access, topic_, {options.call_timeout, options.max_queued_events}, metrics) {}

void KafkaEventTopic::Append(std::vector<LoggedEvent> events, Done done) {
  std::vector<Outgoing> messages;
  messages.reserve(events.size());
  for (const LoggedEvent& logged : events) {
    messages.push_back({logged.event.post.ToString(), RenderEventJson(logged), logged.received_at});
  }
  producer_.Send(messages, std::move(done));
}

EventTopic::Batch KafkaEventTopic::Read(const EventPoints& after, std::size_t limit,
                                        std::chrono::milliseconds patience) {
  const Deadline deadline = SteadyClock::now() + patience;
  Batch batch{{}, after};
  try {
    if (at_ != after || read_partitions_ != partitions_) GoTo(after);
    // It waits for the first one; those that have come with it are taken at once.
    for (std::size_t taken = 0; taken < limit; ++taken) {
      const std::optional<Message> message = stream_.Poll(taken == 0 ? deadline : Deadline());
      if (!message) break;
      Take(*message, &batch);
    }
  } catch (const StoreError&) {
    at_.reset();
    throw;
  }
  at_ = batch.through;
  if (batch.through == after && stream_.IsLost()) throw Unavailable("no broker can be reached.");
  return batch;
}

// Reads on behind these points, in all partitions that there are.
void KafkaEventTopic::GoTo(const EventPoints& after) {
  at_.reset();
  const EventPoints begin = Begin();
  const EventPoints end = End();
  for (std::size_t partition = 0; partition < kMaxEventPartitions; ++partition) {
    RequireKept(after[partition], begin[partition]);
  }
  if (!Reached(after, end)) {
    throw StoreError(Error{
        Failure::kConflict, "log_forgotten",
        "Events were to be read behind " + Describe(after) + ", but the topic ends at " + Describe(end) + ".", 0});
  }
  read_partitions_ = partitions_;
  std::vector<TopicPlace> places;
  places.reserve(read_partitions_);
  for (std::size_t partition = 0; partition < read_partitions_; ++partition) {
    places.push_back({topic_, after[partition], partition});
  }
  stream_.Assign(places);
}

void KafkaEventTopic::Take(const Message& message, Batch* batch) {
  std::int64_t& point = batch->through[message.partition()];
  if (message.offset() < point) return;  // of a place before
  point = message.offset() + 1;
  Result<LoggedEvent> logged = ParseEventJson(message.value());
  if (!logged) return poison_.Note(message, logged.error().detail);
  logged->partition = message.partition();
  logged->sequence = point;
  batch->events.push_back(*std::move(logged));
}

EventPoints KafkaEventTopic::PointsAt(TimeMs received_at) {
  EventPoints points = End();  // first: what comes in between must not be passed over
  const std::vector<std::int64_t> offsets = OffsetsAt(std::max<TimeMs>(0, received_at));
  for (std::size_t partition = 0; partition < offsets.size(); ++partition) {
    if (offsets[partition] != Client::kNowhere) points[partition] = offsets[partition];
  }
  return points;
}

std::vector<std::int64_t> KafkaEventTopic::OffsetsAt(std::int64_t time) {
  const std::scoped_lock lock(lookup_mutex_);
  while (lookup_.Poll(Deadline())) {
  }  // it reads nothing: this only takes in what is said of the connection
  std::vector<std::int64_t> offsets = lookup_.OffsetsAt(topic_, time, SteadyClock::now() + call_timeout_);
  if (offsets.size() > kMaxEventPartitions) {
    throw StoreError(Error{Failure::kInternal, "bad_topic",
                           "The topic " + topic_ + " has " + std::to_string(offsets.size()) +
                               " partitions, more than " + std::to_string(kMaxEventPartitions) + ".",
                           0});
  }
  partitions_ = offsets.size();
  return offsets;
}

}  // namespace

Result<std::unique_ptr<EventTopic>> OpenKafkaEventTopic(const KafkaOptions& options, Metrics* metrics) {
  const Result<Access> access = ReadAccess(options);
  if (!access) return tl::unexpected<Error>(access.error());
  try {
    return std::make_unique<KafkaEventTopic>(options, *access, metrics);
  } catch (const std::runtime_error& error) {
    return Fail(Failure::kInvalid, "bad_kafka_options", std::string("Kafka's client refuses: ") + error.what());
  }
}

}  // namespace novafeed
