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

  // Sequence of the last committed change (0 = none yet).
  virtual std::int64_t End() = 0;

  // The whole state as kRead changes in one consistent cut; returns the sequence of that cut (what to Read after).
  // `take` is called with batches; posts that were deleted come with deleted_at set.
  virtual std::int64_t ReadState(const std::function<void(const std::vector<Change>&)>& take) = 0;

  // `notify` is called, from any thread and soon, after each commit. One subscriber; called with nullptr to stop.
  virtual void OnCommit(std::function<void()> notify) = 0;
};

}  // namespace novafeed
