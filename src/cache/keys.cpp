#include "cache/keys.h"

namespace novafeed {

std::string SuggestionsKey(UserId viewer) {
  return "suggest:users:" + viewer.ToString();
}

std::string FeedPageKey(UserId viewer, std::size_t offset, std::size_t limit) {
  return "feed:v1:" + viewer.ToString() + ":" + std::to_string(offset) + ":" + std::to_string(limit);
}

std::string FollowsChangedKey(UserId viewer) {
  return "follows:changed:" + viewer.ToString();
}

}  // namespace novafeed
