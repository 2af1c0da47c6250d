#include "capture/purged_names.h"

#include <mutex>

#include "graph/retired.h"

namespace novafeed {

void PurgedNames::Add(std::span<const PurgedUser> purged) {
  const std::scoped_lock lock(mutex_);
  for (const PurgedUser& user : purged) pseudonyms_.insert_or_assign(user.digest, user.pseudonym);
}

bool PurgedNames::Hide(Event* event) const {
  const std::shared_lock lock(mutex_);
  if (pseudonyms_.empty()) return false;
  const bool is_user = Hide(&event->user);
  const bool is_author = Hide(&event->post_author);
  return is_user || is_author;
}

std::vector<Erasure> PurgedNames::Among(std::span<const UserId> users) const {
  const std::shared_lock lock(mutex_);
  std::vector<Erasure> found;
  if (pseudonyms_.empty()) return found;
  for (const UserId user : users) {
    UserId id = user;
    if (Hide(&id)) found.push_back({user, id, 0, true});
  }
  return found;
}

bool PurgedNames::Hide(UserId* user) const {
  const auto found = pseudonyms_.find(RetiredDigest(RetiredKind::kUser, user->value));
  if (found == pseudonyms_.end()) return false;
  *user = found->second;
  return true;
}

}  // namespace novafeed
