// Import lines (NDJSON, contract section 3): one line to one action. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "social/entities.h"
#include "social/ids.h"

namespace novafeed {

// The actions of the contract's table, in its order. kInvalid counts lines that are no action at all.
enum class ActionType : std::uint8_t {
  kUser,
  kPost,
  kEditPost,
  kDeletePost,
  kFollow,
  kUnfollow,
  kLike,
  kUnlike,
  kComment,
  kDeleteComment,
  kImpression,
  kView,
  kShare,
  kInvalid,
};
inline constexpr std::size_t kActionTypes = static_cast<std::size_t>(ActionType::kInvalid) + 1;

// The value of the field `type`: "user", "edit_post", ...; "invalid".
std::string_view ActionTypeName(ActionType type);

struct UserLine {
  ParsedId id;
  std::optional<std::string> handle;
  std::optional<std::string> name;
};
struct PostLine {
  ParsedId id;
  ParsedId author;
  std::string text;  // may be empty
};
struct EditPostLine {
  ParsedId post;
  std::string text;
};
struct DeletePostLine {
  ParsedId post;
};
struct FollowLine {
  ParsedId user;
  ParsedId target;
  bool undo = false;
};
struct LikeLine {
  ParsedId user;
  ParsedId post;
  bool undo = false;
};
struct CommentLine {
  ParsedId id;
  ParsedId user;
  ParsedId post;
  std::string text;  // may be empty
};
struct DeleteCommentLine {
  ParsedId id;
};
struct EventLine {
  EventType type = EventType::kImpression;  // impression, view or share
  ParsedId user;
  ParsedId post;
  std::optional<ParsedId> id;
};

using ImportActionBody = std::variant<UserLine, PostLine, EditPostLine, DeletePostLine, FollowLine, LikeLine,
                                      CommentLine, DeleteCommentLine, EventLine>;

struct ImportAction {
  TimeMs at = 0;  // as in the file, not shifted
  ImportActionBody body;
  std::vector<std::string> ignored_fields;  // names that the action does not have
  bool has_ext_id = false;                  // an id begins with "ext:", which is a part of it here
};

ActionType TypeOf(const ImportAction& action);

// Errors carry a code and a sentence: "malformed_json", "unknown_type", "missing_field", "wrong_type", "bad_id",
// "bad_time", "bad_text", "bad_handle", "bad_name", "self_follow".
Result<ImportAction> ParseImportLine(std::string_view line);

}  // namespace novafeed
