// What a request for a feed or for suggested users asks for. Pure.
#pragma once

#include "access/tokens.h"
#include "base/result.h"
#include "http/message.h"
#include "timeline/feed_service.h"
#include "timeline/suggestion_service.h"

namespace novafeed {

// limit, cursor, offset, mode, and, for a platform's token, engine, as_of, trending_as_of; the viewer is the caller's
// to fill in. kInvalid "bad_<name>"; kForbidden "scope_required".
Result<FeedRequest> ParseFeedRequest(const QueryParams& query, const Caller& caller);
// limit, and, for a platform's token, engine and as_of; the rest is the caller's to fill in. Errors likewise.
Result<SuggestionRequest> ParseSuggestionRequest(const QueryParams& query, const Caller& caller);

}  // namespace novafeed
