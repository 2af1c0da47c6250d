// An HTTP/1.1 server: sockets, time limits and turns; what the bytes mean is request_parser.h's matter.
//
// Each connection is one coroutine on one I/O thread. What breaks a limit is answered through the ProblemMaker and,
// where the stream cannot be trusted any more, the connection is closed. Each answer carries X-Request-Id and
// X-Content-Type-Options, and no Server header.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "http/limits.h"
#include "http/message.h"

namespace novafeed {

// Makes the answer for what never reaches a handler: (status, code, detail, request_id).
using ProblemMaker = std::function<HttpResponse(int status, std::string_view code, std::string_view detail,
                                                std::string_view request_id)>;

// Answers one whole request, on the connection's I/O thread. The request outlives the awaitable. What it throws is
// logged and answered with 500 "internal"; the connection survives.
using RequestHandler = std::function<boost::asio::awaitable<HttpResponse>(const HttpRequest&)>;

class HttpServer {
 public:
  // `io`: one single-threaded context per I/O thread; connections are dealt out in turn. All outlive the server, as
  // does `metrics`. `metrics_name` is the label "listener" of its metrics. Binds at once ("127.0.0.1:0" takes a free
  // port); throws std::runtime_error with a sentence where it cannot.
  HttpServer(std::vector<boost::asio::io_context*> io, std::string_view listen, HttpLimits limits,
             RequestHandler handler, ProblemMaker problem, Metrics* metrics, std::string_view metrics_name);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Begins to accept.
  void Start();
  // "127.0.0.1:8080", with the real port.
  std::string address() const;
  std::uint16_t port() const;

  // Stops accepting, lets running requests end (idle connections are closed at once), at most `grace`; then closes all.
  // Called from a thread that is no I/O thread, while the contexts run. Returns when no connection is left, or, logged,
  // when a handler has not come back within `grace` and one second more. The destructor drains without grace.
  void Drain(std::chrono::milliseconds grace);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace novafeed
