// An event as JSON: what stands on the topic of events, and what lands in the warehouse. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "stream/event_log.h"

namespace novafeed {

// {"event_id","type","user_id","post_id","at","post_author_id","post_created_at","received_at","identity"}: times in
// milliseconds, the identity (LoggedEvent) as 32 hex digits. One document without a line break, and the same for the
// same event: a message that is sent again is the same message.
std::string RenderEventJson(const LoggedEvent& logged);

// The inverse; who reads the message knows its place. Other members are ignored, and the identity may be missing.
// kUnprocessable "bad_event" says what is wrong.
Result<LoggedEvent> ParseEventJson(std::string_view json);

}  // namespace novafeed
