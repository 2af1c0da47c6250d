// An HTTP/1.1 server on Boost.Beast, which stays inside http/server.cpp.
//
// Each connection lives on one I/O thread. The limits answer with problem+json through `Limits::problem` and, where
// the stream cannot be trusted any more, close.
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
#include "http/message.h"

namespace novafeed {

struct HttpLimits {
  std::size_t max_header_bytes = 16 * 1024;
  std::size_t max_body_bytes = 1024 * 1024;            // as sent
  std::size_t max_unpacked_bytes = 8 * 1024 * 1024;    // after Content-Encoding: gzip
  std::size_t max_connections = 20'000;                // beyond: 503 and close
  std::chrono::milliseconds idle_timeout{75'000};      // between requests: closed without a word
  std::chrono::milliseconds header_timeout{10'000};    // from the first byte of a request to the end of its header: 408
  std::chrono::milliseconds body_timeout{30'000};      // for the whole body: 408
  std::chrono::milliseconds write_timeout{30'000};
};

// Makes the answer for what never reaches a handler: (status, code, detail, request_id).
using ProblemMaker =
    std::function<HttpResponse(int status, std::string_view code, std::string_view detail, std::string_view request_id)>;

// Answers one whole request. Must not throw; runs on the connection's I/O thread.
using RequestHandler = std::function<boost::asio::awaitable<HttpResponse>(const HttpRequest&)>;

class HttpServer {
 public:
  // `io`: one single-threaded context per I/O thread; connections are dealt out in turn. All outlive the server.
  // Binds at once ("127.0.0.1:0" takes a free port); throws std::runtime_error with a sentence where it cannot.
  HttpServer(std::vector<boost::asio::io_context*> io, std::string_view listen, HttpLimits limits,
             RequestHandler handler, ProblemMaker problem, Metrics* metrics, std::string_view metrics_name);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  void Start();
  // "127.0.0.1:8080", with the real port.
  std::string address() const;
  std::uint16_t port() const;

  // Stops accepting, lets running requests end (idle connections are closed at once), at most `grace`; then closes all.
  // Called from a thread that is no I/O thread; returns when no connection is left.
  void Drain(std::chrono::milliseconds grace);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace novafeed
