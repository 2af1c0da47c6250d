// Cursors: self-contained, signed, at most 4 KB (contract, section 5). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "social/ids.h"
#include "stream/position.h"

namespace novafeed {

enum class FeedMode : std::uint8_t { kForYou = 1, kFollowing = 2 };

inline constexpr std::size_t kMaxServed = 560;

// 40 bits of a salted hash of a post's id.
using ServedHash = std::uint64_t;

// A walk through mode=for_you: what the pages so far leave to the next one.
struct WalkState {
  TimeMs as_of = 0;
  TimeMs started_at = 0;  // an hour after it, as_of becomes now and the hour starts again
  std::uint64_t salt = 0;
  Position position;               // of the node when it served the page before
  std::vector<ServedHash> served;  // at most kMaxServed

  ServedHash HashOf(const PostId& post) const;
};

// A place in mode=following: strictly after (created_at, id), newest first, ties by id.
struct FollowingPlace {
  TimeMs as_of = 0;
  TimeMs created_at = 0;
  PostId id;
  Position position;
};

// Signs and opens cursors; bound to viewer, mode and profile, which are signed but not contained.
class CursorCodec {
 public:
  CursorCodec(std::string key, std::string generation) : key_(std::move(key)), generation_(std::move(generation)) {}

  // Of the data set whose cursors these are.
  const std::string& generation() const { return generation_; }

  std::string Encode(const WalkState& walk, UserId viewer) const;
  std::string Encode(const FollowingPlace& place, UserId viewer) const;

  // kInvalid "bad_cursor": forged, cut, of another viewer, mode, profile or data set.
  Result<WalkState> DecodeWalk(std::string_view cursor, UserId viewer) const;
  Result<FollowingPlace> DecodeFollowing(std::string_view cursor, UserId viewer) const;

 private:
  std::string key_;
  std::string generation_;
};

}  // namespace novafeed
