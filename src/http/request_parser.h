// One HTTP/1.1 request out of a stream of bytes, held to the limits. No sockets, no clock: bytes in, a request or a
// refusal out.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "http/limits.h"
#include "http/message.h"

namespace novafeed {

// Why a request is not passed on.
struct Refusal {
  int status = 400;
  std::string code;
  std::string detail;
  bool at_boundary = false;  // the request was read whole: the connection can go on with the next one
};

class RequestParser {
 public:
  enum class Progress { kNeedHeader, kNeedBody, kDone, kRefused };

  // `limits` must outlive it.
  explicit RequestParser(const HttpLimits* limits);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // Takes from the front of `input` what belongs to this request; what is left comes back with the next bytes, or is
  // the next request's. Not called again after kDone or kRefused.
  Progress Feed(std::string* input);

  // The client waits for "100 Continue" before it sends the body. Known with kNeedBody.
  bool wants_continue() const;
  // What the body holds, or will hold where the header says so; 0 before the end of the header. Not after Take().
  std::size_t body_bytes() const;
  // Known with kDone: HTTP/1.1 and no "Connection: close".
  bool keep_alive() const;
  // X-Request-Id where it is plain (letters, digits, '.', '_', '-') and at most 64 characters; else empty.
  std::string_view request_id() const;

  // After kDone, once. The server adds remote_address and request_id.
  HttpRequest Take();
  // After kRefused.
  const Refusal& refusal() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace novafeed
