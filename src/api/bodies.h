// The bodies of writes. Unknown fields are refused (422 "unknown_field"); what the values must be like is checked by
// graph/commands.h. Pure.
#pragma once

#include <optional>
#include <string>

#include "api/context.h"
#include "base/result.h"
#include "graph/commands.h"
#include "social/ids.h"

namespace novafeed {

// A post or comment as it is sent.
struct NewText {
  std::optional<ParsedId> id;
  std::string text;
};

// {"id"?,"handle","name"}; for a platform's token only (403 "scope_required").
Result<NewUser> ReadNewUser(const RequestContext& context);
// {"id"?,"text"}; an id from a user's token is 403 "id_not_allowed".
Result<NewText> ReadNewText(const RequestContext& context, IdKind kind);
// {"text"}
Result<std::string> ReadText(const RequestContext& context);

}  // namespace novafeed
