#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/kafka/assembler.h"
#include "adapters/kafka/client.h"
#include "adapters/kafka/messages.h"
#include "adapters/kafka/open.h"
#include "adapters/kafka/search.h"
#include "adapters/kafka/topics.h"
#include "base/log.h"
#include "graph/store.h"

namespace novafeed {
namespace {

using namespace kafka;  // NOLINT(google-build-using-namespace): this file is of that namespace, but for its factory

constexpr std::int64_t kRetryMs = 1000;
constexpr std::size_t kTopics = kRowTopics.size() + 1;
constexpr std::size_t kTransactions = kRowTopics.size();  // the index of kTransactionTopic among all topics
// How many messages are looked through at a place, so that some that cannot be read do not end a search.
constexpr std::int64_t kLook = 64;

std::vector<std::string> AllTopics() {
  std::vector<std::string> topics(kRowTopics.begin(), kRowTopics.end());
  topics.emplace_back(kTransactionTopic);
  return topics;
}

StoreError Unavailable(const std::string& why) {
  return StoreError(Error{Failure::kUnavailable, "log_unavailable", "Kafka: " + why, kRetryMs});
}

class KafkaChangeFeed final : public ChangeFeed {
 public:
  KafkaChangeFeed(const KafkaOptions& options, const Access& access, Metrics* metrics);

  std::vector<Change> Read(std::int64_t after, std::size_t limit) override;
  std::int64_t QuietThrough(std::int64_t after) override;
  std::int64_t End() override;
  std::int64_t ReadState(const std::function<void(const std::vector<Change>&)>& take) override;
  void OnCommit(std::function<void()> notify) override { stream_.SetArrival(std::move(notify)); }

 private:
  // Where the reader stands, and what was read for it.
  struct Session {
    TransactionAssembler assembler;
    std::int64_t handed = 0;                        // up to where changes were handed out
    std::array<std::int64_t, kTopics> next = {};    // the offset behind what was read
    std::array<std::int64_t, kTopics> wanted = {};  // the end when the session began
    Lsn newest = 0;                                 // the newest END by then, as far as it was read
    std::array<bool, kRowTopics.size()> is_cut = {};

    bool Holds(std::int64_t after) const { return after >= handed && after <= assembler.position(); }
    bool IsBehind() const { return !std::ranges::equal(next, wanted, std::greater_equal<>()); }
  };

  Deadline NewDeadline() const { return SteadyClock::now() + options_.call_timeout; }
  void Begin(std::int64_t after, Deadline deadline);
  std::int64_t FindEnds(const TopicRange& range, AssemblyStart* start, Deadline deadline);
  std::int64_t FindRows(std::size_t topic, const TopicRange& range, const AssemblyStart& start, Deadline deadline);
  template <class Judge>
  std::optional<Found> Look(const std::string& topic, std::int64_t from, std::int64_t until, Deadline deadline,
                            Judge judge);
  void Take(const Message& message);
  void NotePoison(std::size_t topic, const Message& message, const std::string& reason);
  void Balance();
  void SetPaused(std::size_t topic, bool paused);
  void ReportLag();

