#include "import/wire.h"

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <utility>

#include "base/json.h"
#include "import/line_feed.h"

namespace novafeed {
namespace {

namespace json = boost::json;

using Repeats = std::map<std::int64_t, std::int64_t>;  // line number -> ImportLine::repeat, where it is not 0

tl::unexpected<Error> BadRequest(const std::string& what) {
  return Fail(Failure::kUnprocessable, "bad_import_request",
              "The import request is wrong (" + what + "): use an import client of the same version.");
}

tl::unexpected<Error> BadAnswer() {
  return Fail(Failure::kInternal, "bad_import_answer",
              "The server's answer is not one to an import: check the address and that it has the same version.");
}

bool IsSha256Hex(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// How many lines follow the header: up to the last one that is an action.
std::int64_t LinesToSend(const ImportBatch& batch) {
  return batch.lines.empty() ? 0 : batch.lines.back().number - batch.start.lines;
}

void WriteRepeats(const ImportBatch& batch, JsonWriter& out) {
  out.BeginArray();
  for (const ImportLine& line : batch.lines) {
    if (line.repeat > 0) out.BeginArray().Int(line.number).Int(line.repeat).EndArray();
  }
  out.EndArray();
}

void WriteRejected(const ImportBatch& batch, JsonWriter& out) {
  out.BeginArray();
  for (const ImportLine& line : batch.lines) {
    if (!line.action) out.Int(line.number);
  }
  out.EndArray();
}

void AppendLines(const ImportBatch& batch, std::string* body) {
  std::int64_t number = batch.start.lines;
  for (const ImportLine& line : batch.lines) {
    body->append(static_cast<std::size_t>(line.number - number - 1), '\n');
    if (line.action) body->append(batch.TextOf(line));
    body->push_back('\n');
    number = line.number;
  }
}

Result<Repeats> ReadRepeats(const json::value* value) {
  if (value == nullptr || !value->is_array()) return BadRequest("repeats");
  Repeats repeats;
  for (const json::value& element : value->get_array()) {
    const json::array* pair = element.if_array();
    if (pair == nullptr || pair->size() != 2 || !(*pair)[0].is_int64() || !(*pair)[1].is_int64()) {
      return BadRequest("repeats");
    }
    repeats[(*pair)[0].get_int64()] = (*pair)[1].get_int64();
  }
  return repeats;
}

ImportLine ReadLine(std::int64_t number, std::string_view text, const Repeats& repeats) {
  ImportLine line{number, 0, text.size(), ParseImportLine(text), {}, 0};
  const auto* event = line.action ? std::get_if<EventLine>(&line.action->body) : nullptr;
  if (event == nullptr) return line;
  const auto repeat = repeats.find(number);
  if (repeat != repeats.end()) line.repeat = repeat->second;
  line.event_id = event->id ? EventId{event->id->id} : DeriveEventId(*event, line.action->at, line.repeat);
  return line;
}

Status ReadLines(std::string_view text, std::int64_t count, const Repeats& repeats, ImportBatch* batch) {
  batch->text = text;
  std::size_t begin = 0;
  for (std::int64_t number = batch->start.lines + 1; number <= batch->start.lines + count; ++number) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) return BadRequest("fewer lines than announced");
    if (end > begin) {
      batch->lines.push_back(ReadLine(number, text.substr(begin, end - begin), repeats));
      batch->lines.back().text_at = begin;
    }
    begin = end + 1;
  }
  return begin == text.size() ? Status() : BadRequest("more lines than announced");
}

Result<ImportRequest> ReadApply(JsonFields& fields, std::string head, std::string_view text) {
  ImportBatch batch;
  batch.head = std::move(head);
  Result<Mark> start = ReadMark(fields.Find("start"));
  Result<Mark> end = ReadMark(fields.Find("end"));
  const Result<std::int64_t> shift = fields.RequireInt("shift");
  const Result<std::int64_t> lines = fields.RequireInt("lines");
  const json::value* complete = fields.Find("complete");
  Result<std::string> tail = fields.RequireString("tail");
  const Result<Repeats> repeats = ReadRepeats(fields.Find("repeats"));
  Result<std::vector<std::int64_t>> rejected = ReadNumbers(fields.Find("rejected"));
  if (!start || !end || !shift || !lines || complete == nullptr || !complete->is_bool() || !tail || !repeats ||
      !rejected) {
    return BadRequest("a field is missing or has the wrong type");
  }
  batch.start = std::move(*start);
  batch.end = std::move(*end);
  const std::int64_t whole_lines = batch.end.lines - batch.start.lines;
  if (whole_lines < 0 || *lines < 0 || *lines > whole_lines + 1) return BadRequest("lines");
  if (*shift <= -kMaxTime || *shift >= kMaxTime) return BadRequest("shift");
  batch.shift = *shift;
  batch.complete = complete->get_bool();
  batch.tail = std::move(*tail);
  batch.rejected_before = std::move(*rejected);
  if (Status read = ReadLines(text, *lines, *repeats, &batch); !read) {
    return tl::unexpected<Error>(std::move(read.error()));
  }
  return batch;
}

void WriteCounts(const ImportCounts& counts, JsonWriter& out) {
  out.BeginObject();
  for (std::size_t t = 0; t < kActionTypes; ++t) {
    const auto type = static_cast<ActionType>(t);
    out.Key(ActionTypeName(type)).BeginObject();
    for (std::size_t o = 0; o < kOutcomes; ++o) {
      const auto outcome = static_cast<Outcome>(o);
      if (counts.At(type, outcome) != 0) out.Key(OutcomeName(outcome)).Int(counts.At(type, outcome));
    }
    out.EndObject();
  }
  out.EndObject();
}

Result<ImportCounts> ReadCounts(const json::value* value) {
  if (value == nullptr) return BadAnswer();
  ImportCounts counts;
  JsonFields types(*value);
  for (std::size_t t = 0; t < kActionTypes; ++t) {
    const auto type = static_cast<ActionType>(t);
    const json::value* of_type = types.Find(ActionTypeName(type));
    if (of_type == nullptr) return BadAnswer();
    JsonFields outcomes(*of_type);
    for (std::size_t o = 0; o < kOutcomes; ++o) {
      const Result<std::optional<std::int64_t>> count = outcomes.OptionalInt(OutcomeName(static_cast<Outcome>(o)));
      if (!count) return BadAnswer();
      counts.At(type, static_cast<Outcome>(o)) = count->value_or(0);
    }
  }
  return counts;
}

Result<RejectedLine> ReadRejected(const json::value& value) {
  JsonFields fields(value);
  const Result<std::int64_t> line = fields.RequireInt("line");
  Result<std::string> code = fields.RequireString("code");
  Result<std::string> detail = fields.RequireString("detail");
  if (!line || !code || !detail) return BadAnswer();
  return RejectedLine{*line, std::move(*code), std::move(*detail)};
}

Result<LineRemark> ReadRemark(const json::value& value) {
  JsonFields fields(value);
  const Result<std::int64_t> line = fields.RequireInt("line");
  Result<std::string> text = fields.RequireString("text");
  if (!line || !text) return BadAnswer();
  return LineRemark{*line, std::move(*text)};
}

template <class T>
Result<std::vector<T>> ReadEach(const json::value* array, Result<T> (*read)(const json::value&)) {
  if (array == nullptr || !array->is_array()) return BadAnswer();
  std::vector<T> all;
  for (const json::value& element : array->get_array()) {
    Result<T> one = read(element);
    if (!one) return tl::unexpected<Error>(std::move(one.error()));
    all.push_back(std::move(*one));
  }
  return all;
}

}  // namespace

