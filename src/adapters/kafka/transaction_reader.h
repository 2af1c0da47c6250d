// Follows the topics of changes from any place in the write-ahead log, transaction by transaction.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/kafka/assembler.h"
#include "adapters/kafka/client.h"
#include "adapters/kafka/messages.h"
#include "adapters/kafka/search.h"
#include "adapters/kafka/topics.h"
#include "base/time.h"

namespace novafeed::kafka {

struct TransactionReaderCallbacks {
  // A message that cannot be read, or whose columns cannot be.
  std::function<void(const Message& message, const std::string& reason)> poison = [](const auto&, const auto&) {};
  // The place to read from is looked for.
  std::function<void()> searching = [] {};
};

// For one thread at a time. Errors are StoreError as TransactionAssembler and Client throw them; after one, the next
// Seek looks for its place anew.
class TransactionReader {
 public:
  // All that it reads: those of rows, and that of transactions.
  static std::vector<std::string> Topics();

  // `name` stands in log lines.
  TransactionReader(const Access& access, std::size_t rows_ahead, const std::string& name, ConnectionMetrics metrics,
                    TransactionReaderCallbacks callbacks);

  // Stands behind `after`: goes on where it stands there, and looks for the place where it does not.
  void Seek(std::int64_t after, Deadline deadline);
  // The next transaction; empty where none has come. `waits`: as long as something of what was there at the last search
  // is not read, for it to come, until `deadline`.
  std::optional<CapturedTransaction> Next(bool waits, Deadline deadline);
  // To be called after Next was empty: throws where the next transaction will never come whole.
  void RequireRows();
  // What was given out up to `commit` counts: the next Seek may begin there, or anywhere up to position().
  void Hand(std::int64_t commit);

  // Whether it stands somewhere, so that a Seek to `after` would look for nothing.
  bool Holds(std::int64_t after) const { return session_ && session_->Holds(after); }
  // While it stands somewhere: up to where everything was given out.
  Lsn position() const { return session_->assembler.position(); }
  // As of when that is complete, as TransactionAssembler says it.
  TimeMs complete_as_of() const { return session_->assembler.complete_as_of(); }
  // Something of what was there at the last search is not read.
  bool IsBehind() const { return session_->IsBehind(); }
  // As Client::IsLost.
  bool IsLost() { return stream_.IsLost(); }
  // Of each topic of rows: the offset behind the last row of what was given out, or known at the search. All rows of it
  // lie before.
  const std::array<std::int64_t, kRowTopics.size()>& ends() const { return session_->ends; }
  // Of each topic of rows: no message before this offset is a row of a transaction that was not given out.
  std::array<std::int64_t, kRowTopics.size()> Through() const;
  // Messages on the topics that were not read, as far as is known.
  std::int64_t MessagesBehind() const;

  // The newest commit on the log; all zeros where there is none. Does not change where it stands.
  TransactionEnd NewestCommit(Deadline deadline);
  void SetArrival(std::function<void()> arrived) { stream_.SetArrival(std::move(arrived)); }

 private:
  static constexpr std::size_t kTopics = kRowTopics.size() + 1;
  static constexpr std::size_t kTransactions = kRowTopics.size();  // the index of kTransactionTopic among all topics

  // Where the reader stands, and what was read for it.
  struct Session {
    TransactionAssembler assembler;
    std::int64_t handed = 0;                        // up to where transactions were taken for good
    std::array<std::int64_t, kTopics> next = {};    // the offset behind what was read
    std::array<std::int64_t, kTopics> wanted = {};  // the end when the session began
    Lsn newest = 0;                                 // the newest END by then, as far as it was read
    std::array<bool, kRowTopics.size()> is_cut = {};
    std::array<std::int64_t, kRowTopics.size()> ends = {};

    bool Holds(std::int64_t after) const { return after >= handed && after <= assembler.position(); }
    bool IsBehind() const { return !std::ranges::equal(next, wanted, std::greater_equal<>()); }
  };

  template <class Step>
  auto OrForget(Step step);
  void Begin(std::int64_t after, Deadline deadline);
  std::int64_t FindEnds(const TopicRange& range, AssemblyStart* start, Deadline deadline);
  std::int64_t FindRows(std::size_t topic, const TopicRange& range, const AssemblyStart& start, Deadline deadline);
  template <class Judge>
  std::optional<Found> Look(const std::string& topic, std::int64_t from, std::int64_t until, Deadline deadline,
                            Judge judge);
  void Take(const Message& message);
  void Balance();
  void SetPaused(std::size_t topic, bool paused);

  const std::vector<std::string> topics_;
  const std::size_t rows_ahead_;
  const TransactionReaderCallbacks callbacks_;
  Client stream_;  // follows the topics
  Client lookup_;  // looks at single messages
  std::array<bool, kTopics> paused_ = {};
  std::optional<Session> session_;
};

}  // namespace novafeed::kafka
