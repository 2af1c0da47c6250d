// Other ids in the place of erased users'. Pure.
#pragma once

#include <span>
#include <unordered_map>

#include "capture/change.h"
#include "graph/store.h"
#include "social/entities.h"

namespace novafeed {

// Which id stands for whom. Every function returns whether anything named one of the users, and was changed.
class Pseudonyms {
 public:
  Pseudonyms() = default;
  explicit Pseudonyms(std::span<const Erasure> erased) { Add(erased); }

  void Add(std::span<const Erasure> erased);
  bool empty() const { return ids_.empty(); }

  bool Names(UserId user) const { return ids_.contains(user); }
  bool Hide(UserId* user) const;
  // Users and authors; of what was theirs, also text, handle, name and external id.
  bool Hide(Row* row) const;
  bool Hide(Event* event) const;

 private:
  bool HideFields(User* user) const;
  bool HideFields(Post* post) const;
  bool HideFields(Comment* comment) const;
  bool HideFields(Like* like) const;
  bool HideFields(Follow* follow) const;

  std::unordered_map<UserId, UserId> ids_;
};

}  // namespace novafeed
