// A small blocking HTTP/1.1 client: for the command line (`rank`, `import --url`), and for the analytical engine.
// Keep-alive; by TLS where it is told whom to trust.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/tls.h"
#include "http/message.h"

namespace novafeed {

// Used by one thread at a time.
class HttpClient {
 public:
  // "http://host:port" (80 where there is none); kInvalid "bad_url" otherwise, kUnavailable "cannot_connect" where
  // nobody listens. `timeout` bounds each wait: for the connection, and for each piece that is sent or received.
  // With `trust`, "https://host:port" (443) as well; a server whose certificate is not trusted, or not that host's, is
  // one to which it "cannot_connect", and is sent nothing.
  static Result<HttpClient> Connect(std::string_view url, std::chrono::milliseconds timeout,
                                    std::optional<TlsTrust> trust = std::nullopt);
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;
  ~HttpClient();

  // One request, one answer. Where a kept connection was closed before the first byte of an answer, the request is sent
  // once more on a new one, so it should be idempotent. kUnavailable "connection_lost" or "timeout" on network errors.
  Result<HttpResponse> Send(Method method, std::string_view target, const Headers& headers, std::string_view body);

  // The same as a whole until `deadline`, a new connection included, and never sent twice: a kept connection that the
  // server has closed meanwhile is replaced before anything goes out. After "connection_lost" or "timeout" the server
  // may have got the request; after "cannot_connect" it has not.
  Result<HttpResponse> SendOnce(Method method, std::string_view target, const Headers& headers, std::string_view body,
                                std::chrono::steady_clock::time_point deadline);

 private:
  struct State;
  explicit HttpClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace novafeed
