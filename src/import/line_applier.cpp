#include "import/line_applier.h"

#include <utility>

#include "import/handles.h"

namespace novafeed {
namespace {

// A user who came into being by being named, and waits for a `user` line. The value is "1"; "" once that came.
std::string OnlyIdKey(UserId user) {
  return "import/only_id/" + user.ToString();
}

tl::unexpected<Error> Unknown(const char* code, const std::string& thing, const ParsedId& id) {
  std::string detail = "No line before this one creates the " + thing + ": put its line first.";
  if (id.external_id && id.external_id->starts_with("ext:")) {
    detail += " An id in a file is the plain string: leave out the \"ext:\" of addresses.";
  }
  return Fail(Failure::kUnprocessable, code, std::move(detail));
}

tl::unexpected<Error> UnknownPost(const ParsedId& id) {
  return Unknown("unknown_post", "post", id);
}

tl::unexpected<Error> Retired(const ParsedId& user) {
  return Fail(Failure::kUnprocessable, "retired",
              "The user " + user.external_id.value_or(user.id.ToString()) +
                  " was erased, and nothing of theirs is taken in again: leave the line out.");
}

bool SameContent(const Post& post, const PostLine& line, TimeMs at) {
  return !post.deleted_at && post.author.value == line.author.id && post.created_at == at && post.text == line.text;
}

bool SameContent(const Comment& comment, const CommentLine& line, TimeMs at) {
  return comment.user.value == line.user.id && comment.post.value == line.post.id && comment.created_at == at &&
         comment.text == line.text;
}

bool SameContent(const User& user, const UserLine& line) {
  return (!line.handle || IsHandleFor(user.handle, *line.handle)) && (!line.name || user.name == *line.name);
}

}  // namespace

void KnownRows::Add(const KnownRows& other) {
  users_.insert(other.users_.begin(), other.users_.end());
  posts_.insert(other.posts_.begin(), other.posts_.end());
}

const PostFacts* KnownRows::Find(PostId post) const {
  const auto found = posts_.find(post);
  return found == posts_.end() ? nullptr : &found->second;
}

LineApplier::LineApplier(GraphTransaction* transaction, const KnownRows* known, TimeMs shift)
    : tx_(transaction), known_(known), shift_(shift) {}

Result<Outcome> LineApplier::Apply(const ImportLine& line) {
  side_effects_ = {};
  if (!line.action) return tl::unexpected<Error>(line.action.error());
  at_ = line.action->at + shift_;
  event_id_ = line.event_id;
  if (at_ < 0 || at_ >= kMaxTime) {
    return Fail(Failure::kUnprocessable, "bad_time", "The shift takes the time out of 1970 to 2100: leave it out.");
  }
  return std::visit([this](const auto& body) { return Do(body); }, line.action->body);
}

void LineApplier::Replay(const ImportLine& line) {
  if (!line.action) return;
  const auto* event = std::get_if<EventLine>(&line.action->body);
  if (event == nullptr || PresenceOf(UserId{event->user.id}) == Presence::kErased) return;
  at_ = line.action->at + shift_;
  event_id_ = line.event_id;
  if (const std::optional<PostFacts> post = FindPost(PostId{event->post.id})) {
    events_.push_back(MakeEvent(*event, *post));
  }
}

Result<Outcome> LineApplier::Do(const UserLine& line) {
  const UserId id{line.id.id};
  if (const std::optional<User> user = tx_->FindUser(id)) return FillInUser(*user, line);
  if (tx_->IsRetired(RetiredKind::kUser, id.value)) return Retired(line.id);
  InsertUser(line.id, line.handle.value_or(HandleFromId(line.id)), line.name.value_or(""));
  return Outcome::kApplied;
}

Outcome LineApplier::FillInUser(const User& user, const UserLine& line) {
  if (!HasOnlyId(user.id)) return SameContent(user, line) ? Outcome::kUnchanged : Outcome::kConflict;
  SetHasOnlyId(user.id, false);
  User filled = user;
  if (line.handle && !Suits(user.handle, *line.handle)) filled.handle = FreeHandle(*line.handle);
  filled.name = line.name.value_or("");
  if (filled != user) tx_->UpdateUser(user, filled);
  return Outcome::kApplied;
}

Result<Outcome> LineApplier::Do(const PostLine& line) {
  const PostId id{line.id.id};
  const UserId author{line.author.id};
  const Presence presence = PresenceOf(author);
  if (presence == Presence::kErased) return Retired(line.author);
  if (const std::optional<Post> post = tx_->FindPost(id)) {
    return SameContent(*post, line, at_) ? Outcome::kUnchanged : Outcome::kConflict;
  }
  EnsureUser(line.author, presence);
  tx_->InsertPost({id, line.id.external_id, author, line.text, at_, std::nullopt});
  learned_.Add(id, {author, at_});
  return Outcome::kApplied;
}

Result<Outcome> LineApplier::Do(const EditPostLine& line) {
  const std::optional<Post> post = tx_->FindPost(PostId{line.post.id});
  if (!post) return UnknownPost(line.post);
  if (post->deleted_at) {
    return Fail(Failure::kUnprocessable, "post_deleted", "A deleted post has no text to edit: leave the line out.");
  }
  if (post->text == line.text) return Outcome::kUnchanged;
  Post edited = *post;
  edited.text = line.text;
  tx_->UpdatePost(*post, edited);
  return Outcome::kApplied;
}

Result<Outcome> LineApplier::Do(const DeletePostLine& line) {
  const std::optional<Post> post = tx_->FindPost(PostId{line.post.id});
  if (!post) return UnknownPost(line.post);
  if (post->deleted_at) return Outcome::kUnchanged;
  Post deleted = *post;
  deleted.text.clear();
  deleted.deleted_at = at_;
  tx_->UpdatePost(*post, deleted);
  return Outcome::kApplied;
}

Result<Outcome> LineApplier::Do(const FollowLine& line) {
  const UserId user{line.user.id};
  const UserId target{line.target.id};
  if (line.undo) return Unfollow(user, target);
  const Presence user_presence = PresenceOf(user);
  const Presence target_presence = PresenceOf(target);
  if (user_presence == Presence::kErased) return Retired(line.user);
  if (target_presence == Presence::kErased) return Retired(line.target);
  if (tx_->FindFollow(user, target)) return Outcome::kUnchanged;
  EnsureUser(line.user, user_presence);
  EnsureUser(line.target, target_presence);
  tx_->InsertFollow({user, target, at_});
  return Outcome::kApplied;
}

Outcome LineApplier::Unfollow(UserId user, UserId target) {
  const std::optional<Follow> follow = tx_->FindFollow(user, target);
  if (!follow) return Outcome::kUnchanged;
  tx_->DeleteFollow(*follow);
  return Outcome::kApplied;
}

Result<Outcome> LineApplier::Do(const LikeLine& line) {
  const UserId user{line.user.id};
  const PostId id{line.post.id};
  const std::optional<PostFacts> post = FindPost(id);
  if (!post) return UnknownPost(line.post);
  if (line.undo) return Unlike(user, id);
  const Presence presence = PresenceOf(user);
  if (presence == Presence::kErased) return Retired(line.user);
  if (tx_->FindLike(user, id)) return Outcome::kUnchanged;
  EnsureUser(line.user, presence);
  tx_->InsertLike({user, id, post->author, post->created_at, at_});
  return Outcome::kApplied;
}

Outcome LineApplier::Unlike(UserId user, PostId post) {
  const std::optional<Like> like = tx_->FindLike(user, post);
  if (!like) return Outcome::kUnchanged;
  tx_->DeleteLike(*like);
  return Outcome::kApplied;
}

Result<Outcome> LineApplier::Do(const CommentLine& line) {
  const CommentId id{line.id.id};
  const PostId post_id{line.post.id};
  const UserId user{line.user.id};
  const std::optional<PostFacts> post = FindPost(post_id);
  if (!post) return UnknownPost(line.post);
  const Presence presence = PresenceOf(user);
  if (presence == Presence::kErased) return Retired(line.user);
  if (const std::optional<Comment> comment = tx_->FindComment(id)) {
    return SameContent(*comment, line, at_) ? Outcome::kUnchanged : Outcome::kConflict;
  }
  if (tx_->IsRetired(RetiredKind::kComment, id.value)) return Outcome::kConflict;
  EnsureUser(line.user, presence);
  tx_->InsertComment({id, line.id.external_id, post_id, user, post->author, post->created_at, line.text, at_});
  return Outcome::kApplied;
}

Result<Outcome> LineApplier::Do(const DeleteCommentLine& line) {
  const CommentId id{line.id.id};
  if (const std::optional<Comment> comment = tx_->FindComment(id)) {
    tx_->DeleteComment(*comment);
    tx_->Retire(RetiredKind::kComment, id.value);
    return Outcome::kApplied;
  }
  if (tx_->IsRetired(RetiredKind::kComment, id.value)) return Outcome::kUnchanged;
  return Unknown("unknown_comment", "comment", line.id);
}

Result<Outcome> LineApplier::Do(const EventLine& line) {
  const std::optional<PostFacts> post = FindPost(PostId{line.post.id});
  if (!post) return UnknownPost(line.post);
  const Presence presence = PresenceOf(UserId{line.user.id});
  if (presence == Presence::kErased) return Retired(line.user);
  EnsureUser(line.user, presence);
  events_.push_back(MakeEvent(line, *post));
  return Outcome::kApplied;
}

Event LineApplier::MakeEvent(const EventLine& line, const PostFacts& post) const {
  return {UserId{line.user.id}, line.type, PostId{line.post.id}, at_, event_id_, post.author, post.created_at};
}

std::optional<PostFacts> LineApplier::FindPost(PostId id) {
  if (const PostFacts* facts = known_->Find(id)) return *facts;
  if (const PostFacts* facts = learned_.Find(id)) return *facts;
  const std::optional<Post> post = tx_->FindPost(id);
  if (!post) return std::nullopt;
  const PostFacts facts{post->author, post->created_at};
  learned_.Add(id, facts);
  return facts;
}

LineApplier::Presence LineApplier::PresenceOf(UserId user) {
  if (known_->Has(user) || learned_.Has(user)) return Presence::kHere;
  if (tx_->FindUser(user)) {
    learned_.Add(user);
    return Presence::kHere;
  }
  return tx_->IsRetired(RetiredKind::kUser, user.value) ? Presence::kErased : Presence::kMissing;
}

// A user who is named before their own line: created with the id as handle, which that line then replaces.
void LineApplier::EnsureUser(const ParsedId& id, Presence presence) {
  if (presence == Presence::kHere) return;
  InsertUser(id, HandleFromId(id), "");
  SetHasOnlyId(UserId{id.id}, true);
  ++side_effects_.users_by_mention;
}

void LineApplier::InsertUser(const ParsedId& id, std::string handle, std::string name) {
  tx_->InsertUser({UserId{id.id}, id.external_id, FreeHandle(handle), std::move(name), at_});
  learned_.Add(UserId{id.id});
}

bool LineApplier::HasOnlyId(UserId user) {
  return tx_->GetFact(OnlyIdKey(user)) == "1";
}

void LineApplier::SetHasOnlyId(UserId user, bool only_id) {
  tx_->SetFact(OnlyIdKey(user), only_id ? "1" : "");
}

// Whether a user who wants the one handle may keep the other: the same, or its number, and the bare one is taken.
bool LineApplier::Suits(const std::string& handle, const std::string& wanted) {
  return handle == wanted || (IsHandleFor(handle, wanted) && IsTaken(wanted));
}

bool LineApplier::IsTaken(const std::string& handle) {
  return tx_->FindUserByHandle(handle).has_value();
}

std::string LineApplier::FreeHandle(const std::string& wanted) {
  std::string handle = NextFreeHandle(wanted, [this](const std::string& tried) { return IsTaken(tried); });
  if (handle != wanted) {
    side_effects_.numbered_handles.push_back("wants the handle \"" + wanted + "\", which is taken: the user gets \"" +
                                             handle + "\"");
  }
  return handle;
}

}  // namespace novafeed
