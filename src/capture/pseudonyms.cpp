#include "capture/pseudonyms.h"

#include <variant>

namespace novafeed {

void Pseudonyms::Add(std::span<const Erasure> erased) {
  for (const Erasure& erasure : erased) ids_.insert_or_assign(erasure.user, erasure.pseudonym);
}

bool Pseudonyms::Hide(UserId* user) const {
  const auto found = ids_.find(*user);
  if (found == ids_.end()) return false;
  *user = found->second;
  return true;
}

bool Pseudonyms::Hide(Row* row) const {
  return std::visit([this](auto& fields) { return HideFields(&fields); }, *row);
}

bool Pseudonyms::Hide(Event* event) const {
  const bool is_theirs = Hide(&event->user);
  return Hide(&event->post_author) || is_theirs;
}

bool Pseudonyms::HideFields(User* user) const {
  if (!Hide(&user->id)) return false;
  user->external_id.reset();
  user->handle = user->id.ToString();  // unique, as a handle is
  user->name.clear();
  return true;
}

bool Pseudonyms::HideFields(Post* post) const {
  if (!Hide(&post->author)) return false;
  post->external_id.reset();
  post->text.clear();
  return true;
}

bool Pseudonyms::HideFields(Comment* comment) const {
  const bool is_theirs = Hide(&comment->user);
  if (is_theirs) {
    comment->external_id.reset();
    comment->text.clear();
  }
  return Hide(&comment->post_author) || is_theirs;
}

bool Pseudonyms::HideFields(Like* like) const {
  const bool is_theirs = Hide(&like->user);
  return Hide(&like->post_author) || is_theirs;
}

bool Pseudonyms::HideFields(Follow* follow) const {
  const bool is_theirs = Hide(&follow->follower);
  return Hide(&follow->followee) || is_theirs;
}

}  // namespace novafeed
