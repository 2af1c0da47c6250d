#include "api/problem.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

#include "base/json.h"
#include "base/time.h"

namespace novafeed {
namespace {

struct StatusTitle {
  int status;
  std::string_view title;
};

// Every status that an answer with a problem may have, those of the HTTP server included.
constexpr std::array kTitles = {
    StatusTitle{400, "Bad Request"},
    StatusTitle{401, "Unauthorized"},
    StatusTitle{403, "Forbidden"},
    StatusTitle{404, "Not Found"},
    StatusTitle{405, "Method Not Allowed"},
    StatusTitle{408, "Request Timeout"},
    StatusTitle{409, "Conflict"},
    StatusTitle{413, "Content Too Large"},
    StatusTitle{415, "Unsupported Media Type"},
    StatusTitle{417, "Expectation Failed"},
    StatusTitle{422, "Unprocessable Content"},
    StatusTitle{429, "Too Many Requests"},
    StatusTitle{431, "Request Header Fields Too Large"},
    StatusTitle{500, "Internal Server Error"},
    StatusTitle{501, "Not Implemented"},
    StatusTitle{503, "Service Unavailable"},
    StatusTitle{505, "HTTP Version Not Supported"},
    StatusTitle{507, "Insufficient Storage"},
};

std::string_view TitleOf(int status) {
  const auto* found = std::find_if(kTitles.begin(), kTitles.end(),
                                   [status](const StatusTitle& entry) { return entry.status == status; });
  return found == kTitles.end() ? "Error" : found->title;
}

std::string RetryAfterSeconds(std::int64_t retry_after_ms) {
  return std::to_string(std::max<std::int64_t>(1, (retry_after_ms + kMsPerSecond - 1) / kMsPerSecond));
}

}  // namespace

int StatusOf(Failure failure) {
  switch (failure) {
    case Failure::kInvalid:
      return 400;
    case Failure::kUnauthenticated:
      return 401;
    case Failure::kForbidden:
      return 403;
    case Failure::kNotFound:
      return 404;
    case Failure::kConflict:
      return 409;
    case Failure::kTooLarge:
      return 413;
    case Failure::kUnsupported:
      return 415;
    case Failure::kUnprocessable:
      return 422;
    case Failure::kRateLimited:
      return 429;
    case Failure::kUnavailable:
      return 503;
    case Failure::kStorageFull:
      return 507;
    case Failure::kInternal:
      return 500;
  }
  throw std::logic_error("a failure without a status");
}

HttpResponse MakeProblem(int status, std::string_view code, std::string_view detail, std::string_view request_id) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/problem+json";
  JsonWriter writer(&response.body);
  writer.BeginObject();
  writer.Key("type").String("urn:novafeed:problem:" + std::string(code));
  writer.Key("title").String(TitleOf(status));
  writer.Key("status").Int(status);
  writer.Key("detail").String(detail);
  writer.Key("code").String(code);
  writer.Key("request_id").String(request_id);
  writer.EndObject();
  return response;
}

HttpResponse ProblemOf(const Error& error, std::string_view request_id) {
  HttpResponse response = MakeProblem(StatusOf(error.failure), error.code, error.detail, request_id);
  if (error.failure == Failure::kUnauthenticated) {
    response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"novafeed\"");
  }
  if (error.failure == Failure::kRateLimited || error.failure == Failure::kUnavailable) {
    response.headers.emplace_back("Retry-After", RetryAfterSeconds(error.retry_after_ms));
  }
  return response;
}

}  // namespace novafeed
