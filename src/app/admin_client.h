// How one command of the program asks a running serve: through its admin listener.
#pragma once

#include <string>
#include <string_view>

#include "app/data_directory.h"
#include "base/result.h"
#include "http/client.h"

namespace novafeed {

// What a server says that refuses: the code and sentence of its problem+json.
Error RefusalOf(const HttpResponse& response);

// For one thread; blocking.
class AdminClient {
 public:
  // `url` as in serve.json; `token` of admin scope. Errors of HttpClient::Connect.
  static Result<AdminClient> Connect(const std::string& url, std::string token);

  // To the serve that has `directory`, with a token of its own that is good for a day.
  static Result<AdminClient> ToServe(const std::string& directory, const ServeInfo& served);

  // The body of a 200. While the server answers 503 (it boots, or is busy) it is asked again, for a minute at most.
  // The server's own code and sentence where it refuses.
  Result<std::string> Send(Method method, std::string_view target, std::string_view body);

 private:
  AdminClient(HttpClient http, std::string token) : http_(std::move(http)), token_(std::move(token)) {}

  HttpClient http_;
  std::string token_;
};

}  // namespace novafeed