  const KafkaOptions options_;
  const std::vector<std::string> topics_ = AllTopics();
  std::vector<Counter> poison_;  // by topic
  Counter searches_;
  Gauge lag_;
  LogGate poison_log_{1000};
  std::mutex mutex_;  // guards what follows, but for OnCommit
  Client stream_;     // follows the topics
  Client lookup_;     // looks at single messages
  std::array<bool, kTopics> paused_ = {};
  std::optional<Session> session_;
};

ClientMetrics MetricsOfClients(Metrics* metrics) {
  return {metrics->AddCounter("novafeed_kafka_losses_total", "Times no broker of Kafka could be reached."),
          metrics->AddCounter("novafeed_kafka_reconnects_total", "Times Kafka answered again.")};
}

KafkaChangeFeed::KafkaChangeFeed(const KafkaOptions& options, const Access& access, Metrics* metrics)
    : options_(options),
      searches_(metrics->AddCounter("novafeed_kafka_searches_total",
                                    "Times the place to read from was looked for on the topics of changes.")),
      lag_(metrics->AddGauge("novafeed_kafka_lag_messages", "Messages of changes in Kafka that are not read yet.")),
      stream_(access, "novafeed-changes", Client::Use::kFollow, MetricsOfClients(metrics)),
      lookup_(access, "novafeed-lookup", Client::Use::kLookUp, MetricsOfClients(metrics)) {
  for (const std::string& topic : topics_) {
    poison_.push_back(metrics->AddCounter("novafeed_kafka_poison_messages_total",
                                          "Messages of changes that cannot be read.", {{"topic", topic}}));
  }
}

std::vector<Change> KafkaChangeFeed::Read(std::int64_t after, std::size_t limit) {
  const std::scoped_lock lock(mutex_);
  const Deadline deadline = NewDeadline();
  std::vector<Change> changes;
  try {
    if (!session_ || !session_->Holds(after)) Begin(after, deadline);
    while (changes.size() < limit) {
      if (std::optional<CapturedTransaction> next = session_->assembler.Next()) {
        std::ranges::move(next->changes, std::back_inserter(changes));
        continue;
      }
      Balance();
      // Who begins anywhere waits for what was there by then; later, what has come is all that there is.
      const bool waits = changes.empty() && session_->IsBehind();
      const std::optional<Message> message = stream_.Poll(waits ? deadline : Deadline{});
      if (!message) break;
      Take(*message);
    }
    if (!session_->IsBehind()) session_->assembler.RequireRows(session_->newest, session_->is_cut);
  } catch (const StoreError&) {
    session_.reset();
    throw;
  }
  session_->handed = changes.empty() ? after : changes.back().sequence;
  ReportLag();
  if (!changes.empty()) return changes;
  if (stream_.IsLost()) throw Unavailable("no broker can be reached.");
  if (session_->IsBehind()) throw Unavailable("what it holds did not come in time.");
  return changes;
}

std::int64_t KafkaChangeFeed::QuietThrough(std::int64_t after) {
  const std::scoped_lock lock(mutex_);
  return session_ && session_->Holds(after) ? session_->assembler.position() : after;
}

std::int64_t KafkaChangeFeed::End() {
  const std::scoped_lock lock(mutex_);
  const Deadline deadline = NewDeadline();
  const TopicRange range = lookup_.Ranges({topics_[kTransactions]}, deadline).front();
  // Capture that starts again repeats a stretch: the newest of the last messages counts, not the last one.
  Lsn last = 0;
  for (std::int64_t until = range.end; until > range.first && last == 0; until -= kLook) {
    const std::int64_t from = std::max(range.first, until - kLook);
    Look(topics_[kTransactions], from, until, deadline, [&](std::string_view value) -> std::optional<bool> {
      const Result<std::optional<TransactionEnd>> end = ParseTransaction(value);
      if (end && *end) last = std::max(last, (*end)->commit);
      return std::nullopt;
    });
  }
  lookup_.Assign({});
  return last;
}

std::int64_t KafkaChangeFeed::ReadState(const std::function<void(const std::vector<Change>&)>& /*take*/) {
  throw StoreError(Error{Failure::kInternal, "no_state_in_log",
                         "Kafka holds changes, not the state of the graph: that is read from the warehouse.", 0});
}

// Finds the place behind `after` on each topic, and reads on from there.
void KafkaChangeFeed::Begin(std::int64_t after, Deadline deadline) {
  session_.reset();
  for (std::size_t topic = 0; topic < kTopics; ++topic) SetPaused(topic, false);
  searches_.Add();
  const std::vector<TopicRange> ranges = lookup_.Ranges(topics_, deadline);
  AssemblyStart start;
  start.after = after;
  std::vector<TopicPlace> places(kTopics);
  for (std::size_t topic = 0; topic < kTopics; ++topic) places[topic].topic = topics_[topic];
  places[kTransactions].offset = FindEnds(ranges[kTransactions], &start, deadline);
  for (std::size_t topic = 0; topic < kRowTopics.size(); ++topic) {
    places[topic].offset = FindRows(topic, ranges[topic], start, deadline);
  }
  session_.emplace(Session{TransactionAssembler(start)});
  for (std::size_t topic = 0; topic < kRowTopics.size(); ++topic) {
    session_->is_cut[topic] = ranges[topic].first > 0 && places[topic].offset == ranges[topic].first;
  }
  session_->handed = after;
  for (std::size_t topic = 0; topic < kTopics; ++topic) {
    session_->next[topic] = places[topic].offset;
    session_->wanted[topic] = ranges[topic].end;
  }
  stream_.Assign(places);
  lookup_.Assign({});
}

std::int64_t KafkaChangeFeed::FindEnds(const TopicRange& range, AssemblyStart* start, Deadline deadline) {
  std::optional<Lsn> before;
  if (range.first == 0) before = 0;
  const std::int64_t found = FindStart(range.first, range.end, [&](std::int64_t from, std::int64_t until) {
    return Look(topics_[kTransactions], from, until, deadline, [&](std::string_view value) -> std::optional<bool> {
      const Result<std::optional<TransactionEnd>> end = ParseTransaction(value);
      if (!end || !*end) return std::nullopt;
      if ((*end)->commit > start->after) return true;
      before = (*end)->commit;
      return false;
    });
  });
  start->last_commit = before;
  return found;
}

std::int64_t KafkaChangeFeed::FindRows(std::size_t topic, const TopicRange& range, const AssemblyStart& start,
                                       Deadline deadline) {
  return FindStart(range.first, range.end, [&](std::int64_t from, std::int64_t until) {
    return Look(topics_[topic], from, until, deadline, [&](std::string_view value) -> std::optional<bool> {
      const Result<ParsedRow> parsed = ParseRow(topic, value);
      if (!parsed) return std::nullopt;
      const CapturedRow& row = parsed->row;
      return row.order == 0 ? row.lsn > start.after : row.Place() >= start.last_commit.value_or(0);
    });
  });
}

// The first message in [from, until) that `judge` can say of whether it lies behind.
template <class Judge>
std::optional<Found> KafkaChangeFeed::Look(const std::string& topic, std::int64_t from, std::int64_t until,
                                           Deadline deadline, Judge judge) {
  lookup_.Assign({{topic, from}});
  while (true) {
    const std::optional<Message> message = lookup_.Poll(deadline);
    if (!message) throw Unavailable("the topic " + topic + " did not answer in time.");
    if (message->topic() != topic || message->offset() < from) continue;
    if (message->offset() >= until) return std::nullopt;
    if (const std::optional<bool> is_behind = judge(message->value())) return Found{message->offset(), *is_behind};
    if (message->offset() + 1 >= until) return std::nullopt;
  }
}

void KafkaChangeFeed::Take(const Message& message) {
  const std::size_t topic = std::ranges::find(topics_, message.topic()) - topics_.begin();
  session_->next[topic] = message.offset() + 1;
  if (topic == kTransactions) {
    const Result<std::optional<TransactionEnd>> end = ParseTransaction(message.value());
    if (!end) return NotePoison(topic, message, end.error().detail);
    if (!*end) return;
    if (message.offset() < session_->wanted[topic]) session_->newest = std::max(session_->newest, (*end)->commit);
    session_->assembler.Add(**end);
    return;
  }
  Result<ParsedRow> parsed = ParseRow(topic, message.value());
  if (!parsed) return NotePoison(topic, message, parsed.error().detail);
  if (parsed->problem) NotePoison(topic, message, parsed->problem->detail);
  session_->assembler.Add(topic, std::move(parsed->row));
}

void KafkaChangeFeed::NotePoison(std::size_t topic, const Message& message, const std::string& reason) {
  poison_[topic].Add();
  if (poison_log_.Open()) {
    Log(LogLevel::kError, "kafka_poison_message",
        {{"topic", topics_[topic]}, {"offset", message.offset()}, {"reason", reason}});
  }
  if (options_.on_poison) {
    options_.on_poison({message.topic(), message.offset(), message.key(), message.value(), reason});
  }
}

// A topic that is ahead is not read while the others catch up. What the next transaction waits for is always read.
void KafkaChangeFeed::Balance() {
  const TransactionAssembler& assembler = session_->assembler;
  for (std::size_t topic = 0; topic < kTopics; ++topic) {
    const bool is_ends = topic == kTransactions;
    const std::size_t waiting = is_ends ? assembler.EndsWaiting() : assembler.RowsWaiting(topic);
    const bool is_needed = is_ends ? assembler.WantsEnds() : assembler.WantsRows(topic);
    SetPaused(topic, waiting >= options_.rows_ahead && !is_needed);
  }
}

void KafkaChangeFeed::SetPaused(std::size_t topic, bool paused) {
  if (paused_[topic] == paused) return;
  paused_[topic] = paused;
  stream_.Pause(topics_[topic], paused);
}

void KafkaChangeFeed::ReportLag() {
  std::int64_t behind = 0;
  for (std::size_t topic = 0; topic < kTopics; ++topic) {
    behind += stream_.Behind(topics_[topic], session_->next[topic]);
  }
  lag_.Set(static_cast<double>(behind));
}

}  // namespace

Result<std::unique_ptr<ChangeFeed>> OpenKafkaChangeFeed(const KafkaOptions& options, Metrics* metrics) {
  const Result<Access> access = ReadAccess(options);
  if (!access) return tl::unexpected<Error>(access.error());
  try {
    return std::make_unique<KafkaChangeFeed>(options, *access, metrics);
  } catch (const std::runtime_error& error) {
    return Fail(Failure::kInvalid, "bad_kafka_options", std::string("Kafka's client refuses: ") + error.what());
  }
}

}  // namespace novafeed
