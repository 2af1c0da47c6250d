// What can be done to the graph, and the rules that hold (contract, section 2): functions over one open transaction.
// A command that fails has changed nothing. Called inside GraphStore::Write, on a writer thread; StoreError passes
// through. Repeating a command that succeeded succeeds again and changes nothing, so callers may retry.
//
// 404 codes everywhere: "unknown_user", "unknown_post" (also a deleted one, where a live one is needed),
// "unknown_comment".
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/result.h"
#include "graph/store.h"
#include "social/entities.h"

namespace novafeed {

// On whose behalf: a person (who may only touch what is theirs), or the platform itself (service or admin, no person).
using Actor = std::optional<UserId>;

// --- Users. Codes: "bad_handle", "bad_name" (422); "handle_taken", "id_conflict", "id_retired" (409).
struct NewUser {
  std::optional<ParsedId>
      id;              // chosen by the platform; a known id with the same handle and name is the same user again
  std::string handle;  // 1..64 printable code points
  std::string name;    // 0..200 code points
};
Result<User> CreateUser(GraphTransaction& tx, const NewUser& request);
// The user is gone with this: from answers, with their handle; the id is never accepted again. What they wrote is left
// to RemoveErased, and every trace of the id to the purge. Erasing again is success.
Status EraseUser(GraphTransaction& tx, UserId user);
// How much of it the product removes in one transaction: some milliseconds of the writer.
inline constexpr std::size_t kErasedAtOnce = 200;
// Removes up to `limit` (> 0) of an erased user's posts (soft, text blanked), comments, likes, follows and dismissals
// (both in both directions), as deletes; the ids of the comments are never accepted again. True once nothing of theirs
// is left; also for somebody who is not being erased.
bool RemoveErased(GraphTransaction& tx, UserId user, std::size_t limit);

// --- Posts. Codes: "bad_text" (422), "not_yours" (403), "id_conflict" (409: the id is known with another body),
// "id_retired" (409: the post was deleted).
struct NewPost {
  std::optional<ParsedId> id;  // a known id with the same author and text is the same post again
  UserId author;
  std::string text;  // 1..10,000 code points
};
Result<Post> CreatePost(GraphTransaction& tx, const NewPost& request);
Result<Post> EditPost(GraphTransaction& tx, const Actor& actor, PostId post, const std::string& text);
// Success for a post that is deleted already, 404 for one that never was.
Status DeletePost(GraphTransaction& tx, const Actor& actor, PostId post);

// --- Comments. A post's author may delete comments under it. On a deleted post: new ones 404, deletions work.
// Codes as for posts. Deleting again is success.
struct NewComment {
  std::optional<ParsedId> id;  // a known id with the same post, user and text is the same comment again
  PostId post;
  UserId user;
  std::string text;
};
Result<Comment> CreateComment(GraphTransaction& tx, const NewComment& request);
Status DeleteComment(GraphTransaction& tx, const Actor& actor, CommentId comment);

// --- Likes and follows: idempotent. What is there keeps its first time; after a removal it is a new row, with a new
// incarnation. `at` only dates the row: the order of the calls decides. Users and posts must be known; a like needs a
// post that is not deleted, an unlike does not.
Status PutLike(GraphTransaction& tx, UserId user, PostId post, TimeMs at);
Status RemoveLike(GraphTransaction& tx, UserId user, PostId post);
Status PutFollow(GraphTransaction& tx, UserId follower, UserId followee, TimeMs at);  // "self_follow" (422)
Status RemoveFollow(GraphTransaction& tx, UserId follower, UserId followee);

// The user does not want this one suggested again; for good. Doing it again is success. Both must be known.
// "self_dismissal" (422).
Status DismissSuggestion(GraphTransaction& tx, UserId user, UserId dismissed);

// A like or unlike that came as an event: the same write, dated event.at, once for each identity; a copy, completed
// with the post's author and time, goes to the outbox. Value: true where the identity was new; a known one is false
// whatever became of its user and post since. On a deleted post a new like is 404 "unknown_post", an unlike works.
// Other event types are a bug of the caller (std::logic_error).
Result<bool> ApplyLikeEvent(GraphTransaction& tx, const Event& event);

}  // namespace novafeed
