#include "app/admin_service.h"

#include <boost/json/value.hpp>
#include <functional>
#include <utility>

#include "api/context.h"
#include "api/lookups.h"
#include "api/parameters.h"
#include "api/problem.h"
#include "api/render.h"
#include "base/json.h"
#include "base/log.h"
#include "import/importer.h"
#include "import/wire.h"
#include "runtime/await.h"
#include "social/ids.h"

namespace novafeed {
namespace {

namespace asio = boost::asio;

// The JSON that a route answers with.
using Answer = Result<std::string>;

tl::unexpected<Error> Booting() {
  return Fail(Failure::kUnavailable, "booting", "The index is still being built: ask again in a moment.", 1000);
}

tl::unexpected<Error> NoWarehouse() {
  return Fail(Failure::kConflict, "no_warehouse", "This server runs without a warehouse: see warehouse.engine.");
}

void RenderSizes(JsonWriter* json, const IndexSizes& sizes) {
  const auto count = [json](std::string_view name, std::size_t value) {
    json->Key(name).Int(static_cast<std::int64_t>(value));
  };
  json->Key("index").BeginObject();
  count("users", sizes.users);
  count("posts", sizes.posts);
  count("follows", sizes.follows);
  count("interactions", sizes.interactions);
  count("hour_entries", sizes.hour_entries);
  count("content_bytes", sizes.content_bytes);
  json->EndObject();
}

void RenderWarehouse(JsonWriter* json, const WarehouseFiller* filler) {
  json->Key("warehouse").BeginObject();
  if (filler == nullptr) {
    json->Key("state").String("off").EndObject();
    return;
  }
  const SinkStatus status = filler->status();
  json->Key("state").String(SinkPhaseName(status.phase)).Key("reason").String(status.reason);
  json->Key("applied");
  RenderPosition(status.applied, json);
  json->Key("reading");
  RenderPosition(status.reading, json);
  json->Key("lag_seconds").Double(filler->LagSeconds());
  json->Key("entries_left").Int(status.entries_left).Key("entries_per_second").Double(status.entries_per_second);
  json->EndObject();
}

// A sequence, or one for each partition; those that are not named are 0.
Result<EventPoints> ParseEventPoints(const boost::json::value& given) {
  if (given.is_int64()) return EventPoints{given.get_int64()};
  const auto wrong = [] {
    return Fail(Failure::kUnprocessable, "wrong_type",
                "\"events\" is a sequence, or a list with one for each partition, at most " +
                    std::to_string(kMaxEventPartitions) + ".");
  };
  if (!given.is_array() || given.get_array().size() > kMaxEventPartitions) return wrong();
  EventPoints points;
  std::size_t partition = 0;
  for (const boost::json::value& point : given.get_array()) {
    if (!point.is_int64()) return wrong();
    points[partition++] = point.get_int64();
  }
  return points;
}

Result<SinkRewind> ParseRewind(const HttpRequest& request) {
  const Result<boost::json::value> body = JsonBody(request);
  if (!body) return tl::unexpected<Error>(body.error());
  JsonFields fields(*body);
  SinkRewind rewind;
  const Result<std::optional<std::int64_t>> changes = fields.OptionalInt("changes");
  if (!changes) return tl::unexpected<Error>(changes.error());
  rewind.changes = *changes;
  if (const boost::json::value* given = fields.Find("events"); given != nullptr && !given->is_null()) {
    const Result<EventPoints> events = ParseEventPoints(*given);
    if (!events) return tl::unexpected<Error>(events.error());
    rewind.events = *events;
  }
  if (const boost::json::value* state = fields.Find("state"); state != nullptr) {
    if (!state->is_bool()) return Fail(Failure::kUnprocessable, "wrong_type", "\"state\" is true or false.");
    rewind.state = state->get_bool();
  }
  if (const Status others = fields.RefuseOthers(); !others) return tl::unexpected<Error>(others.error());
  return rewind;
}

Result<RankRequest> ParseRankRequest(const HttpRequest& request) {
  const Result<QueryParams> query = ParseQuery(request);
  if (!query) return tl::unexpected<Error>(query.error());
  const Result<UserId> viewer = PathIdAs<UserId>(IdKind::kUser, query->Get("user").value_or(""));
  if (!viewer) return tl::unexpected<Error>(viewer.error());
  const auto as_of = IntParam(*query, "as_of", 0, kMaxTime - 1);
  if (!as_of) return tl::unexpected<Error>(as_of.error());
  const auto trending_as_of = IntParam(*query, "trending_as_of", 0, kMaxTime - 1);
  if (!trending_as_of) return tl::unexpected<Error>(trending_as_of.error());
  const auto engine = ParseRankEngine(query->Get("engine").value_or("index"));
  if (!engine) return tl::unexpected<Error>(engine.error());
  return RankRequest{*viewer, *as_of, *trending_as_of, *engine};
}

// What a pool gave back for a request.
HttpResponse Conclude(Answer done, const HttpRequest& request) {
  if (!done) return ProblemOf(done.error(), request.request_id);
  return JsonAnswer(200, *std::move(done));
}

}  // namespace

AdminService::AdminService(AdminDependencies dependencies)
    : dependencies_(std::move(dependencies)),
      dropped_log_lines_(dependencies_.metrics->AddGauge(
          "novafeed_log_dropped_lines", "Log lines that were dropped because standard error was too slow.")),
      dispatcher_(dependencies_.metrics, "admin") {
  AddRoute(Method::kGet, "/admin/status", &AdminService::ShowStatus);
  AddRoute(Method::kPost, "/admin/snapshot", &AdminService::SaveSnapshot);
  AddRoute(Method::kPost, "/admin/purge", &AdminService::Purge);
  AddRoute(Method::kPost, std::string(kImportPath), &AdminService::Import);
  AddRoute(Method::kPost, "/admin/clock", &AdminService::MoveClock);
  AddRoute(Method::kPost, "/admin/warehouse/rewind", &AdminService::RewindWarehouse);
  dispatcher_.Add(Method::kGet, "/admin/rank",
                  [this](const HttpRequest& request, const PathParams&) { return ServeRank(&request); });
  dispatcher_.Add(Method::kPost, "/admin/check",
                  [this](const HttpRequest& request, const PathParams&) { return ServeCheck(&request); });
  dispatcher_.Add(Method::kGet, "/metrics",
                  [this](const HttpRequest& request, const PathParams&) { return ServeMetrics(&request); });
}

void AdminService::Open(const AdminLive& live) {
  live_ = live;
  open_.store(true);
}

Handler AdminService::import_handler() {
  return [this](const HttpRequest& request, const PathParams&) { return Serve(&AdminService::Import, &request); };
}

std::size_t AdminService::BodyAllowance(const HttpRequest& head) const {
  if (head.path != kImportPath) return 0;
  const Result<Caller> caller = Authenticate(head, *dependencies_.keys, dependencies_.clock->Now());
  return caller && RequireAdmin(*caller) ? kMaxImportRequestBytes : 0;
}

void AdminService::AddRoute(Method method, const std::string& pattern, Work work) {
  dispatcher_.Add(method, pattern,
                  [this, work](const HttpRequest& request, const PathParams&) { return Serve(work, &request); });
}

asio::awaitable<Status> AdminService::CheckAdmin(const HttpRequest* request) const {
  const Result<Caller> caller = Authenticate(*request, *dependencies_.keys, dependencies_.clock->Now());
  if (!caller) co_return tl::unexpected<Error>(caller.error());
  if (const Status allowed = RequireAdmin(*caller); !allowed) co_return allowed;
  std::function<Status()> check = [graph = dependencies_.graph, subject = caller->subject] {
    return RefuseErased(*graph, subject);
  };
  co_return co_await AwaitResult(dependencies_.workers, std::move(check));
}

asio::awaitable<HttpResponse> AdminService::Serve(Work work, const HttpRequest* request) {
  if (const Status allowed = co_await CheckAdmin(request); !allowed) {
    co_return ProblemOf(allowed.error(), request->request_id);
  }
  // The request outlives this coroutine, which outlives the call.
  std::function<Answer()> call = [this, work, request] { return (this->*work)(*request); };
  co_return Conclude(co_await AwaitResult(dependencies_.workers, std::move(call)), *request);
}

asio::awaitable<HttpResponse> AdminService::ServeRank(const HttpRequest* request) {
  if (const Status allowed = co_await CheckAdmin(request); !allowed) {
    co_return ProblemOf(allowed.error(), request->request_id);
  }
  if (!open_) co_return ProblemOf(Booting().value(), request->request_id);
  const Result<RankRequest> wanted = ParseRankRequest(*request);
  if (!wanted) co_return ProblemOf(wanted.error(), request->request_id);
  std::function<Answer()> call = [desk = live_.desk, wanted = *wanted] { return desk->Rank(wanted); };
  BlockingPool* pool = live_.desk->IsLive(*wanted) ? dependencies_.workers : dependencies_.builders;
  co_return Conclude(co_await AwaitResult(pool, std::move(call)), *request);
}

asio::awaitable<HttpResponse> AdminService::ServeCheck(const HttpRequest* request) {
  if (const Status allowed = co_await CheckAdmin(request); !allowed) {
    co_return ProblemOf(allowed.error(), request->request_id);
  }
  if (!open_) co_return ProblemOf(Booting().value(), request->request_id);
  if (live_.check == nullptr) co_return ProblemOf(NoWarehouse().value(), request->request_id);
  const Result<QueryParams> query = ParseQuery(*request);
  if (!query) co_return ProblemOf(query.error(), request->request_id);
  const bool repair = query->Get("repair") == "1";
  std::function<Answer()> call = [this, repair] { return live_.check->Answer(repair); };
  co_return Conclude(co_await AwaitResult(dependencies_.checkers, std::move(call)), *request);
}

asio::awaitable<HttpResponse> AdminService::ServeMetrics(const HttpRequest* request) {
  if (dependencies_.metrics_need_token) {
    const Status allowed = co_await CheckAdmin(request);
    if (!allowed) co_return ProblemOf(allowed.error(), request->request_id);
  }
  dropped_log_lines_.Set(static_cast<double>(DroppedLogLines()));
  HttpResponse response = JsonAnswer(200, dependencies_.metrics->Render());
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  co_return response;
}

Result<std::string> AdminService::ShowStatus(const HttpRequest&) {
  std::string text;
  JsonWriter json(&text);
  json.BeginObject().Key("ready").Bool(open_).Key("now").Int(dependencies_.clock->Now());
  json.Key("generation").String(dependencies_.graph->Generation());
  json.Key("log_end");
  RenderPosition({{}, dependencies_.changes->End(), dependencies_.events->End()}, &json);
  if (open_) {
    json.Key("applied");
    RenderPosition(live_.index->position(), &json);
    json.Key("counters_as_of").Int(live_.applier->CountersAsOf()).Key("windows_at").Int(live_.index->anchor());
    RenderSizes(&json, live_.index->Sizes());
    RenderWarehouse(&json, live_.warehouse);
  }
  json.EndObject();
  return text;
}

Result<std::string> AdminService::SaveSnapshot(const HttpRequest&) {
  if (!open_) return Booting();
  const Result<Position> saved = dependencies_.save_snapshot();
  if (!saved) return tl::unexpected<Error>(saved.error());
  std::string text;
  JsonWriter json(&text);
  json.BeginObject().Key("saved");
  RenderPosition(*saved, &json);
  json.EndObject();
  return text;
}

Result<std::string> AdminService::Purge(const HttpRequest&) {
  if (!open_) return Booting();
  const PurgeReport report = dependencies_.purge();
  std::string text;
  JsonWriter json(&text);
  json.BeginObject().Key("users").Int(report.users).Key("pages").Int(report.pages).EndObject();
  return text;
}

Result<std::string> AdminService::Import(const HttpRequest& request) {
  return HandleImportRequest(request.body, dependencies_.graph, dependencies_.events);
}

Result<std::string> AdminService::MoveClock(const HttpRequest& request) {
  if (!dependencies_.move_clock) {
    return Fail(Failure::kConflict, "no_test_clock", "This server goes by the real time: start it with --test-clock.");
  }
  if (!open_) return Booting();
  const Result<boost::json::value> body = JsonBody(request);
  if (!body) return tl::unexpected<Error>(body.error());
  JsonFields fields(*body);
  const Result<std::int64_t> now = fields.RequireInt("now");
  if (!now) return tl::unexpected<Error>(now.error());
  if (const Status others = fields.RefuseOthers(); !others) return tl::unexpected<Error>(others.error());
  if (const Status moved = dependencies_.move_clock(*now); !moved) return tl::unexpected<Error>(moved.error());
  return "{\"now\":" + std::to_string(*now) + "}";
}

Result<std::string> AdminService::RewindWarehouse(const HttpRequest& request) {
  if (!open_) return Booting();
  if (live_.warehouse == nullptr) return NoWarehouse();
  const Result<SinkRewind> rewind = ParseRewind(request);
  if (!rewind) return tl::unexpected<Error>(rewind.error());
  if (const Status begun = live_.warehouse->Rewind(*rewind); !begun) return tl::unexpected<Error>(begun.error());
  return "{}";
}

}  // namespace novafeed
