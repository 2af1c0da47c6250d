#include "app/pipeline_route.h"

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "api/context.h"
#include "api/render.h"
#include "base/json.h"
#include "index/applier.h"
#include "runtime/await.h"

namespace novafeed {
namespace {

namespace asio = boost::asio;

struct FieldOfMetric {
  std::string_view field;
  std::string metric;
};

const FieldOfMetric kCacheFields[] = {{"hits", "novafeed_cache_hits_total"}, {"misses", "novafeed_cache_misses_total"}};
const FieldOfMetric kJobFields[] = {{"period_seconds", "novafeed_job_period_seconds"},
                                    {"runs", "novafeed_job_runs_total"},
                                    {"failures", "novafeed_job_failures_total"},
                                    {"last_seconds", "novafeed_job_last_seconds"},
                                    {"last_result", "novafeed_job_last_result"}};

// [{"<label>":…,"<field>":…}…]: one object for each value of the label, with its metrics as fields.
void WriteByLabel(JsonWriter* json, const MetricsReading& reading, const std::string& label,
                  std::span<const FieldOfMetric> fields) {
  std::map<std::string, std::map<std::string_view, double>> rows;
  for (const auto& [field, metric] : fields) {
    for (const MetricsReading::Value& value : reading.Values(metric)) rows[value.labels.at(label)][field] = value.value;
  }
  json->BeginArray();
  for (const auto& [name, row] : rows) {
    json->BeginObject().Key(label).String(name);
    for (const auto& [field, metric] : fields) {
      const auto found = row.find(field);
      json->Key(field).Double(found == row.end() ? 0 : found->second);
    }
    json->EndObject();
  }
  json->EndArray();
}

void WriteLikes(JsonWriter* json, const MetricsReading::Distribution& likes) {
  json->BeginObject().Key("count").Int(static_cast<std::int64_t>(likes.count)).Key("sum_seconds").Double(likes.sum);
  json->Key("buckets").BeginArray();
  for (const auto& [bound, count] : likes.buckets) {
    json->BeginObject().Key("at_most_seconds").Double(bound);
    json->Key("count").Int(static_cast<std::int64_t>(count)).EndObject();
  }
  json->EndArray().EndObject();
}

void WriteWarehouse(JsonWriter* json, WarehouseStack* warehouse, WarehouseRows* warehouse_rows) {
  if (warehouse == nullptr) {
    json->Null();
    return;
  }
  const SinkStatus status = warehouse->filler().status();
  json->BeginObject().Key("state").String(SinkPhaseName(status.phase)).Key("reason").String(status.reason);
  json->Key("applied");
  RenderPosition(status.applied, json);
  json->Key("lag_seconds").Double(warehouse->filler().LagSeconds()).Key("tables");
  const std::optional<WarehouseRows::Rows> rows = warehouse_rows->Count();
  if (!rows) {
    json->Null().EndObject();
    return;
  }
  json->BeginArray();
  for (const auto& [table, count] : *rows) {
    json->BeginObject().Key("table").String(table).Key("rows").Int(static_cast<std::int64_t>(count)).EndObject();
  }
  json->EndArray().EndObject();
}

// Blocks: it asks the log and the warehouse's engine.
std::string Render(const PipelineDependencies& dependencies, const LiveIndex& live) {
  const MetricsReading reading = dependencies.metrics->Read();
  const TimeMs now = dependencies.clock->Now();
  std::string body;
  JsonWriter json(&body);
  json.BeginObject().Key("at").Int(now);
  json.Key("log");
  RenderPosition({{}, dependencies.changes->End(), dependencies.events->End()}, &json);
  json.Key("index").BeginObject().Key("applied");
  RenderPosition(live.applier->Applied(), &json);
  json.Key("lag_seconds").Double(static_cast<double>(now - live.applier->CountersAsOf()) / 1000.0).EndObject();
  json.Key("warehouse");
  WriteWarehouse(&json, dependencies.warehouse, dependencies.warehouse_rows);
  json.Key("likes");
  WriteLikes(&json, reading.DistributionOf("novafeed_like_to_feed_seconds"));
  json.Key("cache");
  WriteByLabel(&json, reading, "kind", kCacheFields);
  json.Key("jobs");
  WriteByLabel(&json, reading, "job", kJobFields);
  json.EndObject();
  return body;
}

asio::awaitable<Result<HttpResponse>> Show(PipelineDependencies dependencies, RequestContext* context) {
  if (!dependencies.for_everybody) {
    const Status allowed = RequirePlatform(context->caller(), "The state of the pipeline");
    if (!allowed) co_return tl::unexpected<Error>(allowed.error());
  }
  std::function<Result<std::string>()> render = [dependencies, live = context->live()] {
    return Render(dependencies, live);
  };
  BlockingPool* const pool =
      dependencies.warehouse == nullptr ? context->dependencies().readers : context->dependencies().warehouse;
  const Result<std::string> body = co_await AwaitResult(pool, std::move(render));
  co_return body.map([](const std::string& text) { return JsonAnswer(200, text); });
}

}  // namespace

void AddPipelineRoute(ApiService* api, const PipelineDependencies& dependencies) {
  api->AddApiRoute({Method::kGet, "/api/v1/pipeline",
                    [dependencies](RequestContext* context, PathParams) { return Show(dependencies, context); }});
}

}  // namespace novafeed