std::string EncodePointsRequest(std::string_view head) {
  std::string body;
  JsonWriter(&body).BeginObject().Key("op").String("points").Key("head").String(head).EndObject();
  return body;
}

std::string EncodeBatch(const ImportBatch& batch) {
  std::string body;
  body.reserve(batch.text.size() + batch.lines.size() + 1024);
  JsonWriter out(&body);
  out.BeginObject().Key("op").String("apply").Key("head").String(batch.head).Key("shift").Int(batch.shift);
  WriteMark(batch.start, out.Key("start"));
  WriteMark(batch.end, out.Key("end"));
  WriteRepeats(batch, out.Key("lines").Int(LinesToSend(batch)).Key("repeats"));
  WriteRejected(batch, out.Key("rejected"));
  out.Key("complete").Bool(batch.complete).Key("tail").String(batch.tail).EndObject();
  body.push_back('\n');
  AppendLines(batch, &body);
  return body;
}

Result<ImportRequest> DecodeImportRequest(std::string_view body) {
  const std::size_t header_end = std::min(body.find('\n'), body.size());
  const Result<json::value> header = ParseJson(body.substr(0, header_end));
  if (!header) return BadRequest("its first line is not JSON");
  JsonFields fields(*header);
  const Result<std::string> op = fields.RequireString("op");
  Result<std::string> head = fields.RequireString("head");
  if (!op || !head || !IsSha256Hex(*head)) return BadRequest("op or head");
  if (*op == "points") return PointsRequest{std::move(*head)};
  if (*op != "apply") return BadRequest("op");
  return ReadApply(fields, std::move(*head), body.substr(std::min(header_end + 1, body.size())));
}

