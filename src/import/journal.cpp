#include "import/journal.h"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

namespace novafeed {
namespace {

namespace json = boost::json;

// Old points of a file that grows for ever; what is forgotten is only that a copy from back then was imported.
constexpr std::size_t kMaxPoints = 50;

tl::unexpected<Error> BadJournal() {
  return Fail(Failure::kInvalid, "bad_journal", "The record of this import is damaged: import into a new directory.");
}

void WritePoint(const ImportPoint& point, JsonWriter& out) {
  out.BeginObject();
  WriteMark(point.applied, out.Key("applied"));
  WriteMark(point.events, out.Key("events"));
  out.Key("without_event").BeginArray();
  for (const std::int64_t line : point.without_event) out.Int(line);
  out.EndArray();
  out.Key("shift").Int(point.shift).Key("complete").Bool(point.complete).Key("tail").String(point.tail);
  out.Key("rejected").Int(point.rejected).Key("tail_rejected").Bool(point.tail_rejected).EndObject();
}

Result<ImportPoint> ReadPoint(const json::value& value) {
  JsonFields fields(value);
  Result<Mark> applied = ReadMark(fields.Find("applied"));
  Result<Mark> events = ReadMark(fields.Find("events"));
  Result<std::vector<std::int64_t>> without_event = ReadNumbers(fields.Find("without_event"));
  const Result<std::int64_t> shift = fields.RequireInt("shift");
  const json::value* complete = fields.Find("complete");
  Result<std::string> tail = fields.RequireString("tail");
  const Result<std::int64_t> rejected = fields.RequireInt("rejected");
  const json::value* tail_rejected = fields.Find("tail_rejected");
  const bool has_flags =
      complete != nullptr && complete->is_bool() && tail_rejected != nullptr && tail_rejected->is_bool();
  if (!applied || !events || !without_event || !shift || !tail || !rejected || !has_flags) return BadJournal();
  return ImportPoint{std::move(*applied), std::move(*events), std::move(*without_event), *shift, complete->get_bool(),
                     std::move(*tail),    *rejected,          tail_rejected->get_bool()};
}

template <class Matches>
std::size_t FindPoint(const std::vector<ImportPoint>& points, const Matches& matches) {
  const auto found = std::find_if(points.begin(), points.end(), matches);
  return found == points.end() ? BatchPlace::kNewFile : static_cast<std::size_t>(found - points.begin());
}

}  // namespace

ImportPoint StartPoint(TimeMs shift) {
  ImportPoint point;
  point.applied = StartMark();
  point.events = point.applied;
  point.shift = shift;
  return point;
}

std::string JournalKey(std::string_view head) {
  return "import/" + std::string(head);
}

void WriteMark(const Mark& mark, JsonWriter& json) {
  json.BeginObject();
  json.Key("offset").Int(mark.offset).Key("lines").Int(mark.lines).Key("sha256").String(mark.sha256);
  json.EndObject();
}

Result<Mark> ReadMark(const json::value* value) {
  if (value == nullptr) return BadJournal();
  JsonFields fields(*value);
  const Result<std::int64_t> offset = fields.RequireInt("offset");
  const Result<std::int64_t> lines = fields.RequireInt("lines");
  Result<std::string> sha256 = fields.RequireString("sha256");
  if (!offset || !lines || !sha256 || *offset < 0 || *lines < 0 || sha256->size() != 64) return BadJournal();
  return Mark{*offset, *lines, std::move(*sha256)};
}

Result<std::vector<std::int64_t>> ReadNumbers(const json::value* value) {
  if (value == nullptr || !value->is_array()) return BadJournal();
  std::vector<std::int64_t> numbers;
  for (const json::value& number : value->get_array()) {
    if (!number.is_int64()) return BadJournal();
    numbers.push_back(number.get_int64());
  }
  return numbers;
}

std::string EncodePoints(const std::vector<ImportPoint>& points) {
  std::string text;
  JsonWriter out(&text);
  out.BeginArray();
  for (const ImportPoint& point : points) WritePoint(point, out);
  out.EndArray();
  return text;
}

Result<std::vector<ImportPoint>> DecodePoints(std::string_view text) {
  const Result<json::value> value = ParseJson(text);
  if (!value) return BadJournal();
  return ReadPoints(*value);
}

Result<std::vector<ImportPoint>> ReadPoints(const json::value& value) {
  if (!value.is_array()) return BadJournal();
  std::vector<ImportPoint> points;
  for (const json::value& element : value.get_array()) {
    Result<ImportPoint> point = ReadPoint(element);
    if (!point) return tl::unexpected<Error>(std::move(point.error()));
    points.push_back(std::move(*point));
  }
  return points;
}

Result<BatchPlace> FindPlace(const std::vector<ImportPoint>& points, const Mark& start, const Mark& end) {
  const std::size_t replayed = FindPoint(
      points, [&](const ImportPoint& point) { return point.events == start && point.applied == end && start != end; });
  if (replayed != BatchPlace::kNewFile) return BatchPlace{BatchRole::kReplayEvents, replayed};

  const auto follows = [&](bool complete) {
    return FindPoint(points,
                     [&](const ImportPoint& point) { return point.complete == complete && point.applied == start; });
  };
  const std::size_t going_on = follows(false);
  const std::size_t place = going_on != BatchPlace::kNewFile ? going_on : follows(true);
  if (place == BatchPlace::kNewFile && start.lines > 0) {
    return Fail(Failure::kConflict, "import_out_of_step",
                "The same file is being imported by somebody else: wait for that, then start this import again.");
  }
  return BatchPlace{BatchRole::kApply, place};
}

void AdvancePoint(std::vector<ImportPoint>& points, const BatchPlace& place, ImportPoint next) {
  if (place.point != BatchPlace::kNewFile && !points[place.point].complete) {
    points[place.point] = std::move(next);
    return;
  }
  // Of imports that are under way nothing is forgotten.
  const auto oldest_end = std::find_if(points.begin(), points.end(), [](const ImportPoint& p) { return p.complete; });
  if (points.size() >= kMaxPoints && oldest_end != points.end()) points.erase(oldest_end);
  points.push_back(std::move(next));
}

}  // namespace novafeed
