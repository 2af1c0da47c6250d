// The pseudonyms of purged users, found by digests of ids: for logs that still name them.
#pragma once

#include <shared_mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/uuid.h"
#include "graph/purges.h"
#include "social/entities.h"
#include "social/ids.h"

namespace novafeed {

// Thread-safe. Costs a digest for each id that it is asked for, and nothing where nobody was purged.
class PurgedNames {
 public:
  PurgedNames() = default;
  explicit PurgedNames(std::span<const PurgedUser> purged) { Add(purged); }
  PurgedNames(const PurgedNames&) = delete;
  PurgedNames& operator=(const PurgedNames&) = delete;

  void Add(std::span<const PurgedUser> purged);

  // Whether the event named one of them, as its user or as its post's author, and was changed.
  bool Hide(Event* event) const;
  // Those of the users who are among them, with their pseudonyms.
  std::vector<Erasure> Among(std::span<const UserId> users) const;

 private:
  bool Hide(UserId* user) const;

  mutable std::shared_mutex mutex_;
  std::unordered_map<Uuid, UserId, UuidHash> pseudonyms_;  // guarded by mutex_
};

}  // namespace novafeed
