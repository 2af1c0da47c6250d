// The keys of what is cached, and how long each is kept (the seed's names). Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "social/ids.h"

namespace novafeed {

inline constexpr std::string_view kHotPostsKey = "hot:posts:1h";
inline constexpr std::chrono::seconds kHotPostsTtl{120};

// suggest:users:{user_id}
std::string SuggestionsKey(UserId viewer);
inline constexpr std::chrono::seconds kSuggestionsTtl{600};

// feed:v1:{user_id}:{offset}:{limit}, of mode=for_you.
std::string FeedPageKey(UserId viewer, std::size_t offset, std::size_t limit);
inline constexpr std::chrono::seconds kFeedPageTtl{60};
// Of a page that the warmer keeps: longer than its period.
inline constexpr std::chrono::seconds kWarmedPageTtl{150};

// follows:changed:{user_id}: for as long as anything stays that was made before.
std::string FollowsChangedKey(UserId viewer);
inline constexpr std::chrono::seconds kFollowsChangedTtl = kSuggestionsTtl;

}  // namespace novafeed
