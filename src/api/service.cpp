#include "api/service.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "api/assets.h"
#include "api/context.h"
#include "api/lookups.h"
#include "api/problem.h"
#include "api/render.h"
#include "api/storage.h"

namespace novafeed {
namespace {

namespace asio = boost::asio;

constexpr std::string_view kLivePath = "/healthz";
constexpr std::string_view kReadyPath = "/readyz";
// What a warehouse may answer before the index has booted.
constexpr std::string_view kStandInPaths[] = {"/api/v1/feed", "/feed", "/api/v1/discover/suggested-users"};

const RateRule& RuleFor(const ApiRateRules& rates, const Caller& caller) {
  return SpeaksForPlatform(caller) ? rates.service : rates.user;
}

// The bucket of a token's subject. Scopes have buckets of their own: a user's page does not slow the backend down.
std::string BucketOf(const Caller& caller) {
  std::string name(ScopeName(caller.scope));
  name.append(caller.subject.value.bytes.begin(), caller.subject.value.bytes.end());
  return name;
}

std::string CallerKind(const Caller& caller) {
  return SpeaksForPlatform(caller) ? "service" : "user";
}

// Seconds until a bucket has that many requests more.
std::string SecondsFor(double requests, const RateRule& rule) {
  return std::to_string(static_cast<std::int64_t>(std::ceil(requests / rule.per_second)));
}

// RateLimit-Policy: the bucket's size, and how long it takes to fill. RateLimit: what is left in it, and how long until
// it is full (draft-ietf-httpapi-ratelimit-headers-11). Nothing where there is no limit.
void AddRateHeaders(HttpResponse* response, const std::string& kind, const RateRule& rule,
                    const RateDecision& decision) {
  if (!rule.limited()) return;
  const std::string policy = "\"" + kind + "\"";
  const std::string quota = std::to_string(static_cast<std::int64_t>(rule.burst));
  const std::string remaining = std::to_string(decision.remaining);
  const double missing = rule.burst - static_cast<double>(decision.remaining);
  response->headers.emplace_back("RateLimit-Policy", policy + ";q=" + quota + ";w=" + SecondsFor(rule.burst, rule));
  response->headers.emplace_back("RateLimit", policy + ";r=" + remaining + ";t=" + SecondsFor(missing, rule));
}

Counter LimitedCounter(Metrics* metrics, const char* caller) {
  return metrics->AddCounter("novafeed_rate_limited_total", "Requests answered 429.", {{"caller", caller}});
}

// For handlers that have their answer at once.
asio::awaitable<HttpResponse> Answer(HttpResponse response) {
  co_return response;
}

}  // namespace

ApiService::ApiService(const ApiDependencies& dependencies)
    : dependencies_(dependencies),
      generation_(dependencies_.graph->Generation()),
      behind_answers_(dependencies_.metrics->AddCounter(
          "novafeed_behind_answers_total", "Answers made before the index had reached what the caller has seen.")),
      limited_users_(LimitedCounter(dependencies_.metrics, "user")),
      limited_platforms_(LimitedCounter(dependencies_.metrics, "service")),
      limited_strangers_(LimitedCounter(dependencies_.metrics, "stranger")),
      dispatcher_(dependencies_.metrics, "public", [this](const HttpRequest& request) { return CheckReady(request); }) {
  for (const auto& routes : {FeedRoutes(), EventRoutes(), UserRoutes(), PostRoutes(), CommentRoutes(),
                             SuggestionRoutes(), TrendingRoutes()}) {
    for (const ApiRoute& route : routes) AddApiRoute(route);
  }
  AddHealthRoutes();
  for (const Asset& asset : dependencies_.assets) {
    Add(Method::kGet, std::string(asset.path),
        [&asset](const HttpRequest& request, PathParams) { return Answer(AnswerAsset(asset, request)); });
  }
}

void ApiService::Add(Method method, const std::string& pattern, Handler handler) {
  dispatcher_.Add(method, pattern, std::move(handler));
}

void ApiService::AddApiRoute(const ApiRoute& route) {
  Add(route.method, std::string(route.pattern),
      [this, handler = route.handler](const HttpRequest& request, PathParams params) {
        return Serve(handler, &request, std::move(params));
      });
}

void ApiService::AddHealthRoutes() {
  Add(Method::kGet, std::string(kLivePath),
      [](const HttpRequest&, PathParams) { return Answer(JsonAnswer(200, R"({"status":"alive"})")); });
  Add(Method::kGet, std::string(kReadyPath),
      [](const HttpRequest&, PathParams) { return Answer(JsonAnswer(200, R"({"status":"ready"})")); });
}

void ApiService::Open(const LiveIndex& live) {
  live_ = live;
  ready_.store(true, std::memory_order_release);
}

bool ApiService::ready() const {
  return ready_.load(std::memory_order_acquire);
}

RequestHandler ApiService::handler() {
  return dispatcher_.handler();
}

ProblemMaker ApiService::problem_maker() {
  return MakeProblem;
}

Status ApiService::CheckReady(const HttpRequest& request) const {
  if (ready() || request.path == kLivePath) return {};
  const bool may_stand_in = std::ranges::find(kStandInPaths, request.path) != std::end(kStandInPaths);
  if (may_stand_in && dependencies_.engines->WarehouseMayStandIn()) return {};
  return tl::unexpected(BootingError());
}

std::int64_t ApiService::SteadyNow() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void ApiService::ReportBehind(const HttpRequest& request) {
  behind_answers_.Add();
  if (behind_log_.Open()) Log(LogLevel::kWarn, "answer_behind", {{"path", request.path}});
}

HttpResponse ApiService::RefuseTooMany(const HttpRequest& request, const RateDecision& rate, const Counter& counter) {
  counter.Add();
  if (limited_log_.Open()) Log(LogLevel::kWarn, "rate_limited", {{"path", request.path}});
  const Error error{Failure::kRateLimited, "rate_limited", "Too many requests: wait as long as Retry-After says.",
                    rate.retry_after_ms};
  return ProblemOf(error, request.request_id);
}

HttpResponse ApiService::RefuseStranger(const HttpRequest& request, const Error& error) {
  const RateRule& rule = dependencies_.rates.stranger;
  const RateDecision rate = dependencies_.rate_limiter->Take("address " + request.remote_address, rule, SteadyNow());
  HttpResponse response =
      rate.allowed ? ProblemOf(error, request.request_id) : RefuseTooMany(request, rate, limited_strangers_);
  AddRateHeaders(&response, "stranger", rule, rate);
  return response;
}

asio::awaitable<HttpResponse> ApiService::Serve(RouteHandler handler, const HttpRequest* request, PathParams params) {
  const Result<Caller> caller = Authenticate(*request, *dependencies_.keys, dependencies_.clock->Now());
  if (!caller) co_return RefuseStranger(*request, caller.error());

  const RateRule& rule = RuleFor(dependencies_.rates, *caller);
  const RateDecision rate = dependencies_.rate_limiter->Take(BucketOf(*caller), rule, SteadyNow());
  const Counter& limited = SpeaksForPlatform(*caller) ? limited_platforms_ : limited_users_;
  HttpResponse response = rate.allowed ? co_await ServeCaller(handler, request, std::move(params), *caller)
                                       : RefuseTooMany(*request, rate, limited);
  AddRateHeaders(&response, CallerKind(*caller), rule, rate);
  co_return response;
}

asio::awaitable<Status> ApiService::CheckActive(Caller caller) {
  // Only whom the index does not know can have been erased, so nobody else waits for the graph.
  const FeedIndex* const index = live().index;
  const bool is_platform = SpeaksForPlatform(caller);
  if (index != nullptr && index->KnowsUser(caller.subject)) {
    if (is_platform) active_.Forget(caller.subject);  // from now on they can be erased
    co_return Status();
  }
  if (active_.Has(caller.subject, SteadyNow())) co_return Status();
  Query<void> check = [user = caller.subject](GraphStore& graph) { return RefuseErased(graph, user); };
  try {
    const Status active = co_await QueryGraph(&dependencies_, std::move(check));
    if (active) active_.Add(caller.subject, SteadyNow());
    if (!active && active.error().failure == Failure::kUnauthenticated) active_.Forget(caller.subject);
    co_return active;
  } catch (const StoreError& failure) {
    // Nobody is created or erased while the graph is away, so what it last said of a platform's own name still holds.
    const bool is_away = failure.error().failure == Failure::kUnavailable;
    if (!is_platform || !is_away || !active_.Remembers(caller.subject)) throw;
  }
  active_.Add(caller.subject, SteadyNow());  // not every request waits for a graph that does not answer
  co_return Status();
}

asio::awaitable<HttpResponse> ApiService::ServeCaller(RouteHandler handler, const HttpRequest* request,
                                                      PathParams params, Caller caller) {
  Result<RequestContext> context = RequestContext::Make(&dependencies_, &live(), generation_, request, caller);
  if (!context) co_return ProblemOf(context.error(), request->request_id);
  const Status active = co_await CheckActive(caller);
  if (!active) co_return ProblemOf(active.error(), request->request_id);
  Result<HttpResponse> answer = co_await handler(&*context, params);
  HttpResponse response =
      answer ? *std::move(answer) : ProblemOf(AsSent(answer.error(), *request, params), request->request_id);
  // Answers are for one caller and this moment.
  response.headers.emplace_back("Cache-Control", "no-store");
  context->Mark(&response);
  if (context->behind()) ReportBehind(*request);
  co_return response;
}

}  // namespace novafeed
