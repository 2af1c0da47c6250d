// When viewers last changed whom they follow: nothing that was cached for them before it is served to them.
#pragma once

#include <string>

#include "cache/cache.h"
#include "social/ids.h"
#include "stream/position.h"

namespace novafeed {

// Thread-safe. In the cache itself, so that every process that shares the cache knows it; a cache that forgets it has
// forgotten, or does not give, the pages as well.
class OwnFollows {
 public:
  // Of positions of this generation; `cache` outlives it.
  OwnFollows(Cache* cache, std::string generation) : cache_(cache), generation_(std::move(generation)) {}

  // The viewer has followed or unfollowed somebody; `written` is where the log holds it.
  void Note(UserId viewer, const Position& written);
  // What holds the viewer's last such change: zero where there is none.
  Position LastChange(UserId viewer) const;

 private:
  Cache* const cache_;
  const std::string generation_;
};

}  // namespace novafeed
