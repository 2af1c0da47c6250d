#include "adapters/sqlite/graph_transaction.h"

#include <stdexcept>

#include "adapters/sqlite/event_columns.h"
#include "adapters/sqlite/row_codec.h"
#include "graph/retired.h"

namespace novafeed::sqlite {
namespace {

// Callers name rows that they have just read, so a miss is a bug of theirs; the work is rolled back.
void ExpectOneRow(std::int64_t changed, const char* what) {
  if (changed != 1) {
    throw std::logic_error(std::string(what) + " is not there to be changed");
  }
}

}  // namespace

SqliteGraphTransaction::SqliteGraphTransaction(Database& database)
    : reader_(database),
      insert_user_(database, "inserting a user",
                   "INSERT INTO users (id, external_id, handle, name, created_at) VALUES (?, ?, ?, ?, ?)"),
      update_user_(database, "updating a user",
                   "UPDATE users SET external_id = ?2, handle = ?3, name = ?4, created_at = ?5 WHERE id = ?1"),
      delete_user_(database, "deleting a user", "DELETE FROM users WHERE id = ?"),
      insert_post_(database, "inserting a post",
                   "INSERT INTO posts (id, external_id, author, text, created_at, deleted_at) "
                   "VALUES (?, ?, ?, ?, ?, ?)"),
      update_post_(database, "updating a post", "UPDATE posts SET text = ?2, deleted_at = ?3 WHERE id = ?1"),
      insert_comment_(database, "inserting a comment",
                      "INSERT INTO comments (id, external_id, post, user, post_author, post_created_at, text, "
                      "created_at, incarnation) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      delete_comment_(database, "deleting a comment", "DELETE FROM comments WHERE id = ?"),
      insert_like_(database, "inserting a like",
                   "INSERT INTO likes (user, post, post_author, post_created_at, created_at, incarnation) "
                   "VALUES (?, ?, ?, ?, ?, ?)"),
      delete_like_(database, "deleting a like", "DELETE FROM likes WHERE user = ? AND post = ?"),
      insert_follow_(database, "inserting a follow",
                     "INSERT INTO follows (follower, followee, created_at, incarnation) VALUES (?, ?, ?, ?)"),
      delete_follow_(database, "deleting a follow", "DELETE FROM follows WHERE follower = ? AND followee = ?"),
      put_dismissal_(database, "dismissing a suggestion",
                     "INSERT INTO dismissals (user, dismissed, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"),
      delete_dismissal_(database, "forgetting a dismissal", "DELETE FROM dismissals WHERE user = ? AND dismissed = ?"),
      retire_(database, "retiring an id",
              "INSERT INTO retired_ids (kind, digest) VALUES (?, ?) ON CONFLICT DO NOTHING"),
      put_erasure_(database, "noting an erasure",
                   "INSERT INTO erasures (user, pseudonym, erased_at, removed) VALUES (?, ?, ?, ?) ON CONFLICT (user) "
                   "DO UPDATE SET removed = excluded.removed"),
      remember_event_(database, "remembering an event",
                      "INSERT INTO event_identities (at, digest) VALUES (?, ?) ON CONFLICT DO NOTHING"),
      add_to_outbox_(database, "adding to the outbox",
                     "INSERT INTO outbox (" NOVAFEED_EVENT_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?)"),
      clear_outbox_(database, "clearing the outbox", "DELETE FROM outbox WHERE sequence <= ?"),
      set_fact_(database, "setting a fact",
                "INSERT INTO facts (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"),
      insert_change_(database, "recording a change",
                     "INSERT INTO changes (sequence, work, committed_at, kind, op, before, after) "
                     "VALUES (?, ?, ?, ?, ?, ?, ?)"),
      oldest_changes_(database, "finding changes to forget",
                      "SELECT sequence, committed_at FROM changes ORDER BY sequence LIMIT ?"),
      forget_changes_(database, "forgetting changes", "DELETE FROM changes WHERE sequence <= ?"),
      set_forgotten_(database, "marking changes as forgotten", "UPDATE change_log SET forgotten_through = ?"),
      forget_events_(database, "forgetting events",
                     "DELETE FROM event_identities WHERE (at, digest) IN "
                     "(SELECT at, digest FROM event_identities WHERE at < ? ORDER BY at, digest LIMIT ?)") {}

void SqliteGraphTransaction::Start(TimeMs now, Sequence* sequence) {
  now_ = now;
  sequence_ = sequence;
  first_of_work_ = sequence->last() + 1;
}

template <class RowType>
void SqliteGraphTransaction::Record(std::int64_t sequence, ChangeOp op, const RowType* before, const RowType* after) {
  std::optional<Blob> before_blob;
  std::optional<Blob> after_blob;
  if (before != nullptr) {
    EncodeRow(*before, &before_bytes_);
    before_blob = Blob{before_bytes_};
  }
  if (after != nullptr) {
    EncodeRow(*after, &after_bytes_);
    after_blob = Blob{after_bytes_};
  }
  const RowKind kind = KindOf(before != nullptr ? *before : *after);
  insert_change_.Execute(sequence, first_of_work_, now_, static_cast<std::int64_t>(kind), static_cast<std::int64_t>(op),
                         before_blob, after_blob);
}

void SqliteGraphTransaction::InsertUser(const User& user) {
  insert_user_.Execute(user.id, user.external_id, user.handle, user.name, user.created_at);
  Record<User>(sequence_->Next(), ChangeOp::kCreate, nullptr, &user);
}

void SqliteGraphTransaction::UpdateUser(const User& before, const User& after) {
  ExpectOneRow(update_user_.Execute(before.id, after.external_id, after.handle, after.name, after.created_at),
               "A user");
  Record(sequence_->Next(), ChangeOp::kUpdate, &before, &after);
}

void SqliteGraphTransaction::DeleteUser(const User& user) {
  ExpectOneRow(delete_user_.Execute(user.id), "A user");
  Record<User>(sequence_->Next(), ChangeOp::kDelete, &user, nullptr);
}

void SqliteGraphTransaction::InsertPost(const Post& post) {
  insert_post_.Execute(post.id, post.external_id, post.author, post.text, post.created_at, post.deleted_at);
  Record<Post>(sequence_->Next(), ChangeOp::kCreate, nullptr, &post);
}

void SqliteGraphTransaction::UpdatePost(const Post& before, const Post& after) {
  ExpectOneRow(update_post_.Execute(before.id, after.text, after.deleted_at), "A post");
  Record(sequence_->Next(), ChangeOp::kUpdate, &before, &after);
}

Comment SqliteGraphTransaction::InsertComment(Comment comment) {
  comment.incarnation = sequence_->Next();
  insert_comment_.Execute(comment.id, comment.external_id, comment.post, comment.user, comment.post_author,
                          comment.post_created_at, comment.text, comment.created_at, comment.incarnation);
  Record<Comment>(comment.incarnation, ChangeOp::kCreate, nullptr, &comment);
  return comment;
}

void SqliteGraphTransaction::DeleteComment(const Comment& comment) {
  ExpectOneRow(delete_comment_.Execute(comment.id), "A comment");
  Record<Comment>(sequence_->Next(), ChangeOp::kDelete, &comment, nullptr);
}

Like SqliteGraphTransaction::InsertLike(Like like) {
  like.incarnation = sequence_->Next();
  insert_like_.Execute(like.user, like.post, like.post_author, like.post_created_at, like.created_at, like.incarnation);
  Record<Like>(like.incarnation, ChangeOp::kCreate, nullptr, &like);
  return like;
}

void SqliteGraphTransaction::DeleteLike(const Like& like) {
  ExpectOneRow(delete_like_.Execute(like.user, like.post), "A like");
  Record<Like>(sequence_->Next(), ChangeOp::kDelete, &like, nullptr);
}

Follow SqliteGraphTransaction::InsertFollow(Follow follow) {
  follow.incarnation = sequence_->Next();
  insert_follow_.Execute(follow.follower, follow.followee, follow.created_at, follow.incarnation);
  Record<Follow>(follow.incarnation, ChangeOp::kCreate, nullptr, &follow);
  return follow;
}

void SqliteGraphTransaction::DeleteFollow(const Follow& follow) {
  ExpectOneRow(delete_follow_.Execute(follow.follower, follow.followee), "A follow");
  Record<Follow>(sequence_->Next(), ChangeOp::kDelete, &follow, nullptr);
}

void SqliteGraphTransaction::PutDismissal(const Dismissal& dismissal) {
  put_dismissal_.Execute(dismissal.user, dismissal.dismissed, dismissal.created_at);
}

void SqliteGraphTransaction::DeleteDismissal(const Dismissal& dismissal) {
  ExpectOneRow(delete_dismissal_.Execute(dismissal.user, dismissal.dismissed), "A dismissal");
}

void SqliteGraphTransaction::Retire(RetiredKind kind, Uuid id) {
  retire_.Execute(static_cast<std::int64_t>(kind), RetiredDigest(kind, id));
}

void SqliteGraphTransaction::PutErasure(const Erasure& erasure) {
  put_erasure_.Execute(erasure.user, erasure.pseudonym, erasure.erased_at, std::int64_t{erasure.removed});
}

bool SqliteGraphTransaction::RememberEvent(const Event& event) {
  return remember_event_.Execute(event.at, EventIdentity(event)) == 1;
}

void SqliteGraphTransaction::AddToOutbox(const Event& event) {
  InsertEvent(add_to_outbox_, event);
}

void SqliteGraphTransaction::SetFact(std::string_view key, std::string_view value) {
  set_fact_.Execute(key, Blob{value});
}

void SqliteGraphTransaction::ClearOutbox(std::int64_t up_to) {
  clear_outbox_.Execute(up_to);
}

std::int64_t SqliteGraphTransaction::ForgetChanges(TimeMs before, std::int64_t applied, std::int64_t limit) {
  std::int64_t forgotten = 0;
  std::int64_t through = 0;
  for (Rows rows = oldest_changes_.Query(limit); rows.Next() && rows.Int(0) <= applied && rows.Int(1) < before;) {
    through = rows.Int(0);
    ++forgotten;
  }
  if (forgotten > 0) {
    forget_changes_.Execute(through);
    set_forgotten_.Execute(through);
  }
  return forgotten;
}

std::int64_t SqliteGraphTransaction::ForgetEvents(TimeMs before, std::int64_t limit) {
  return forget_events_.Execute(before, limit);
}

}  // namespace novafeed::sqlite
