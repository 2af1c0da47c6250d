// The public API: every route of the contract's section 5, as one RequestHandler for http/server.h.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <string>

#include "api/dependencies.h"
#include "api/dispatcher.h"
#include "api/recent_subjects.h"
#include "api/routes/routes.h"
#include "base/log.h"
#include "base/metrics.h"
#include "http/message.h"
#include "http/router.h"
#include "http/server.h"

namespace novafeed {

// Owned by the wiring; outlives the HttpServer that it answers for. Handlers run on the I/O threads.
//
// Until Open() it answers /healthz with 200, a feed where the warehouse may stand in for the index, and everything
// else, /readyz included, with 503 "booting".
class ApiService {
 public:
  // Asks the graph for its generation, which may block.
  explicit ApiService(const ApiDependencies& dependencies);
  ApiService(const ApiService&) = delete;
  ApiService& operator=(const ApiService&) = delete;

  // More routes, without a token unless the handler asks for one (api/context.h). Before the server starts.
  void Add(Method method, const std::string& pattern, Handler handler);

  // A route as those of the contract: its caller has a token, and a bucket of requests. Before the server starts.
  void AddApiRoute(const ApiRoute& route);

  // The index has booted: from now on everything is served. Once, from any thread; what it points to outlives this.
  void Open(const LiveIndex& live);
  bool ready() const;

  RequestHandler handler();
  static ProblemMaker problem_maker();

 private:
  static constexpr std::int64_t kLogEveryMs = 1000;

  boost::asio::awaitable<HttpResponse> Serve(RouteHandler handler, const HttpRequest* request, PathParams params);
  boost::asio::awaitable<HttpResponse> ServeCaller(RouteHandler handler, const HttpRequest* request, PathParams params,
                                                   Caller caller);
  // kUnauthenticated "user_erased": a token of any scope ends with its subject. Throws StoreError where that can not be
  // told: the graph is away, and has not said it before of a platform's token.
  boost::asio::awaitable<Status> CheckActive(Caller caller);
  Status CheckReady(const HttpRequest& request) const;
  // What routes may use of the index: nothing until it has booted.
  const LiveIndex& live() const { return ready() ? live_ : nothing_live_; }
  void ReportBehind(const HttpRequest& request);
  HttpResponse RefuseTooMany(const HttpRequest& request, const RateDecision& rate, const Counter& counter);
  HttpResponse RefuseStranger(const HttpRequest& request, const Error& error);
  std::int64_t SteadyNow() const;
  void AddHealthRoutes();

  const ApiDependencies dependencies_;
  const std::string generation_;
  const Counter behind_answers_;
  const Counter limited_users_;
  const Counter limited_platforms_;
  const Counter limited_strangers_;
  RecentSubjects active_;
  LogGate behind_log_{kLogEveryMs};
  LogGate limited_log_{kLogEveryMs};
  const LiveIndex nothing_live_;
  LiveIndex live_;  // written once, before ready_
  std::atomic<bool> ready_{false};
  Dispatcher dispatcher_;
};

}  // namespace novafeed
