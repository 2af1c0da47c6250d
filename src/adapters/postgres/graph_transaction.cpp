#include "adapters/postgres/graph_transaction.h"

#include "adapters/postgres/columns.h"
#include "adapters/postgres/errors.h"
#include "graph/retired.h"

namespace novafeed::postgres {
namespace {

constexpr Statement kBegin = {"beginning a transaction", "BEGIN ISOLATION LEVEL READ COMMITTED"};
constexpr Statement kCommit = {"committing", "COMMIT"};
constexpr Statement kPosition = {"reading the end of the log",
                                 "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint"};

constexpr Statement kHoldUser = {"finding a user",
                                 "SELECT " NOVAFEED_USER_COLUMNS " FROM users WHERE id = $1 FOR KEY SHARE"};
constexpr Statement kInsertUser = {"inserting a user",
                                   "INSERT INTO users (id, external_id, handle, name, created_at) "
                                   "VALUES ($1, $2, $3, $4, $5)"};
constexpr Statement kUpdateUser = {
    "updating a user",
    "UPDATE users SET external_id = $2, handle = $3, name = $4, created_at = $5 "
    "WHERE id = $1 AND external_id IS NOT DISTINCT FROM $6 AND handle = $7 AND name = $8 AND created_at = $9"};
constexpr Statement kDeleteUser = {"deleting a user", "DELETE FROM users WHERE id = $1"};

constexpr Statement kInsertPost = {"inserting a post",
                                   "INSERT INTO posts (" NOVAFEED_POST_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6)"};
constexpr Statement kUpdatePost = {"updating a post",
                                   "UPDATE posts SET text = $2, deleted_at = $3 "
                                   "WHERE id = $1 AND text = $4 AND deleted_at IS NOT DISTINCT FROM $5"};

constexpr Statement kInsertComment = {
    "inserting a comment",
    "INSERT INTO comments (id, external_id, post_id, user_id, post_author_id, post_created_at, text, created_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING incarnation"};
constexpr Statement kDeleteComment = {"deleting a comment", "DELETE FROM comments WHERE id = $1 AND incarnation = $2"};

constexpr Statement kInsertLike = {"inserting a like",
                                   "INSERT INTO likes (user_id, post_id, post_author_id, post_created_at, created_at) "
                                   "VALUES ($1, $2, $3, $4, $5) RETURNING incarnation"};
constexpr Statement kDeleteLike = {"deleting a like",
                                   "DELETE FROM likes WHERE user_id = $1 AND post_id = $2 AND incarnation = $3"};

constexpr Statement kInsertFollow = {"inserting a follow",
                                     "INSERT INTO follows (follower_id, following_id, created_at) VALUES ($1, $2, $3) "
                                     "RETURNING incarnation"};
constexpr Statement kDeleteFollow = {
    "deleting a follow", "DELETE FROM follows WHERE follower_id = $1 AND following_id = $2 AND incarnation = $3"};

constexpr Statement kPutDismissal = {"dismissing a suggestion", "INSERT INTO dismissals (" NOVAFEED_DISMISSAL_COLUMNS
                                                                ") VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"};
constexpr Statement kDeleteDismissal = {"forgetting a dismissal",
                                        "DELETE FROM dismissals WHERE user_id = $1 AND dismissed_id = $2"};

constexpr Statement kRetire = {"retiring an id",
                               "INSERT INTO retired_ids (kind, digest) VALUES ($1, $2) ON CONFLICT DO NOTHING"};
constexpr Statement kPutErasure = {"noting an erasure",
                                   "INSERT INTO erasures (" NOVAFEED_ERASURE_COLUMNS
                                   ") VALUES ($1, $2, $3, $4) "
                                   "ON CONFLICT (user_id) DO UPDATE SET removed = excluded.removed"};

constexpr Statement kRememberEvent = {
    "remembering an event", "INSERT INTO event_identities (at, digest) VALUES ($1, $2) ON CONFLICT DO NOTHING"};
constexpr Statement kAddToOutbox = {
    "adding to the outbox", "INSERT INTO outbox (" NOVAFEED_EVENT_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7)"};

// Of advisory locks on facts; the second number is the key's hash, so two keys may share one, and wait a little.
constexpr Statement kHoldFact = {"holding a fact", "SELECT pg_advisory_xact_lock(1316373857, hashtext($1))"};
constexpr Statement kSetFact = {
    "setting a fact",
    "INSERT INTO facts (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value"};

std::int64_t IncarnationIn(Rows rows) {
  rows.Next();
  return rows.Int(0);
}

}  // namespace

PostgresTransaction::PostgresTransaction(Connection* connection, TimeMs now)
    : connection_(connection), reader_(connection), now_(now) {
  connection_->Queue(kBegin, Expect::kAnything);
}

std::int64_t PostgresTransaction::Commit() {
  connection_->Finish();  // a Conflict must be known before the commit is sent
  try {
    connection_->Queue(kCommit, Expect::kAnything);
    Rows rows = connection_->Execute(kPosition);
    rows.Next();
    return rows.Int(0);
  } catch (const Conflict&) {
    throw;
  } catch (const StoreError& error) {
    const std::string unknown = "It is not known whether this was written; send it again, as it was. ";
    throw StoreError(
        Error{Failure::kUnavailable, "commit_unknown", unknown + error.error().detail, error.error().retry_after_ms},
        unknown + error.what());
  }
}

std::optional<User> PostgresTransaction::FindUser(UserId id) {
  Rows rows = connection_->Execute(kHoldUser, id);
  return rows.Next() ? std::optional(ReadUser(rows)) : std::nullopt;
}

void PostgresTransaction::InsertUser(const User& user) {
  connection_->Queue(kInsertUser, Expect::kOneRow, user.id, user.external_id, user.handle, user.name,
                     Instant{user.created_at});
  RequireNotRetired(RetiredKind::kUser, user.id.value);
}

void PostgresTransaction::UpdateUser(const User& before, const User& after) {
  connection_->Queue(kUpdateUser, Expect::kOneRow, before.id, after.external_id, after.handle, after.name,
                     Instant{after.created_at}, before.external_id, before.handle, before.name,
                     Instant{before.created_at});
}

void PostgresTransaction::DeleteUser(const User& user) {
  connection_->Queue(kDeleteUser, Expect::kOneRow, user.id);
}

void PostgresTransaction::InsertPost(const Post& post) {
  const auto deleted_at = post.deleted_at ? std::optional(Instant{*post.deleted_at}) : std::nullopt;
  connection_->Queue(kInsertPost, Expect::kOneRow, post.id, post.external_id, post.author, post.text,
                     Instant{post.created_at}, deleted_at);
}

void PostgresTransaction::UpdatePost(const Post& before, const Post& after) {
  const auto instant = [](const std::optional<TimeMs>& at) { return at ? std::optional(Instant{*at}) : std::nullopt; };
  connection_->Queue(kUpdatePost, Expect::kOneRow, before.id, after.text, instant(after.deleted_at), before.text,
                     instant(before.deleted_at));
}

Comment PostgresTransaction::InsertComment(Comment comment) {
  comment.incarnation = IncarnationIn(connection_->Execute(
      kInsertComment, comment.id, comment.external_id, comment.post, comment.user, comment.post_author,
      Instant{comment.post_created_at}, comment.text, Instant{comment.created_at}));
  RequireNotRetired(RetiredKind::kComment, comment.id.value);
  return comment;
}

void PostgresTransaction::DeleteComment(const Comment& comment) {
  connection_->Queue(kDeleteComment, Expect::kOneRow, comment.id, comment.incarnation);
}

Like PostgresTransaction::InsertLike(Like like) {
  like.incarnation = IncarnationIn(connection_->Execute(kInsertLike, like.user, like.post, like.post_author,
                                                        Instant{like.post_created_at}, Instant{like.created_at}));
  return like;
}

void PostgresTransaction::DeleteLike(const Like& like) {
  connection_->Queue(kDeleteLike, Expect::kOneRow, like.user, like.post, like.incarnation);
}

Follow PostgresTransaction::InsertFollow(Follow follow) {
  follow.incarnation =
      IncarnationIn(connection_->Execute(kInsertFollow, follow.follower, follow.followee, Instant{follow.created_at}));
  return follow;
}

void PostgresTransaction::DeleteFollow(const Follow& follow) {
  connection_->Queue(kDeleteFollow, Expect::kOneRow, follow.follower, follow.followee, follow.incarnation);
}

void PostgresTransaction::PutDismissal(const Dismissal& dismissal) {
  connection_->Queue(kPutDismissal, Expect::kAnything, dismissal.user, dismissal.dismissed,
                     Instant{dismissal.created_at});
}

void PostgresTransaction::DeleteDismissal(const Dismissal& dismissal) {
  connection_->Queue(kDeleteDismissal, Expect::kOneRow, dismissal.user, dismissal.dismissed);
}

void PostgresTransaction::Retire(RetiredKind kind, Uuid id) {
  connection_->Queue(kRetire, Expect::kAnything, static_cast<std::int16_t>(kind), RetiredDigest(kind, id));
}

// After the insert, whose unique key has waited for whoever deleted that id and retired it: from then on nobody can.
void PostgresTransaction::RequireNotRetired(RetiredKind kind, const Uuid& id) {
  if (reader_.IsRetired(kind, id)) throw Conflict("an id was retired");
}

void PostgresTransaction::PutErasure(const Erasure& erasure) {
  connection_->Queue(kPutErasure, Expect::kAnything, erasure.user, erasure.pseudonym, Instant{erasure.erased_at},
                     erasure.removed);
}

bool PostgresTransaction::KnowsEvent(const Event& event) {
  const bool is_known = reader_.KnowsEvent(event);
  if (!is_known) unknown_events_.insert(EventIdentity(event));
  return is_known;
}

bool PostgresTransaction::RememberEvent(const Event& event) {
  const Uuid identity = EventIdentity(event);
  const bool was_unknown = unknown_events_.erase(identity) > 0;
  const bool is_new = connection_->Execute(kRememberEvent, Instant{event.at}, identity).affected() == 1;
  if (was_unknown && !is_new) throw Conflict("an event was remembered");
  return is_new;
}

void PostgresTransaction::AddToOutbox(const Event& event) {
  connection_->Queue(kAddToOutbox, Expect::kOneRow, event.user, static_cast<std::int16_t>(event.type), event.post,
                     Instant{event.at}, event.event_id, event.post_author, Instant{event.post_created_at});
}

// Two statements, so that the value is read after the lock is held.
std::optional<std::string> PostgresTransaction::GetFact(std::string_view key) {
  connection_->Queue(kHoldFact, Expect::kAnything, key);
  return reader_.GetFact(key);
}

void PostgresTransaction::SetFact(std::string_view key, std::string_view value) {
  connection_->Queue(kSetFact, Expect::kAnything, key, Bytes{value});
}

}  // namespace novafeed::postgres
