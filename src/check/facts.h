// What the truth (graph and event log) says in each relation: one row or event after the other, as facts.
#pragma once

#include <cstdint>
#include <limits>

#include "base/time.h"
#include "capture/change.h"
#include "check/ledger.h"
#include "check/relations.h"
#include "social/entities.h"
#include "stream/event_log.h"

namespace novafeed {

// What the event log still tells. What it has forgotten is in its totals, or nowhere (in a log that several processes
// share).
struct HeldEvents {
  TimeMs from = 0;     // events dated before may be gone
  bool totals = true;  // it knows the totals of those that are gone
};

// From where on relations with a window are compared; what lies before may be there or not.
struct FactWindows {
  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::min();
  TimeMs events_from = kNone;      // kEvents: events dated then or later
  std::int64_t hour_from = kNone;  // kIndexHours
  std::int64_t day_from = kNone;   // kInteractions, kIndexInteractions
  TimeMs content_from = kNone;     // kIndexPosts: posts created after it have their content compared
  bool event_totals = true;        // kPostTotals, kIndexPosts: whether what is counted of events is compared
  bool state_totals = true;        // kIndexPosts: and whether all else is
};

// The digests of rows: equal to those that sql/check_found_*.sql compute.
std::uint64_t DigestOf(const User& user);
std::uint64_t DigestOf(const Post& post);
std::uint64_t DigestOf(const Comment& comment);
std::uint64_t DigestOf(const Like& like);
std::uint64_t DigestOf(const Follow& follow);
std::uint64_t DigestOf(const LoggedEvent& logged);
// What the index keeps of a post's row: author, time, and its content where that is held.
std::uint64_t DigestOfIndexed(UserId author, TimeMs created_at);
std::uint64_t DigestOfContent(std::string_view external_id, std::string_view text);

FactKey KeyOfEvent(const Event& event);
// The key of a row in its own relation (kUsers to kFollows), and that relation.
FactKey KeyOfRow(const Row& row);
Relation RelationOf(const Row& row);

// Whether a column counts events over all time; and the values without those that do.
bool IsEventTotal(Relation relation, std::size_t column);
Values WithoutEventTotals(Relation relation, Values values);

// Gives the facts of the wanted relations to a sink. For one thread.
class FactWriter {
 public:
  // `sink` outlives the writer.
  FactWriter(RelationSet wanted, FactWindows windows, FactSink* sink)
      : wanted_(wanted), windows_(windows), sink_(sink) {}

  // A row that is there; sign -1: that is not there any more.
  void AddRow(const Row& row, int sign);
  void AddEvent(const LoggedEvent& logged);
  void AddForgotten(const ForgottenTotals& totals);
  void AddForgotten(const InteractionCount& interactions);

 private:
  void Add(const User& user, int sign);
  void Add(const Post& post, int sign);
  void Add(const Comment& comment, int sign);
  void Add(const Like& like, int sign);
  void Add(const Follow& follow, int sign);

  // An action on a post: a count in its totals, in its hour, and between two people.
  struct Action {
    UserId user;
    PostId post;
    UserId post_author;
    TimeMs post_created_at = 0;
    TimeMs at = 0;
    std::size_t column = 0;  // of its count
  };
  void Count(const Action& action, int sign);
  void CountTotal(const ForgottenTotals& post, const Values& counts, int sign);
  void CountInteraction(UserId user, UserId author, std::int64_t day, std::int64_t count, int sign);
  bool Wants(Relation relation) const { return wanted_.test(NumberOf(relation)); }
  void Give(Relation relation, const FactKey& key, const Values& values, int sign);

  const RelationSet wanted_;
  const FactWindows windows_;
  FactSink* const sink_;
};

}  // namespace novafeed
