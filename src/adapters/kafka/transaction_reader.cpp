#include "adapters/kafka/transaction_reader.h"

#include <algorithm>
#include <utility>

#include "adapters/kafka/messages.h"
#include "graph/store.h"

namespace novafeed::kafka {
namespace {

// How many messages are looked through at a place, so that some that cannot be read do not end a search.
constexpr std::int64_t kLook = 64;

}  // namespace

std::vector<std::string> TransactionReader::Topics() {
  std::vector<std::string> topics(kRowTopics.begin(), kRowTopics.end());
  topics.emplace_back(kTransactionTopic);
  return topics;
}

TransactionReader::TransactionReader(const Access& access, std::size_t rows_ahead, const std::string& name,
                                     ConnectionMetrics metrics, TransactionReaderCallbacks callbacks)
    : topics_(Topics()),
      rows_ahead_(rows_ahead),
      callbacks_(std::move(callbacks)),
      stream_(access, name, Client::Use::kFollow, metrics),
      lookup_(access, name + "-lookup", Client::Use::kLookUp, metrics) {}

// After an error nothing is known of where it stands.
template <class Step>
auto TransactionReader::OrForget(Step step) {
  try {
    return step();
  } catch (const StoreError&) {
    session_.reset();
    throw;
  }
}

void TransactionReader::Seek(std::int64_t after, Deadline deadline) {
  if (Holds(after)) return;
  OrForget([&] { Begin(after, deadline); });
}

std::optional<CapturedTransaction> TransactionReader::Next(bool waits, Deadline deadline) {
  return OrForget([&]() -> std::optional<CapturedTransaction> {
    while (true) {
      if (std::optional<CapturedTransaction> next = session_->assembler.Next()) {
        for (std::size_t topic = 0; topic < kRowTopics.size(); ++topic) {
          session_->ends[topic] = std::max(session_->ends[topic], next->ends[topic]);
        }
        return next;
      }
      Balance();
      const std::optional<Message> message = stream_.Poll(waits && IsBehind() ? deadline : Deadline{});
      if (!message) return std::nullopt;
      Take(*message);
    }
  });
}

void TransactionReader::RequireRows() {
  OrForget([&] {
    if (!IsBehind()) session_->assembler.RequireRows(session_->newest, session_->is_cut);
  });
}

void TransactionReader::Hand(std::int64_t commit) {
  session_->handed = commit;
}

std::array<std::int64_t, kRowTopics.size()> TransactionReader::Through() const {
  std::array<std::int64_t, kRowTopics.size()> through;
  for (std::size_t topic = 0; topic < kRowTopics.size(); ++topic) {
    through[topic] = session_->assembler.FirstUnused(topic).value_or(session_->next[topic]);
  }
  return through;
}

std::int64_t TransactionReader::MessagesBehind() const {
  std::int64_t behind = 0;
  for (std::size_t topic = 0; topic < kTopics; ++topic) {
    behind += stream_.Behind(topics_[topic], session_->next[topic]);
  }
  return behind;
}

TransactionEnd TransactionReader::NewestCommit(Deadline deadline) {
  const TopicRange range = lookup_.Ranges({topics_[kTransactions]}, deadline).front();
  // Capture that starts again repeats a stretch: the newest of the last messages counts, not the last one.
  TransactionEnd newest;
  for (std::int64_t until = range.end; until > range.first && newest.commit == 0; until -= kLook) {
    const std::int64_t from = std::max(range.first, until - kLook);
    Look(topics_[kTransactions], from, until, deadline, [&](std::string_view value) -> std::optional<bool> {
      const Result<std::optional<TransactionEnd>> end = ParseTransaction(value);
      if (end && *end && (*end)->commit > newest.commit) newest = **end;
      return std::nullopt;
    });
  }
  lookup_.Assign({});
  return newest;
}

// Finds the place behind `after` on each topic, and reads on from there.
void TransactionReader::Begin(std::int64_t after, Deadline deadline) {
  session_.reset();
  for (std::size_t topic = 0; topic < kTopics; ++topic) SetPaused(topic, false);
  callbacks_.searching();
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
    session_->ends[topic] = places[topic].offset;
  }
  session_->handed = after;
  for (std::size_t topic = 0; topic < kTopics; ++topic) {
    session_->next[topic] = places[topic].offset;
    session_->wanted[topic] = ranges[topic].end;
  }
  stream_.Assign(places);
  lookup_.Assign({});
}

std::int64_t TransactionReader::FindEnds(const TopicRange& range, AssemblyStart* start, Deadline deadline) {
  std::optional<Lsn> before;
  if (range.first == 0) before = 0;
  const std::int64_t found = FindStart(range.first, range.end, [&](std::int64_t from, std::int64_t until) {
    return Look(topics_[kTransactions], from, until, deadline, [&](std::string_view value) -> std::optional<bool> {
      const Result<std::optional<TransactionEnd>> end = ParseTransaction(value);
      if (!end || !*end) return std::nullopt;
      if ((*end)->commit > start->after) return true;
      before = (*end)->commit;
      start->last_committed_at = (*end)->committed_at;
      return false;
    });
  });
  start->last_commit = before;
  return found;
}

std::int64_t TransactionReader::FindRows(std::size_t topic, const TopicRange& range, const AssemblyStart& start,
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
std::optional<Found> TransactionReader::Look(const std::string& topic, std::int64_t from, std::int64_t until,
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

void TransactionReader::Take(const Message& message) {
  const std::size_t topic = std::ranges::find(topics_, message.topic()) - topics_.begin();
  session_->next[topic] = message.offset() + 1;
  if (topic == kTransactions) {
    const Result<std::optional<TransactionEnd>> end = ParseTransaction(message.value());
    if (!end) return callbacks_.poison(message, end.error().detail);
    if (!*end) return;
    if (message.offset() < session_->wanted[topic]) session_->newest = std::max(session_->newest, (*end)->commit);
    session_->assembler.Add(**end);
    return;
  }
  Result<ParsedRow> parsed = ParseRow(topic, message.value());
  if (!parsed) return callbacks_.poison(message, parsed.error().detail);
  if (parsed->problem) callbacks_.poison(message, parsed->problem->detail);
  parsed->row.offset = message.offset();
  session_->assembler.Add(topic, std::move(parsed->row));
}

// A topic that is ahead is not read while the others catch up. What the next transaction waits for is always read.
void TransactionReader::Balance() {
  const TransactionAssembler& assembler = session_->assembler;
  for (std::size_t topic = 0; topic < kTopics; ++topic) {
    const bool is_ends = topic == kTransactions;
    const std::size_t waiting = is_ends ? assembler.EndsWaiting() : assembler.RowsWaiting(topic);
    const bool is_needed = is_ends ? assembler.WantsEnds() : assembler.WantsRows(topic);
    SetPaused(topic, waiting >= rows_ahead_ && !is_needed);
  }
}

void TransactionReader::SetPaused(std::size_t topic, bool paused) {
  if (paused_[topic] == paused) return;
  paused_[topic] = paused;
  stream_.Pause(topics_[topic], paused);
}

}  // namespace novafeed::kafka
