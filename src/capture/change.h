// A change of the graph, as change capture sees it: one row before and after, in commit order.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <variant>
#include <vector>

#include "base/time.h"
#include "social/entities.h"

namespace novafeed {

// Debezium's "op".
enum class ChangeOp : char { kCreate = 'c', kUpdate = 'u', kDelete = 'd', kRead = 'r' };

// One row of one of the five tables.
using Row = std::variant<User, Post, Comment, Like, Follow>;

struct Change {
  // Position in the change log, > 0, rising by commit order; embedded `lsn`. Changes of one commit may share it.
  std::int64_t sequence = 0;
  std::int64_t transaction = 0;  // equal for the changes of one commit
  TimeMs committed_at = 0;
  ChangeOp op = ChangeOp::kCreate;
  std::optional<Row> before;  // u, d
  std::optional<Row> after;   // c, u, r

  const Row& Latest() const { return after ? *after : *before; }
};

// The code of what a log answers that does not hold the state of the graph.
inline constexpr char kNoState[] = "no_state_in_log";

// Port: reads what was committed, in order. Thread-safe; blocking; throws StoreError when the store fails.
class ChangeFeed {
 public:
  virtual ~ChangeFeed() = default;

  // Up to `limit` changes with sequence > after, in order. Empty = nothing newer is committed. Where changes behind
  // `after` were forgotten: StoreError kConflict "log_forgotten"; the reader starts again from ReadState. Changes that
  // share a sequence come in one answer, even where that makes it longer than `limit`.
  virtual std::vector<Change> Read(std::int64_t after, std::size_t limit) = 0;

  // The last point, `after` or behind it, so that no change lies between: who has taken in everything up to `after` has
  // taken in everything up to there, and goes on from there. A log in which more is committed than changes of the five
  // tables moves on by it; it is asked after a Read that found nothing, costs nothing, and knows no more than that
  // Read.
  virtual std::int64_t QuietThrough(std::int64_t after) { return after; }

  // Of a log that other processes write, too, whose commits nobody announces here: as of when what lies at or before
  // `after` is complete. Everything whose commit was answered by then lies there, as far as the last Read knows; 0
  // where it does not know. Empty, always: OnCommit tells of every commit. Costs nothing.
  virtual std::optional<TimeMs> CompleteAsOf(std::int64_t /*after*/) { return std::nullopt; }

  // Sequence of the last committed change (0 = none yet).
  virtual std::int64_t End() = 0;

  // The whole state as kRead changes in one consistent cut; returns the sequence of that cut (what to Read after).
  // `take` is called with batches; posts that were deleted come with deleted_at set. StoreError kInternal
  // "no_state_in_log" (kNoState) where the log holds changes only.
  virtual std::int64_t ReadState(const std::function<void(const std::vector<Change>&)>& take) = 0;

  // `notify` is called, from any thread and soon, after each commit; where others write the log, too, after something
  // of it has come. One subscriber; called with nullptr to stop.
  virtual void OnCommit(std::function<void()> notify) = 0;
};

// The feed of a store that records its changes itself, and keeps them until it is told to forget. (What is captured
// from outside, from a database's own log, forgets by that log's retention.)
class ChangeLog : public ChangeFeed {
 public:
  // Forgets changes committed before `before`, up to and with sequence `applied` (what every consumer has taken),
  // oldest first, in small transactions; returns how many. Blocking, not on a writer thread; throws StoreError.
  virtual std::int64_t ForgetChanges(TimeMs before, std::int64_t applied) = 0;
};

}  // namespace novafeed
