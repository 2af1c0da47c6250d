#include "check/report.h"

#include <algorithm>

#include "base/json.h"

namespace novafeed {
namespace {

void WriteRelation(const RelationReport& report, JsonWriter* json) {
  json->BeginObject();
  json->Key("name").String(SpecOf(report.relation).name);
  json->Key("agrees").Bool(report.Agrees());
  json->Key("compared").Int(report.compared);
  json->Key("missing").Int(report.missing).Key("extra").Int(report.extra);
  json->Key("different").Int(report.different).Key("ahead").Int(report.ahead);
  json->Key("examples").BeginArray();
  for (const DifferenceExample& example : report.examples) {
    json->BeginObject();
    json->Key("kind").String(DifferenceName(example.kind));
    json->Key("key").String(example.key).Key("detail").String(example.detail);
    json->EndObject();
  }
  json->EndArray();
  if (!report.failure.empty()) json->Key("failure").String(report.failure);
  json->EndObject();
}

void WriteSchema(const std::vector<SchemaDifference>& schema, JsonWriter* json) {
  json->BeginArray();
  for (const SchemaDifference& difference : schema) {
    json->BeginObject();
    json->Key("kind").String(DifferenceName(difference.kind));
    json->Key("object").String(difference.object).Key("detail").String(difference.detail);
    json->EndObject();
  }
  json->EndArray();
}

void WriteReport(const CheckReport& report, JsonWriter* json) {
  json->Key("differences").Int(report.Differences());
  json->Key("position");
  RenderPosition(report.end, json);
  json->Key("warehouse_position");
  RenderPosition(report.warehouse, json);
  json->Key("index_position");
  RenderPosition(report.index, json);
  json->Key("events_from");
  if (report.events_from) {
    json->Int(*report.events_from);
  } else {
    json->Null();
  }
  json->Key("schema");
  WriteSchema(report.schema, json);
  json->Key("tables").BeginArray();
  for (const RelationReport& relation : report.relations) WriteRelation(relation, json);
  json->EndArray();
  json->Key("broken_messages").Int(report.broken_messages);
}

}  // namespace

void RelationReport::Add(const Difference& difference) {
  switch (difference.kind) {
    case DifferenceKind::kMissing:
      ++missing;
      break;
    case DifferenceKind::kExtra:
      ++extra;
      break;
    case DifferenceKind::kDifferent:
      ++different;
      break;
    case DifferenceKind::kAhead:
      ++ahead;
      break;
  }
  if (examples.size() >= kMaxExamples) return;
  const std::string detail = difference.kind == DifferenceKind::kAhead
                                 ? "version " + std::to_string(difference.found[0]) + " beyond the log's " +
                                       std::to_string(difference.expected[0])
                                 : DescribeDifference(relation, difference);
  examples.push_back({difference.kind, DescribeKey(relation, difference.key), detail});
}

bool CheckReport::Agrees() const {
  return schema.empty() &&
         std::all_of(relations.begin(), relations.end(), [](const RelationReport& report) { return report.Agrees(); });
}

std::int64_t CheckReport::Differences() const {
  auto differences = static_cast<std::int64_t>(schema.size());
  for (const RelationReport& report : relations) {
    differences += report.Differences() + (report.failure.empty() ? 0 : 1);
  }
  return differences;
}

std::string RenderJson(const CheckOutcome& outcome) {
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Key("agree").Bool(outcome.Agrees());
  WriteReport(outcome.report, &json);
  json.Key("mended").BeginArray();
  for (const std::string& line : outcome.mended) json.String(line);
  json.EndArray();
  if (!outcome.after.empty()) {
    json.Key("after").BeginObject();
    json.Key("agree").Bool(outcome.after.back().Agrees());
    WriteReport(outcome.after.back(), &json);
    json.EndObject();
  }
  json.EndObject();
  return text;
}

}  // namespace novafeed
