// Errors as HTTP answers: the one table from Failure to status, and application/problem+json.
#pragma once

#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace novafeed {

int StatusOf(Failure failure);

// {"type","title","status","detail","code","request_id"}. Has the shape of http/server.h's ProblemMaker.
HttpResponse MakeProblem(int status, std::string_view code, std::string_view detail, std::string_view request_id);

// The same for an Error, with WWW-Authenticate (401) and Retry-After (429, 503; whole seconds, at least 1).
HttpResponse ProblemOf(const Error& error, std::string_view request_id);

}  // namespace novafeed
