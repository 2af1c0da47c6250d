// From a request to its route: what is the same for every listener of the house.
#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/metrics.h"
#include "base/result.h"
#include "http/message.h"
#include "http/router.h"
#include "http/server.h"

namespace novafeed {

// Routes requests; answers 404, 405 (with Allow) and malformed paths itself; turns what a handler throws into a
// problem and a log line (one a second at most of what is away); counts and times every answer by its route's pattern,
// and says the time in Server-Timing.
//
// Filled once, before the server starts; then used by all I/O threads. Outlives the server.
class Dispatcher {
 public:
  // Asked before each routing: an error is the answer. From any I/O thread, must not block.
  using Gate = std::function<Status(const HttpRequest&)>;

  // `listener` is a label of the metrics ("public", "admin"). `metrics` outlives this.
  Dispatcher(Metrics* metrics, std::string listener, Gate gate = nullptr);
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // The request outlives what the handler returns. A handler may throw StoreError, which is answered as its error.
  void Add(Method method, const std::string& pattern, Handler handler);

  // For HttpServer; refers to this object.
  RequestHandler handler();

 private:
  struct RouteMetrics {
    std::array<Counter, 5> answers;  // by status class: 1xx..5xx
    Histogram seconds;
  };
  using Instant = std::chrono::steady_clock::time_point;

  RouteMetrics MetricsFor(std::string_view method, const std::string& pattern);
  boost::asio::awaitable<HttpResponse> Handle(const HttpRequest* request);
  boost::asio::awaitable<HttpResponse> Run(const Handler* handler, const RouteMetrics* metrics,
                                           const HttpRequest* request, PathParams params);
  HttpResponse Finish(const RouteMetrics& metrics, Instant started, HttpResponse response) const;

  Metrics* const metrics_;
  const std::string listener_;
  const Gate gate_;
  const RouteMetrics unrouted_;
  LogGate away_log_{1000};  // while a store is away, every request would say so
  Router router_;
};

}  // namespace novafeed
