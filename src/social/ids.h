// Strong ids: a user's id is never mistaken for a post's.
#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/uuid.h"

namespace novafeed {

template <class Tag>
struct StrongId {
  Uuid value;

  friend bool operator==(const StrongId&, const StrongId&) = default;
  friend auto operator<=>(const StrongId&, const StrongId&) = default;
  std::string ToString() const { return value.ToString(); }
};

// For boost::unordered_flat_map; std containers find it through std::hash.
template <class Id>
struct StrongIdHash {
  using is_avalanching = void;
  std::size_t operator()(const Id& id) const noexcept { return UuidHash{}(id.value); }
};

using UserId = StrongId<struct UserTag>;
using PostId = StrongId<struct PostTag>;
using CommentId = StrongId<struct CommentTag>;
using EventId = StrongId<struct EventTag>;

// What an external id names; part of the UUIDv5 name (contract, section 3).
enum class IdKind { kUser, kPost, kComment, kEvent };
std::string_view KindName(IdKind kind);  // "user", "post", "comment", "event"

inline constexpr std::size_t kMaxExternalIdBytes = 128;

// An id as a caller may write it, and the string it came from if it was an external one.
struct ParsedId {
  Uuid id;
  std::optional<std::string> external_id;
  friend bool operator==(const ParsedId&, const ParsedId&) = default;
};

// UUIDv5(kNovafeedNamespace, "<kind>:<external>").
Uuid IdFromExternal(IdKind kind, std::string_view external);

// Paths, headers, `sub`, bodies: a UUID in any case, or "ext:" and a string of 1 to 128 bytes of UTF-8 without U+0000.
std::optional<ParsedId> ParseApiId(IdKind kind, std::string_view text);

// Import lines: a UUID in any case, or any other string of 1 to 128 bytes of UTF-8 without U+0000.
std::optional<ParsedId> ParseImportId(IdKind kind, std::string_view text);

}  // namespace novafeed

template <class Tag>
struct std::hash<novafeed::StrongId<Tag>> : novafeed::StrongIdHash<novafeed::StrongId<Tag>> {};
