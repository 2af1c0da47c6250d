// The vocabulary that every later room speaks: users, posts, comments, likes, follows, events (contract, section 2).
// Pure values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "social/ids.h"

namespace novafeed {

// Never reused number of one life of a like, comment or follow row: what aggregates count.
using Incarnation = std::int64_t;

inline constexpr std::size_t kMaxTextCodePoints = 10'000;
inline constexpr std::size_t kMaxHandleCodePoints = 64;
inline constexpr std::size_t kMaxNameCodePoints = 200;

struct User {
  UserId id;
  std::optional<std::string> external_id;
  std::string handle;  // unique
  std::string name;
  TimeMs created_at = 0;
  friend bool operator==(const User&, const User&) = default;
};

struct Post {
  PostId id;
  std::optional<std::string> external_id;
  UserId author;
  std::string text;  // blank once deleted
  TimeMs created_at = 0;
  std::optional<TimeMs> deleted_at;
  friend bool operator==(const Post&, const Post&) = default;
};

// Likes and comments carry the post's author and time from the moment they are written: nothing downstream joins.
struct Comment {
  CommentId id;
  std::optional<std::string> external_id;
  PostId post;
  UserId user;
  UserId post_author;
  TimeMs post_created_at = 0;
  std::string text;
  TimeMs created_at = 0;
  Incarnation incarnation = 0;
  friend bool operator==(const Comment&, const Comment&) = default;
};

struct Like {
  UserId user;
  PostId post;
  UserId post_author;
  TimeMs post_created_at = 0;
  TimeMs created_at = 0;
  Incarnation incarnation = 0;
  friend bool operator==(const Like&, const Like&) = default;
};

struct Follow {
  UserId follower;
  UserId followee;
  TimeMs created_at = 0;
  Incarnation incarnation = 0;
  friend bool operator==(const Follow&, const Follow&) = default;
};

// The numbers are stored: never renumber.
enum class EventType : std::uint8_t { kImpression = 1, kView = 2, kShare = 3, kLike = 4, kUnlike = 5 };
std::string_view EventTypeName(EventType type);  // "impression", ...
std::optional<EventType> ParseEventType(std::string_view name);

// A behaviour event. (user, type, post, at, event_id) is its identity: the same five count once.
struct Event {
  UserId user;
  EventType type = EventType::kImpression;
  PostId post;
  TimeMs at = 0;
  EventId event_id;
  UserId post_author;
  TimeMs post_created_at = 0;
  friend bool operator==(const Event&, const Event&) = default;
};

// The first 128 bits of SHA-256 over the identity (57 bytes: user, type, post, `at` in network order, event id): what
// the log keeps to recognise a repeat. Stored, so it never changes.
Uuid EventIdentity(const Event& event);

}  // namespace novafeed
