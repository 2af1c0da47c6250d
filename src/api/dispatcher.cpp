#include "api/dispatcher.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include "api/problem.h"
#include "api/server_timing.h"
#include "base/log.h"
#include "graph/store.h"

namespace novafeed {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr auto kLatencyBuckets = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5};

HttpResponse MethodNotAllowed(const std::vector<Method>& allowed, const HttpRequest& request) {
  std::string names;
  for (const Method method : allowed) {
    names += (names.empty() ? "" : ", ") + std::string(MethodName(method));
    if (method == Method::kGet) names += ", HEAD";
  }
  HttpResponse response = MakeProblem(405, "method_not_allowed", "This path takes " + names + ".", request.request_id);
  response.headers.emplace_back("Allow", names);
  return response;
}

HttpResponse NotRouted(const Router::Match& match, const HttpRequest& request) {
  if (match.bad_path) {
    return MakeProblem(400, "bad_path", "The path is not percent-encoded UTF-8: encode it again.", request.request_id);
  }
  if (!match.allowed.empty()) return MethodNotAllowed(match.allowed, request);
  return MakeProblem(404, "unknown_route", "There is nothing at this path: check its spelling.", request.request_id);
}

// A failed store says what it is; anything else is a bug, of which the caller learns no more than that.
HttpResponse AnswerFailure(const Error& error, const char* reason, const HttpRequest& request, LogGate* away_log) {
  if (error.failure != Failure::kUnavailable || away_log->Open()) {
    Log(LogLevel::kError, "request_failed",
        {{"path", request.path},
         {"code", error.code},
         {"reason", std::string(reason)},
         {"request", request.request_id}});
  }
  return ProblemOf(error, request.request_id);
}

boost::asio::awaitable<HttpResponse> Guard(const Handler* handler, const HttpRequest* request, PathParams params,
                                           LogGate* away_log) {
  try {
    co_return co_await (*handler)(*request, std::move(params));
  } catch (const StoreError& failure) {
    co_return AnswerFailure(failure.error(), failure.what(), *request, away_log);
  } catch (const std::exception& bug) {
    const Error error{Failure::kInternal, "internal", "The server failed here; the log has this request_id.", 0};
    co_return AnswerFailure(error, bug.what(), *request, away_log);
  }
}

}  // namespace

Dispatcher::Dispatcher(Metrics* metrics, std::string listener, Gate gate)
    : metrics_(metrics),
      listener_(std::move(listener)),
      gate_(std::move(gate)),
      unrouted_(MetricsFor("any", "unrouted")) {}

Dispatcher::RouteMetrics Dispatcher::MetricsFor(std::string_view method, const std::string& pattern) {
  Metrics::Labels labels = {{"listener", listener_}, {"method", std::string(method)}, {"route", pattern}};
  const Histogram seconds =
      metrics_->AddHistogram("novafeed_http_request_seconds", "Time to answer a request.", kLatencyBuckets, labels);
  const auto answers = [&](const char* status) {
    labels["status"] = status;
    return metrics_->AddCounter("novafeed_http_requests_total", "Requests answered.", labels);
  };
  return RouteMetrics{{answers("1xx"), answers("2xx"), answers("3xx"), answers("4xx"), answers("5xx")}, seconds};
}

void Dispatcher::Add(Method method, const std::string& pattern, Handler handler) {
  auto measured = std::make_shared<const std::pair<Handler, RouteMetrics>>(std::move(handler),
                                                                           MetricsFor(MethodName(method), pattern));
  router_.Add(method, pattern, [this, measured](const HttpRequest& request, PathParams params) {
    return Run(&measured->first, &measured->second, &request, std::move(params));
  });
}

RequestHandler Dispatcher::handler() {
  return [this](const HttpRequest& request) { return Handle(&request); };
}

boost::asio::awaitable<HttpResponse> Dispatcher::Handle(const HttpRequest* request) {
  const Instant started = SteadyClock::now();
  if (gate_) {
    const Status open = gate_(*request);
    if (!open) co_return Finish(unrouted_, started, ProblemOf(open.error(), request->request_id));
  }
  Router::Match match = router_.Find(request->method, request->path);
  if (match.handler == nullptr) co_return Finish(unrouted_, started, NotRouted(match, *request));
  co_return co_await (*match.handler)(*request, std::move(match.params));
}

boost::asio::awaitable<HttpResponse> Dispatcher::Run(const Handler* handler, const RouteMetrics* metrics,
                                                     const HttpRequest* request, PathParams params) {
  const Instant started = SteadyClock::now();
  HttpResponse response = co_await Guard(handler, request, std::move(params), &away_log_);
  co_return Finish(*metrics, started, std::move(response));
}

HttpResponse Dispatcher::Finish(const RouteMetrics& metrics, Instant started, HttpResponse response) const {
  const SteadyClock::duration took = SteadyClock::now() - started;
  const int status_class = std::clamp(response.status / 100, 1, 5);
  metrics.answers[static_cast<std::size_t>(status_class - 1)].Add();
  metrics.seconds.Observe(std::chrono::duration<double>(took).count());
  AddServerTiming(&response, "total", std::chrono::duration_cast<std::chrono::microseconds>(took));
  return response;
}

}  // namespace novafeed
