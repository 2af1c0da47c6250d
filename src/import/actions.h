// Import lines (NDJSON, contract section 3): one line to one action. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "social/entities.h"
#include "social/ids.h"

namespace novafeed {

struct UserLine { ParsedId id; std::optional<std::string> handle, name; };
struct PostLine { ParsedId id; ParsedId author; std::string text; };
struct EditPostLine { ParsedId post; std::string text; };
struct DeletePostLine { ParsedId post; };
struct FollowLine { ParsedId user, target; bool undo = false; };
struct LikeLine { ParsedId user, post; bool undo = false; };
struct CommentLine { ParsedId id; ParsedId user, post; std::string text; };
struct DeleteCommentLine { ParsedId id; };
struct EventLine { EventType type = EventType::kImpression; ParsedId user, post; std::optional<ParsedId> id; };

using ImportActionBody = std::variant<UserLine, PostLine, EditPostLine, DeletePostLine, FollowLine, LikeLine, CommentLine,
                                DeleteCommentLine, EventLine>;

struct ImportAction {
  TimeMs at = 0;  // as in the file, not shifted
  ImportActionBody body;
  std::vector<std::string> ignored_fields;  // names that the action does not have
};

// Errors: kUnprocessable with a code and a sentence ("unknown_type", "missing_field", "bad_time", "bad_id", ...).
Result<ImportAction> ParseImportLine(std::string_view line);

}  // namespace novafeed
