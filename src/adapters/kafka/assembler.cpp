#include "adapters/kafka/assembler.h"

#include <algorithm>
#include <string>
#include <utility>

#include "graph/store.h"

namespace novafeed::kafka {
namespace {

[[noreturn]] void ThrowForgotten(Lsn after, const std::string& why) {
  throw StoreError(Error{Failure::kConflict, "log_forgotten",
                         "The log cannot be read on behind " + std::to_string(after) + ": " + why +
                             " Read the whole state again, and go on from where it ends.",
                         0});
}

}  // namespace

void TransactionAssembler::Add(const TransactionEnd& end) {
  // Capture that starts again repeats itself from some transaction on.
  const Lsn last = ends_.empty() ? position_ : ends_.back().commit;
  if (end.commit > last) ends_.push_back(end);
}

void TransactionAssembler::Add(std::size_t topic, CapturedRow row) {
  if (row.order == 0) {
    snapshot_ = std::max(snapshot_, row.lsn);
    return;
  }
  if (row.Place() < last_commit_.value_or(0)) return;  // its transaction was given out
  waiting_[topic].push_back(std::move(row));
}

std::optional<CapturedTransaction> TransactionAssembler::Next() {
  if (snapshot_ > position_) {
    ThrowForgotten(position_, "capture has read the tables anew at " + std::to_string(snapshot_) +
                                  ", and what changed before may be missing.");
  }
  if (ends_.empty()) return std::nullopt;
  const TransactionEnd end = ends_.front();
  bool complete = true;
  for (std::size_t topic = 0; topic < kRowTopics.size(); ++topic) complete = Gather(topic, end) && complete;
  if (!complete) return std::nullopt;
  RequireSuccessor(end);
  CapturedTransaction transaction = TakeGathered(end);
  ends_.pop_front();
  position_ = end.commit;
  last_commit_ = end.commit;
  complete_as_of_ = std::max(complete_as_of_, end.committed_at);
  return transaction;
}

void TransactionAssembler::RequireRows(Lsn newest, const std::array<bool, kRowTopics.size()>& is_cut) const {
  if (ends_.empty() || ends_.front().commit > newest) return;
  for (std::size_t topic = 0; topic < kRowTopics.size(); ++topic) {
    if (is_cut[topic] && WantsRows(topic)) ThrowRowsAreGone(topic);
  }
}

void TransactionAssembler::ThrowRowsAreGone(std::size_t topic) const {
  ThrowForgotten(position_, "rows of the transaction that ends at " + std::to_string(ends_.front().commit) +
                                " are no longer on the topic " + std::string(kRowTopics[topic]) + ".");
}

std::optional<std::int64_t> TransactionAssembler::FirstUnused(std::size_t topic) const {
  std::optional<std::int64_t> first;
  const auto note = [&](const CapturedRow& row) { first = std::min(first.value_or(row.offset), row.offset); };
  for (const auto& [order, row] : gathered_[topic]) note(row);
  for (const CapturedRow& row : waiting_[topic]) {
    if (row.Place() < last_commit_.value_or(0)) continue;  // repeated: its transaction was given out
    note(row);
    break;
  }
  return first;
}

bool TransactionAssembler::WantsRows(std::size_t topic) const {
  return !ends_.empty() && std::cmp_less(gathered_[topic].size(), ends_.front().rows[topic]);
}

// True once all rows of the transaction on this topic are there. What it passes over are repeated rows of transactions
// before, and rows of one whose END is missing: then RequireSuccessor finds out.
bool TransactionAssembler::Gather(std::size_t topic, const TransactionEnd& end) {
  std::deque<CapturedRow>& waiting = waiting_[topic];
  while (WantsRows(topic) && !waiting.empty()) {
    CapturedRow& row = waiting.front();
    if (row.Place() >= end.commit) ThrowRowsAreGone(topic);
    if (row.transaction == end.transaction) {
      const std::int64_t order = row.order;
      gathered_[topic].try_emplace(order, std::move(row));
    }
    waiting.pop_front();
  }
  return !WantsRows(topic);
}

void TransactionAssembler::RequireSuccessor(const TransactionEnd& end) const {
  for (const auto& rows : gathered_) {
    if (rows.empty()) continue;
    const std::optional<Lsn> follows = rows.begin()->second.follows;
    if (follows) {
      if (*follows <= position_) return;
      ThrowForgotten(position_, "the next transaction on it, which ends at " + std::to_string(end.commit) +
                                    ", comes after one that ended at " + std::to_string(*follows) + ".");
    }
    // The first one after a snapshot. Who knows what the snapshot shows stands between two commits of the log.
    const bool is_known = last_commit_ && (position_ > *last_commit_ || *last_commit_ == 0);
    if (!is_known) {
      ThrowForgotten(position_, "capture began anew before the transaction that ends at " + std::to_string(end.commit) +
                                    ", and what changed before may be missing.");
    }
    return;
  }
}

CapturedTransaction TransactionAssembler::TakeGathered(const TransactionEnd& end) {
  CapturedTransaction transaction;
  transaction.commit = end.commit;
  transaction.committed_at = end.committed_at;
  std::map<std::int64_t, CapturedRow> rows;
  for (std::size_t topic = 0; topic < kRowTopics.size(); ++topic) {
    for (const auto& [order, row] : gathered_[topic]) {
      transaction.ends[topic] = std::max(transaction.ends[topic], row.offset + 1);
    }
  }
  for (auto& of_topic : gathered_) {
    rows.merge(of_topic);
    if (!of_topic.empty()) {
      ThrowForgotten(position_, "two rows of the transaction that ends at " + std::to_string(end.commit) +
                                    " claim the same place in it.");
    }
  }
  transaction.changes.reserve(rows.size());
  for (auto& [order, row] : rows) {
    if (!row.change) continue;
    row.change->sequence = end.commit;
    transaction.changes.push_back(*std::move(row.change));
  }
  return transaction;
}

}  // namespace novafeed::kafka
