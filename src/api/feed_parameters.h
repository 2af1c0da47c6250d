// What a request for a feed asks for. Pure.
#pragma once

#include "access/tokens.h"
#include "base/result.h"
#include "http/message.h"
#include "timeline/feed_service.h"

namespace novafeed {

// limit, cursor, offset, mode, and, for a platform's token, engine, as_of, trending_as_of; the viewer is the caller's
// to fill in. kInvalid "bad_<name>"; kForbidden "scope_required".
Result<FeedRequest> ParseFeedRequest(const QueryParams& query, const Caller& caller);

}  // namespace novafeed
