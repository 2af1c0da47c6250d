// When viewers last changed whom they follow: nothing that was made from a state before it is served to them from a
// cache, or kept.
#pragma once

#include <mutex>
#include <string>
#include <utility>

#include "base/result.h"
#include "cache/cache.h"
#include "social/ids.h"
#include "stream/position.h"

namespace novafeed {

// Thread-safe. In the cache itself, so that every process that shares the cache knows it, for as long as anything is
// kept that was made before.
class OwnFollows {
 public:
  // Of positions of this generation; `cache` outlives it.
  OwnFollows(Cache* cache, std::string generation) : cache_(cache), generation_(std::move(generation)) {}

  // The viewer has followed or unfollowed somebody, or was erased; `written` is where the log holds it.
  void Note(UserId viewer, const Position& written);
  // Whether a state at this position holds the last such change. False where the cache cannot tell.
  bool Holds(UserId viewer, const Position& position) const;

 private:
  // Zero where there is none.
  Result<Position> LastChange(UserId viewer) const;

  Cache* const cache_;
  const std::string generation_;
  std::mutex noting_;  // of two changes at the same time, the later one stays
};

}  // namespace novafeed
