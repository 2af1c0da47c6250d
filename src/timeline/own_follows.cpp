#include "timeline/own_follows.h"

#include <optional>

#include "cache/keys.h"

namespace novafeed {

void OwnFollows::Note(UserId viewer, const Position& written) {
  // Where it cannot be kept, neither can pages be read.
  static_cast<void>(cache_->Put(FollowsChangedKey(viewer), EncodePosition(written), kFollowsChangedTtl));
}

Position OwnFollows::LastChange(UserId viewer) const {
  const Result<std::optional<std::string>> text = cache_->Get(FollowsChangedKey(viewer));
  if (!text || !*text) return {};
  const Result<Position> position = DecodePosition(**text, generation_);
  return position ? *position : Position();
}

}  // namespace novafeed
