// A small blocking HTTP/1.1 client for loopback use by the command line (`rank`, `import --url`). Keep-alive.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace novafeed {

class HttpClient {
 public:
  // "http://host:port"; kInvalid "bad_url" otherwise.
  static Result<HttpClient> Connect(std::string_view url, std::chrono::milliseconds timeout);
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;
  ~HttpClient();

  // One request, one answer. Reconnects once where a kept connection was closed. kUnavailable on network errors.
  Result<HttpResponse> Send(Method method, std::string_view target, const Headers& headers, std::string_view body);

 private:
  struct State;
  explicit HttpClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace novafeed
