#include "graph/commands.h"

#include <stdexcept>
#include <utility>

#include "social/validation.h"

namespace novafeed {
namespace {

tl::unexpected<Error> UnknownUser(UserId id) {
  return Fail(Failure::kNotFound, "unknown_user", "There is no user " + id.ToString() + "; check the user's id.");
}

tl::unexpected<Error> UnknownPost(PostId id) {
  return Fail(Failure::kNotFound, "unknown_post",
              "There is no post " + id.ToString() + ", or it was deleted; check the post's id.");
}

tl::unexpected<Error> UnknownComment(CommentId id) {
  return Fail(Failure::kNotFound, "unknown_comment",
              "There is no comment " + id.ToString() + "; check the comment's id.");
}

tl::unexpected<Error> NotYours(const std::string& what) {
  return Fail(Failure::kForbidden, "not_yours",
              "This " + what +
                  "; use a token of a person who may, or, with a service token, name that person in "
                  "Novafeed-User, or nobody.");
}

// As it was written; only chosen ids are known or retired.
std::string Written(const std::optional<ParsedId>& chosen) {
  if (!chosen) return "";
  return chosen->external_id ? "ext:" + *chosen->external_id : chosen->id.ToString();
}

tl::unexpected<Error> IdConflict(const std::string& kind, const std::optional<ParsedId>& chosen) {
  return Fail(Failure::kConflict, "id_conflict",
              "The " + kind + " " + Written(chosen) + " exists with other content; choose another id.");
}

tl::unexpected<Error> IdRetired(const std::string& kind, const std::optional<ParsedId>& chosen) {
  return Fail(Failure::kConflict, "id_retired",
              "The " + kind + " " + Written(chosen) + " was deleted, and its id is not used again; choose another id.");
}

// The id that the platform chose, or a new one.
Uuid ChooseId(const GraphTransaction& tx, const std::optional<ParsedId>& chosen) {
  return chosen ? chosen->id : NewUuid(tx.Now());
}

std::optional<std::string> ExternalIdOf(const std::optional<ParsedId>& chosen) {
  return chosen ? chosen->external_id : std::nullopt;
}

Status RequireUser(GraphTransaction& tx, UserId id) {
  if (!tx.FindUser(id)) return UnknownUser(id);
  return {};
}

// Of somebody who is to have something.
Status RequireAuthor(GraphTransaction& tx, UserId id) {
  if (tx.FindUser(id)) return {};
  return Fail(Failure::kNotFound, "unknown_user", "There is no user " + id.ToString() + "; create the user first.");
}

Result<Post> RequirePost(GraphTransaction& tx, PostId id) {
  std::optional<Post> post = tx.FindPost(id);
  if (!post) return UnknownPost(id);
  return *std::move(post);
}

Result<Post> RequireLivePost(GraphTransaction& tx, PostId id) {
  Result<Post> post = RequirePost(tx, id);
  if (post && post->deleted_at) return UnknownPost(id);
  return post;
}

bool MayChange(const Actor& actor, const Post& post) {
  return !actor || *actor == post.author;
}

bool MayDelete(const Actor& actor, const Comment& comment) {
  return !actor || *actor == comment.user || *actor == comment.post_author;
}

// Blanks the text: a deleted post says nothing any more.
void SoftDelete(GraphTransaction& tx, const Post& post) {
  Post deleted = post;
  deleted.text.clear();
  deleted.deleted_at = tx.Now();
  tx.UpdatePost(post, deleted);
}

void RemoveComment(GraphTransaction& tx, const Comment& comment) {
  tx.DeleteComment(comment);
  tx.Retire(RetiredKind::kComment, comment.id.value);
}

}  // namespace

Result<User> CreateUser(GraphTransaction& tx, const NewUser& request) {
  if (Status valid = ValidateHandle(request.handle); !valid) return tl::unexpected(valid.error());
  if (Status valid = ValidateName(request.name); !valid) return tl::unexpected(valid.error());

  User user;
  user.id = {ChooseId(tx, request.id)};
  if (std::optional<User> known = tx.FindUser(user.id)) {
    if (known->handle != request.handle || known->name != request.name) return IdConflict("user", request.id);
    return *std::move(known);
  }
  if (tx.IsRetired(RetiredKind::kUser, user.id.value)) return IdRetired("user", request.id);
  if (tx.FindUserByHandle(request.handle)) {
    return Fail(Failure::kConflict, "handle_taken", "Another user has this handle; choose another one.");
  }
  user.external_id = ExternalIdOf(request.id);
  user.handle = request.handle;
  user.name = request.name;
  user.created_at = tx.Now();
  tx.InsertUser(user);
  return user;
}

Status EraseUser(GraphTransaction& tx, UserId id) {
  const std::optional<User> user = tx.FindUser(id);
  if (!user) {
    if (tx.IsRetired(RetiredKind::kUser, id.value)) return {};
    return UnknownUser(id);
  }
  tx.DeleteUser(*user);
  tx.Retire(RetiredKind::kUser, id.value);
  // A version 7 id of the year 1970: no time in it tells when, or who.
  tx.PutErasure({id, UserId{NewUuid(0)}, tx.Now(), false});
  return {};
}

bool RemoveErased(GraphTransaction& tx, UserId id, std::size_t limit) {
  std::optional<Erasure> erasure = tx.FindErasure(id);
  if (!erasure || erasure->removed) return true;
  std::size_t left = limit;
  const auto take = [&left](const auto& rows, const auto& remove) {
    for (const auto& row : rows) remove(row);
    left -= rows.size();
  };
  take(tx.LivePostsOf(id, left), [&tx](const Post& post) { SoftDelete(tx, post); });
  take(tx.CommentsOf(id, left), [&tx](const Comment& comment) { RemoveComment(tx, comment); });
  take(tx.LikesOf(id, left), [&tx](const Like& like) { tx.DeleteLike(like); });
  take(tx.FollowsOf(id, left), [&tx](const Follow& follow) { tx.DeleteFollow(follow); });
  take(tx.DismissalsOf(id, left), [&tx](const Dismissal& dismissal) { tx.DeleteDismissal(dismissal); });
  if (left == 0) return false;
  erasure->removed = true;
  tx.PutErasure(*erasure);
  return true;
}

Result<Post> CreatePost(GraphTransaction& tx, const NewPost& request) {
  if (Status valid = ValidateText(request.text); !valid) return tl::unexpected(valid.error());
  if (Status known = RequireAuthor(tx, request.author); !known) return tl::unexpected(known.error());

  Post post;
  post.id = {ChooseId(tx, request.id)};
  if (std::optional<Post> known = tx.FindPost(post.id)) {
    if (known->deleted_at) return IdRetired("post", request.id);
    if (known->author != request.author || known->text != request.text) return IdConflict("post", request.id);
    return *std::move(known);
  }
  post.external_id = ExternalIdOf(request.id);
  post.author = request.author;
  post.text = request.text;
  post.created_at = tx.Now();
  tx.InsertPost(post);
  return post;
}

Result<Post> EditPost(GraphTransaction& tx, const Actor& actor, PostId id, const std::string& text) {
  if (Status valid = ValidateText(text); !valid) return tl::unexpected(valid.error());
  Result<Post> post = RequireLivePost(tx, id);
  if (!post) return post;
  if (!MayChange(actor, *post)) return NotYours("post is another person's");
  if (post->text == text) return post;
  Post edited = *post;
  edited.text = text;
  tx.UpdatePost(*post, edited);
  return edited;
}

Status DeletePost(GraphTransaction& tx, const Actor& actor, PostId id) {
  const Result<Post> post = RequirePost(tx, id);
  if (!post) return tl::unexpected(post.error());
  if (!MayChange(actor, *post)) return NotYours("post is another person's");
  if (!post->deleted_at) SoftDelete(tx, *post);
  return {};
}

Result<Comment> CreateComment(GraphTransaction& tx, const NewComment& request) {
  if (Status valid = ValidateText(request.text); !valid) return tl::unexpected(valid.error());
  if (Status known = RequireAuthor(tx, request.user); !known) return tl::unexpected(known.error());
  const Result<Post> post = RequireLivePost(tx, request.post);
  if (!post) return tl::unexpected(post.error());

  Comment comment;
  comment.id = {ChooseId(tx, request.id)};
  if (std::optional<Comment> known = tx.FindComment(comment.id)) {
    const bool same = known->post == request.post && known->user == request.user && known->text == request.text;
    if (!same) return IdConflict("comment", request.id);
    return *std::move(known);
  }
  if (tx.IsRetired(RetiredKind::kComment, comment.id.value)) return IdRetired("comment", request.id);
  comment.external_id = ExternalIdOf(request.id);
  comment.post = post->id;
  comment.user = request.user;
  comment.post_author = post->author;
  comment.post_created_at = post->created_at;
  comment.text = request.text;
  comment.created_at = tx.Now();
  return tx.InsertComment(std::move(comment));
}

Status DeleteComment(GraphTransaction& tx, const Actor& actor, CommentId id) {
  const std::optional<Comment> comment = tx.FindComment(id);
  if (!comment) {
    if (tx.IsRetired(RetiredKind::kComment, id.value)) return {};
    return UnknownComment(id);
  }
  if (!MayDelete(actor, *comment)) return NotYours("comment is another person's, under another person's post");
  RemoveComment(tx, *comment);
  return {};
}

Status PutLike(GraphTransaction& tx, UserId user, PostId id, TimeMs at) {
  if (Status known = RequireAuthor(tx, user); !known) return known;
  const Result<Post> post = RequireLivePost(tx, id);
  if (!post) return tl::unexpected(post.error());
  if (tx.FindLike(user, id)) return {};
  Like like;
  like.user = user;
  like.post = id;
  like.post_author = post->author;
  like.post_created_at = post->created_at;
  like.created_at = at;
  tx.InsertLike(like);
  return {};
}

Status RemoveLike(GraphTransaction& tx, UserId user, PostId id) {
  if (Status known = RequireUser(tx, user); !known) return known;
  if (const Result<Post> post = RequirePost(tx, id); !post) return tl::unexpected(post.error());
  if (const std::optional<Like> like = tx.FindLike(user, id)) tx.DeleteLike(*like);
  return {};
}

Status PutFollow(GraphTransaction& tx, UserId follower, UserId followee, TimeMs at) {
  if (follower == followee) {
    return Fail(Failure::kUnprocessable, "self_follow", "Nobody follows themselves; name another user.");
  }
  if (Status known = RequireAuthor(tx, follower); !known) return known;
  if (Status known = RequireUser(tx, followee); !known) return known;
  if (tx.FindFollow(follower, followee)) return {};
  Follow follow;
  follow.follower = follower;
  follow.followee = followee;
  follow.created_at = at;
  tx.InsertFollow(follow);
  return {};
}

Status RemoveFollow(GraphTransaction& tx, UserId follower, UserId followee) {
  if (Status known = RequireUser(tx, follower); !known) return known;
  if (Status known = RequireUser(tx, followee); !known) return known;
  if (const std::optional<Follow> follow = tx.FindFollow(follower, followee)) tx.DeleteFollow(*follow);
  return {};
}

Status DismissSuggestion(GraphTransaction& tx, UserId user, UserId dismissed) {
  if (user == dismissed) {
    return Fail(Failure::kUnprocessable, "self_dismissal", "Nobody is suggested to themselves; name another user.");
  }
  if (Status known = RequireUser(tx, user); !known) return known;
  if (Status known = RequireUser(tx, dismissed); !known) return known;
  tx.PutDismissal({user, dismissed, tx.Now()});
  return {};
}

Result<bool> ApplyLikeEvent(GraphTransaction& tx, const Event& event) {
  const bool is_like = event.type == EventType::kLike;
  if (!is_like && event.type != EventType::kUnlike) throw std::logic_error("ApplyLikeEvent takes likes and unlikes");
  if (tx.KnowsEvent(event)) return false;
  const Status written =
      is_like ? PutLike(tx, event.user, event.post, event.at) : RemoveLike(tx, event.user, event.post);
  if (!written) return tl::unexpected(written.error());

  tx.RememberEvent(event);
  const Post post = tx.FindPost(event.post).value();  // the write has found it
  Event copy = event;
  copy.post_author = post.author;
  copy.post_created_at = post.created_at;
  tx.AddToOutbox(copy);
  return true;
}

}  // namespace novafeed
