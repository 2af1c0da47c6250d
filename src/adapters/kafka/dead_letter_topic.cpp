#include <algorithm>
#include <charconv>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/kafka/client.h"
#include "adapters/kafka/open.h"
#include "adapters/kafka/producer.h"
#include "adapters/kafka/topics.h"

namespace novafeed {
namespace {

using namespace kafka;  // NOLINT(google-build-using-namespace): this file is of that namespace, but for its factory

constexpr std::size_t kLongestKey = 4096;  // of a message that cannot be read: its key may be anything

std::optional<std::int64_t> NumberIn(const Message& message, const char* header) {
  const std::string_view text = message.header(header).value_or("");
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Outgoing MessageOf(const DeadLetterRecord& record) {
  const DeadLetter& letter = record.letter;
  const std::string partition = std::to_string(letter.place.partition);
  const std::string offset = std::to_string(letter.place.offset);
  Outgoing message;
  message.key = letter.place.topic + "/" + partition + "/" + offset;
  message.at = letter.at;
  message.headers = {
      {"topic", letter.place.topic}, {"partition", partition}, {"offset", offset}, {"time", std::to_string(letter.at)}};
  if (record.is_mark) {
    message.headers.emplace_back("replayed", "true");
    return message;
  }
  message.value = letter.message;
  message.headers.emplace_back("reason", letter.reason);
  message.headers.emplace_back("bytes", std::to_string(letter.bytes));
  message.headers.emplace_back("key", letter.key.substr(0, kLongestKey));
  return message;
}

// Empty where it is not ours.
std::optional<DeadLetterRecord> RecordOf(const Message& message) {
  const std::optional<std::int64_t> partition = NumberIn(message, "partition");
  const std::optional<std::int64_t> offset = NumberIn(message, "offset");
  const std::string_view topic = message.header("topic").value_or("");
  if (topic.empty() || !partition || *partition < 0 || !offset || *offset < 0) return std::nullopt;
  DeadLetterRecord record;
  record.letter.place = {std::string(topic), static_cast<std::size_t>(*partition), *offset};
  record.letter.at = NumberIn(message, "time").value_or(0);
  record.is_mark = message.header("replayed").has_value();
  if (record.is_mark) return record;
  record.letter.message = message.value();
  record.letter.reason = message.header("reason").value_or("");
  record.letter.key = message.header("key").value_or("");
  record.letter.bytes = static_cast<std::size_t>(std::max<std::int64_t>(
      NumberIn(message, "bytes").value_or(0), static_cast<std::int64_t>(message.value().size())));
  return record;
}

// Its clients are made when they are wanted first: most processes never meet a dead letter.
class KafkaDeadLetters final : public DeadLetterTopic {
 public:
  KafkaDeadLetters(const KafkaOptions& options, Access access, Metrics* metrics)
      : access_(std::move(access)), call_timeout_(options.call_timeout), metrics_(metrics) {}

  void Write(const std::vector<DeadLetterRecord>& records) override {
    std::vector<Outgoing> messages;
    messages.reserve(records.size());
    for (const DeadLetterRecord& record : records) messages.push_back(MessageOf(record));
    if (!producer_) producer_.emplace(access_, topic_, Producer::Options{call_timeout_}, metrics_);
    const auto promise = std::make_shared<std::promise<Result<EventPoints>>>();
    producer_->Send(messages, [promise](Result<EventPoints> sent) { promise->set_value(std::move(sent)); });
    const Result<EventPoints> sent = promise->get_future().get();
    if (!sent) throw StoreError(sent.error());
  }

  std::int64_t Read(std::int64_t from, const Take& take) override {
    if (!reader_) {
      reader_.emplace(access_, "novafeed-dead-letters", Client::Use::kFollow, ConnectionMetrics(metrics_));
    }
    const TopicRange range = reader_->Ranges({topic_}, SteadyClock::now() + call_timeout_).front();
    std::int64_t next = std::max(from, range.first);
    if (next >= range.end) return range.end;
    reader_->Assign({{topic_, next}});
    while (next < range.end) {
      const std::optional<Message> message = reader_->Poll(SteadyClock::now() + call_timeout_);
      if (!message) throw Unavailable("the topic " + topic_ + " did not answer in time.");
      if (message->offset() < next) continue;  // of a place before
      next = message->offset() + 1;
      if (std::optional<DeadLetterRecord> record = RecordOf(*message)) take(*std::move(record));
    }
    reader_->Assign({});
    return next;
  }

 private:
  const std::string topic_{kDeadLetterTopic};
  const Access access_;
  const std::chrono::milliseconds call_timeout_;
  Metrics* const metrics_;
  std::optional<Client> reader_;
  std::optional<Producer> producer_;
};

}  // namespace

Result<std::unique_ptr<DeadLetterTopic>> OpenKafkaDeadLetters(const KafkaOptions& options, Metrics* metrics) {
  Result<Access> access = ReadAccess(options);
  if (!access) return tl::unexpected<Error>(access.error());
  return std::make_unique<KafkaDeadLetters>(options, *std::move(access), metrics);
}

}  // namespace novafeed
