#include "timeline/own_follows.h"

#include <optional>

#include "cache/keys.h"

namespace novafeed {

void OwnFollows::Note(UserId viewer, const Position& written) {
  const std::scoped_lock lock(noting_);
  const Result<Position> before = LastChange(viewer);
  const Position last = before ? Union(*before, written) : written;
  // A cache that does not take it gives no pages either.
  static_cast<void>(cache_->Put(FollowsChangedKey(viewer), EncodePosition(last), kFollowsChangedTtl));
}

bool OwnFollows::Holds(UserId viewer, const Position& position) const {
  const Result<Position> last = LastChange(viewer);
  return last && Reached(*last, position);
}

Result<Position> OwnFollows::LastChange(UserId viewer) const {
  const Result<std::optional<std::string>> text = cache_->Get(FollowsChangedKey(viewer));
  if (!text) return tl::unexpected<Error>(text.error());
  if (!*text) return Position();
  return DecodePosition(**text, generation_);
}

}  // namespace novafeed