std::string EncodePointsAnswer(const std::vector<ImportPoint>& points) {
  std::string body;
  JsonWriter(&body).BeginObject().Key("points").Raw(EncodePoints(points)).EndObject();
  return body;
}

Result<std::vector<ImportPoint>> DecodePointsAnswer(std::string_view body) {
  const Result<json::value> value = ParseJson(body);
  if (!value) return BadAnswer();
  const json::value* points = JsonFields(*value).Find("points");
  if (points == nullptr) return BadAnswer();
  return ReadPoints(*points);
}

std::string EncodeReport(const ImportReport& report) {
  std::string body;
  JsonWriter out(&body);
  out.BeginObject();
  WriteCounts(report.counts, out.Key("counts"));
  out.Key("users_by_mention").Int(report.users_by_mention);
  out.Key("numbered_handles").Int(report.numbered_handles);
  out.Key("rejected").BeginArray();
  for (const RejectedLine& line : report.rejected) {
    out.BeginObject().Key("line").Int(line.number).Key("code").String(line.code);
    out.Key("detail").String(line.detail).EndObject();
  }
  out.EndArray().Key("remarks").BeginArray();
  for (const LineRemark& remark : report.remarks) {
    out.BeginObject().Key("line").Int(remark.number).Key("text").String(remark.text).EndObject();
  }
  out.EndArray().EndObject();
  return body;
}

Result<ImportReport> DecodeReport(std::string_view body) {
  const Result<json::value> value = ParseJson(body);
  if (!value) return BadAnswer();
  JsonFields fields(*value);
  const Result<ImportCounts> counts = ReadCounts(fields.Find("counts"));
  const Result<std::int64_t> users_by_mention = fields.RequireInt("users_by_mention");
  const Result<std::int64_t> numbered_handles = fields.RequireInt("numbered_handles");
  Result<std::vector<RejectedLine>> rejected = ReadEach(fields.Find("rejected"), ReadRejected);
  Result<std::vector<LineRemark>> remarks = ReadEach(fields.Find("remarks"), ReadRemark);
  if (!counts || !users_by_mention || !numbered_handles || !rejected || !remarks) return BadAnswer();
  return ImportReport{*counts, *users_by_mention, *numbered_handles, std::move(*rejected), std::move(*remarks)};
}

}  // namespace novafeed
