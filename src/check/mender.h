// Mends the warehouse, a relation at a time: what is wrong is taken out, and what is right is sent again the way it
// came.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "capture/change.h"
#include "check/ledger.h"
#include "check/warehouse_facts.h"
#include "stream/event_log.h"
#include "stream/position.h"
#include "warehouse/landing.h"
#include "warehouse/olap.h"

namespace novafeed {

// For one thread; blocking; throws StoreError. The warehouse stands still at `warehouse_at` meanwhile. Relations are
// mended in their order, each compared after those before it were mended: what stands on a row follows from the row.
//
// - State and events: the rows of the key are deleted in all their versions, and the true one is landed again.
// - Sets: those of the key are deleted; the rows that they are made of are inserted once more where they are, so that
// the
//   views make the sets again; then what the change log still says of these posts and people is landed again, so that
//   the sets also know the likes that were taken back. What the log has forgotten comes from its totals.
// - Refreshed counters and lists: deleted and refreshed. follow_graph: deleted and made again from follows_cdc.
class Mender {
 public:
  // All outlive it. `first_kept`: a sequence from which the change log reads through, once it was looked for, which
  // takes long in some logs; for the next mender. `require_alone` is called before each step that deletes, and
  // in long searches: it throws where the warehouse may not stand still any more, or somebody else may mend it.
  Mender(Olap* olap, WarehouseFacts* facts, ChangeFeed* changes, EventLog* events, const Position& warehouse_at,
         std::optional<std::int64_t>* first_kept, std::function<void()> require_alone);

  // `differences` of a relation of the warehouse; or of kIndexPosts, where the log does not know all events any more:
  // then the sets of posts are made again whose rows say the same of events as the index does, and the others are
  // believed.
  Status Mend(Relation relation, const std::vector<Difference>& differences);

 private:
  Status MendState(Relation relation, const std::vector<Difference>& differences);
  Status MendEvents(const std::vector<Difference>& differences);
  Status MendTotals(std::vector<Difference> differences);
  Status MendEventTotals(const std::vector<Difference>& differences);
  Status MendHours(const std::vector<Difference>& differences);
  Status MendInteractions(const std::vector<Difference>& differences);
  Status MendRefreshed(Relation relation, const std::vector<Difference>& differences);
  Status MendFollowGraph(const std::vector<Difference>& differences);
  Status MendUserFollows(const std::vector<Difference>& differences);

  // What the log cannot say of the counts is expected to be as it is.
  Status ExpectEventsAsFound(std::vector<Difference>* differences);
  // Deletes the rows whose key is among those of the differences, and leaves these keys put.
  Status DeleteKeys(Relation relation, const std::vector<Difference>& differences);
  // The sets of these posts, or of these pairs of people (who acted, on whose posts), are made once more.
  Status RemakeSetsOfPosts(const std::set<std::string>& posts);
  Status RemakeSetsOfPeople(const std::set<std::string>& pairs);
  // Inserts rows of a table into itself where `condition` holds: its views take them in once more.
  Status InsertAgain(std::string_view table, const std::string& condition);
  // Lands what the change log still says of the rows that are asked for.
  Status LandLogged(const std::function<bool(const Row& row)>& is_wanted);
  // And of events.
  Status LandLoggedEvents(const std::function<bool(const Event& event)>& is_wanted);
  // Where the rows do not make up for what a difference misses, the log has forgotten them: the rest comes as tokens.
  Status LandForgotten(Relation relation, const std::vector<Difference>& differences);
  Status Refresh();

  Status Land(const LandingLine& line);
  Status FlushLanding();
  bool KeepsChangesBehind(std::int64_t sequence);
  std::int64_t FirstKeptChange();
  std::int64_t FirstReadable(std::int64_t low);
  std::int64_t ReadThrough(std::int64_t at);
  Status Execute(const std::string& sql, const OlapParams& params = {});

  Olap* const olap_;
  WarehouseFacts* const facts_;
  ChangeFeed* const changes_;
  EventLog* const events_;
  const Position warehouse_at_;
  std::optional<std::int64_t>* const first_kept_;
  const std::function<void()> require_alone_;
  LandingBatch landing_;
};

}  // namespace novafeed
