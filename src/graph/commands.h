// What can be done to the graph, and the rules that hold (contract, section 2): functions over one open transaction.
// A command that fails has changed nothing. Called inside GraphStore::Write, on the writer thread.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "graph/store.h"
#include "social/entities.h"

namespace novafeed {

// On whose behalf: a person (who may only touch what is theirs), or the platform itself (service or admin, no person).
using Actor = std::optional<UserId>;

// --- Users. Codes: "bad_handle", "bad_name" (422); "handle_taken", "id_conflict", "id_retired" (409); "unknown_user".
struct NewUser {
  std::optional<ParsedId> id;  // chosen by the platform; a known id with the same handle and name is the same user again
  std::string handle;          // 1..64 printable code points
  std::string name;            // 0..200 code points
};
Result<User> CreateUser(GraphTransaction& tx, const NewUser& request);
// Their posts, comments, likes and follows go as deletes; the id is never accepted again.
Status EraseUser(GraphTransaction& tx, UserId user);

// --- Posts. Codes: "bad_text" (422), "unknown_user", "unknown_post" (404), "not_yours" (403), "id_conflict",
// "id_retired" (409; also a known id that was deleted).
struct NewPost {
  std::optional<ParsedId> id;
  UserId author;
  std::string text;  // 1..10,000 code points
};
Result<Post> CreatePost(GraphTransaction& tx, const NewPost& request);
Result<Post> EditPost(GraphTransaction& tx, const Actor& actor, PostId post, const std::string& text);
// Deleting again is 404 "unknown_post" for a post that never was, success for one already deleted (idempotent).
Status DeletePost(GraphTransaction& tx, const Actor& actor, PostId post);

// --- Comments. A post's author may delete comments under it. On a deleted post: new ones 404, deletions work.
struct NewComment {
  std::optional<ParsedId> id;
  PostId post;
  UserId user;
  std::string text;
};
Result<Comment> CreateComment(GraphTransaction& tx, const NewComment& request);
Status DeleteComment(GraphTransaction& tx, const Actor& actor, CommentId comment);

// --- Likes and follows: idempotent. A like while liked keeps its first time. `at` dates the row.
Status PutLike(GraphTransaction& tx, UserId user, PostId post, TimeMs at);
Status RemoveLike(GraphTransaction& tx, UserId user, PostId post);
Status PutFollow(GraphTransaction& tx, UserId follower, UserId followee, TimeMs at);  // "self_follow" (422)
Status RemoveFollow(GraphTransaction& tx, UserId follower, UserId followee);

// A like or unlike that came as an event: the same write, once for each identity; a copy goes to the outbox.
// Value: true where the identity was new. On a deleted post a like is 404 "unknown_post", an unlike works.
Result<bool> ApplyLikeEvent(GraphTransaction& tx, const Event& event);

}  // namespace novafeed
