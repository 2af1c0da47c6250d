// Whom a viewer may want to follow: the port that both engines implement (contract, section 1, "Suggested users").
//
// As with posts (candidates.h), an engine gives ids and integers only. What is near, what it scores and in what order
// it stands is ranking/suggestions.h; timeline/suggestion_service.h takes the steps in their order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "social/ids.h"

namespace novafeed {

// What of the graph a suggestion looks at: the bounds that keep celebrities from making it slow.
inline constexpr std::size_t kSuggestFollowees = 500;      // the viewer's latest
inline constexpr std::size_t kSuggestFollowers = 1000;     // the latest of each of these
inline constexpr std::size_t kSuggestNeighbours = 200;     // the nearest
inline constexpr std::size_t kSuggestedByNeighbour = 500;  // the latest followees of each
inline constexpr std::size_t kSuggestReasons = 3;          // people who are named, of those whom both know

// Somebody who follows whom the viewer follows.
struct Neighbour {
  UserId id;
  std::int64_t overlap = 0;    // in how many of the lists of followers they are
  std::int64_t following = 0;  // how many they follow, all in all
};
struct Neighbourhood {
  std::int64_t following = 0;         // how many the viewer follows
  std::vector<Neighbour> neighbours;  // without the viewer; an engine may leave out who is surely not among the nearest
};

struct FollowedUser {
  UserId id;
  std::int64_t followers = 0;
};
// The candidates, and who follows them.
struct FollowedUsers {
  std::vector<FollowedUser> users;  // without the viewer, and those whom the viewer follows
  // For each of the neighbours, in their order: places in `users` of all whom they follow.
  std::vector<std::vector<std::uint32_t>> followed_by;
};

// What an answer says of a user, beside the score.
struct SuggestionFacts {
  std::int64_t followers = 0;
  std::int64_t following = 0;
  std::int64_t mutual_followers = 0;  // of those whom the viewer follows, how many follow them
  std::vector<UserId> mutual;         // at most kSuggestReasons of these, those whom the viewer followed last first
  std::int64_t interactions = 0;      // of the neighbours with them, within the 90 days
};

// Thread-safe. The index answers within milliseconds; an engine that waits says so. Errors: kUnavailable.
class SuggestionEngine {
 public:
  virtual ~SuggestionEngine() = default;
  virtual std::string_view Name() const = 0;  // "index", "warehouse"
  virtual Result<Neighbourhood> FindNeighbours(UserId viewer) = 0;
  virtual Result<FollowedUsers> FindFollowed(UserId viewer, std::span<const UserId> neighbours) = 0;
  // The users with the most followers, ties by id, at most `limit`, without the viewer and those whom the viewer
  // follows.
  virtual Result<std::vector<FollowedUser>> FindMostFollowed(UserId viewer, std::size_t limit) = 0;
  // In the order of `users`.
  virtual Result<std::vector<SuggestionFacts>> Describe(UserId viewer, std::span<const UserId> users,
                                                        std::span<const UserId> neighbours, TimeMs as_of) = 0;
};

}  // namespace novafeed
