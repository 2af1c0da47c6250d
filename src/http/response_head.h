// An answer's status line and headers, as bytes. Pure.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace novafeed {

// The body that goes out after the head; nothing for a status that has none (1xx, 204, 304).
std::string_view BodyOf(const HttpResponse& response);

// Throws std::logic_error where a header holds a line break: a handler has let a stranger's text into it.
void CheckHeaders(const HttpResponse& response);

// Everything up to and with the empty line, of headers that are checked; Content-Length is that of BodyOf(), also for
// HEAD.
std::string RenderResponseHead(const HttpResponse& response, bool keep_alive, std::string_view request_id);

}  // namespace novafeed
