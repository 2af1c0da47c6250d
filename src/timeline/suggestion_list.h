// What is asked and answered of suggested users (contract, section 1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "index/feed_index.h"
#include "social/ids.h"
#include "stream/position.h"

namespace novafeed {

inline constexpr std::size_t kMaxSuggestions = 100;
inline constexpr std::size_t kSuggestAtLeast = 20;  // filled up to so many with whom most follow

struct SuggestionRequest {
  UserId viewer;
  std::size_t limit = 20;
  std::optional<TimeMs> as_of;        // of the interactions; at most an hour old
  Position wanted;                    // what the answer has to include
  std::vector<UserId> dismissed;      // by the viewer
  std::optional<std::string> engine;  // "index" or "warehouse": see FeedEngines
};

struct Suggestion {
  UserId user;
  double score = 0;  // 0: among those whom most follow
  std::int64_t mutual_followers = 0;
  double affinity_score = 0;
  UserCounts counts;
  std::vector<UserId> mutual;  // whom both know of: whom the viewer follows, and who follow the user
};

// The answer to a smaller limit is the beginning of the answer to a greater one, so one list serves them all.
struct SuggestionList {
  std::vector<Suggestion> users;
  TimeMs as_of = 0;
  std::string_view engine;
  std::vector<std::string_view> degraded;  // "stale"; "behind", "booting": the caller's to fill in
  // Stage names and microseconds, for Server-Timing.
  std::vector<std::pair<std::string_view, std::int64_t>> timings;
};

}  // namespace novafeed
