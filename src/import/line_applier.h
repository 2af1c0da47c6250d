// What an import line does to the graph (contract, section 3). Unlike the commands of the API: dated by the line, users
// come into being by being named, and a deleted post can still be liked and commented on.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "graph/store.h"
#include "import/batch.h"

namespace novafeed {

// What an event carries of its post. Never changes.
struct PostFacts {
  UserId author;
  TimeMs created_at = 0;
};

// Rows that are known to be committed, to ask the store less often. Only where nobody else writes: users can be erased.
class KnownRows {
 public:
  void Add(const KnownRows& other);
  void Add(UserId user) { users_.insert(user); }
  void Add(PostId post, const PostFacts& facts) { posts_.insert_or_assign(post, facts); }
  bool Has(UserId user) const { return users_.contains(user); }
  const PostFacts* Find(PostId post) const;

 private:
  boost::unordered_flat_set<UserId, StrongIdHash<UserId>> users_;
  boost::unordered_flat_map<PostId, PostFacts, StrongIdHash<PostId>> posts_;
};

// One batch in one transaction, on the store's writer thread. A line that is bad changes nothing.
class LineApplier {
 public:
  // Both outlive this.
  LineApplier(GraphTransaction* transaction, const KnownRows* known, TimeMs shift);

  // Errors are what makes the line bad: its own, "unknown_post", "unknown_comment", "post_deleted",
  // "bad_time"; "retired": it is by or about a user who was erased.
  Result<Outcome> Apply(const ImportLine& line);

  // Makes the event of a line whose rows are in the graph already; nothing for other lines, and of erased users.
  void Replay(const ImportLine& line);

  // What the last line did beside what it asks for.
  struct SideEffects {
    std::int64_t users_by_mention = 0;
    std::vector<std::string> numbered_handles;  // a sentence about each that was taken, to go on from "line 7 "
  };
  const SideEffects& side_effects() const { return side_effects_; }

  // Of all lines so far, in their order.
  std::vector<Event> TakeEvents() { return std::move(events_); }
  // What the transaction holds once it is committed.
  KnownRows TakeLearned() { return std::move(learned_); }

 private:
  enum class Presence { kHere, kMissing, kErased };

  Result<Outcome> Do(const UserLine& line);
  Result<Outcome> Do(const PostLine& line);
  Result<Outcome> Do(const EditPostLine& line);
  Result<Outcome> Do(const DeletePostLine& line);
  Result<Outcome> Do(const FollowLine& line);
  Result<Outcome> Do(const LikeLine& line);
  Result<Outcome> Do(const CommentLine& line);
  Result<Outcome> Do(const DeleteCommentLine& line);
  Result<Outcome> Do(const EventLine& line);

  Outcome Unfollow(UserId user, UserId target);
  Outcome Unlike(UserId user, PostId post);

  Outcome FillInUser(const User& user, const UserLine& line);
  Presence PresenceOf(UserId user);
  void EnsureUser(const ParsedId& id, Presence presence);
  void InsertUser(const ParsedId& id, std::string handle, std::string name);
  bool HasOnlyId(UserId user);
  void SetHasOnlyId(UserId user, bool only_id);
  bool Suits(const std::string& handle, const std::string& wanted);
  bool IsTaken(const std::string& handle);
  std::string FreeHandle(const std::string& wanted);

  std::optional<PostFacts> FindPost(PostId post);
  Event MakeEvent(const EventLine& line, const PostFacts& post) const;

  GraphTransaction* tx_;
  const KnownRows* known_;
  TimeMs shift_;
  TimeMs at_ = 0;     // of the line at hand, shifted
  EventId event_id_;  // of the line at hand
  SideEffects side_effects_;
  KnownRows learned_;
  std::vector<Event> events_;
};

}  // namespace novafeed
