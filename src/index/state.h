// The data of the index, and how each entry of the log folds into it. No locks, no clock: FeedIndex has those.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "capture/change.h"
#include "index/popularity.h"
#include "social/entities.h"
#include "stream/event_log.h"
#include "stream/position.h"

namespace novafeed {

// Dense numbers instead of UUIDs inside the index; never reused while the index lives.
using UserRef = std::uint32_t;
using PostRef = std::uint32_t;

// How far back the windows reach, with the slack for an as_of that is up to two hours old (contract and design).
inline constexpr std::int64_t kHoursKept = 26;
inline constexpr std::int64_t kInteractionDaysKept = 90;  // and the current day: 91
inline constexpr TimeMs kContentKept = 30 * kMsPerDay + 2 * kMsPerHour;

// External id and text of a post in one allocation.
class PackedContent {
 public:
  PackedContent() = default;
  PackedContent(std::string_view external_id, std::string_view text);
  explicit operator bool() const { return bytes_ != nullptr; }
  std::string_view external_id() const;
  std::string_view text() const;
  std::size_t size() const;

 private:
  struct Sizes {
    std::uint32_t external_id;
    std::uint32_t text;
  };
  Sizes sizes() const;
  std::unique_ptr<char[]> bytes_;  // Sizes, then the two strings
};

// Interactions of one viewer with one author on one UTC day.
struct DayInteractions {
  UserRef author = 0;
  std::int32_t day = 0;
  std::int32_t count = 0;
};

struct UserSlot {
  UserId id;
  bool known = false;                         // a row of that id exists (others are only mentioned)
  std::vector<UserRef> following;             // ascending
  std::vector<TimeMs> followed_at;            // when, in the order of `following`
  std::vector<UserRef> followers;             // who followed first stands first (FollowedEarlier)
  std::vector<PostRef> posts;                 // live ones, oldest first (PostOrder)
  std::vector<DayInteractions> interactions;  // given; ascending by (author, day)
};

struct PostSlot {
  PostId id;
  TimeMs created_at = 0;
  UserRef author = 0;
  bool known = false;  // its row has been seen (events may come before it)
  bool deleted = false;
  std::uint32_t likes = 0;
  std::uint32_t comments = 0;
  std::uint32_t shares = 0;
  std::uint32_t impressions = 0;
  std::uint32_t views = 0;
  PackedContent content;  // empty where deleted or out of the window

  bool live() const { return known && !deleted; }
};

// Counters of one post in one clock hour. Signed: a window may hold the end of what began outside it.
struct HourCounts {
  std::int32_t likes = 0;
  std::int32_t comments = 0;
  std::int32_t shares = 0;
  std::int32_t impressions = 0;
  bool empty() const { return likes == 0 && comments == 0 && shares == 0 && impressions == 0; }
};
// Counters that were counted elsewhere, and are added to what is held.
struct CountedPost {
  PostId post;
  std::int64_t likes = 0, comments = 0, shares = 0, impressions = 0, views = 0;
};
struct CountedHour {
  std::int64_t hour = 0;  // HourOf
  PostId post;
  HourCounts counts;
};
using HourTable = boost::unordered_flat_map<PostRef, HourCounts>;

struct IndexState {
  Position position;  // applied; its generation is the data set's
  TimeMs anchor = 0;  // windows are kept for this instant and the hours before it

  std::vector<UserSlot> users;
  std::vector<PostSlot> posts;
  boost::unordered_flat_map<UserId, UserRef, StrongIdHash<UserId>> user_refs;
  boost::unordered_flat_map<PostId, PostRef, StrongIdHash<PostId>> post_refs;
  std::map<std::int64_t, std::vector<PostRef>> posts_by_hour;  // live posts by creation hour, oldest first
  std::map<std::int64_t, HourTable> hours;                     // actions by the hour in which they were given
  Popularity popularity;                                       // of all users, known or not
  std::size_t follow_count = 0;
  std::size_t trim_next_user = 0;      // where the next bounded trimming goes on
  std::int64_t content_from_hour = 0;  // posts of earlier hours hold no content any more

  // --- Folding.
  void Apply(const Change& change);
  void Apply(const LoggedEvent& logged);
  void Apply(const ForgottenTotals& totals);
  void Apply(const CountedPost& counted);
  void Apply(const CountedHour& counted);            // ignored where it is out of the window
  void Apply(const InteractionCount& interactions);  // likewise
  // Puts one id in the place of another: a user who was erased, with no follows and live posts left. Where both are
  // known, what was counted for the two becomes one.
  void Rename(UserId from, UserId to);
  // After rows of the state were folded, which come in any order: puts the lists of followers in theirs. Only then may
  // an entry of the log be folded.
  void OrderFollowers();
  // Moves the windows on and lets go of what fell out, looking at no more than `max_users` users.
  void AdvanceTo(TimeMs now, std::size_t max_users);

  // --- Looking up.
  const UserSlot* FindUser(UserId id) const;
  const PostSlot* FindPost(PostId id) const;
  std::int64_t OldestHour() const { return HourOf(anchor) - kHoursKept; }
  std::int64_t OldestDay() const { return DayOf(anchor) - kInteractionDaysKept; }
  bool HoldsContentOf(TimeMs created_at) const { return created_at > anchor - kContentKept; }
  // The order of the lists of posts: created_at ascending, then id descending, so that walking one backwards gives
  // the contract's newest first, ties by id ascending.
  bool OlderThan(PostRef a, PostRef b) const;

  // The latest followers of a user, in no order that matters: at most `limit`, the latest by the follow's time, ties by
  // the follower's id.
  std::span<const UserRef> LatestFollowers(UserRef user, std::size_t limit) const;
  // Likewise those whom a user follows.
  std::vector<UserRef> LatestFollowing(UserRef user, std::size_t limit) const;
  // Whether one follows the other.
  bool Follows(UserRef follower, UserRef followee) const;
  // Of two whom the user follows: whether `a` comes before `b`, the latest follow first, ties by id.
  bool FollowedLater(UserRef user, UserRef a, UserRef b) const;

  UserRef RefOf(UserId id);
  PostRef RefOf(PostId id);

 private:
  void ApplyUser(const Change& change);
  void ApplyPost(const Change& change);
  void ApplyFollow(const Follow& follow, ChangeOp op);
  void AddFollow(UserRef follower, UserRef followee, TimeMs at, bool in_order);
  void RemoveFollow(UserRef follower, UserRef followee);
  TimeMs FollowedAt(UserRef follower, UserRef followee) const;
  // The order of the list of followers of `followee`: the follow's time ascending, then id descending, as of posts.
  bool FollowedEarlier(UserRef followee, UserRef a, UserRef b) const;
  void ShowPost(PostRef ref, const Post& post);
  void HidePost(PostRef ref);
  void InsertOrdered(std::vector<PostRef>* list, PostRef ref) const;
  void EraseOrdered(std::vector<PostRef>* list, PostRef ref) const;
  // A like, comment, share or impression given (+1) or taken back (-1).
  void Count(UserId user, PostId post, UserId post_author, TimeMs at, std::uint32_t PostSlot::* total,
             std::int32_t HourCounts::* hourly, bool is_interaction, int sign);
  void CountHour(std::int64_t hour, PostRef ref, const HourCounts& counts);
  void AddInteractions(UserRef viewer, const DayInteractions& added);
  void Merge(UserRef from, UserRef into);
  void DropOldHours();
  void DropOldContent();
  void DropOldInteractions(std::size_t max_users);
};

}  // namespace novafeed
