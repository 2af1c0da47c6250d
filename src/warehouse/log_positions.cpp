#include "warehouse/log_positions.h"

#include <algorithm>

#include "warehouse/sql.h"

namespace novafeed {

const StreamPoint* LogPositions::Find(std::string_view stream) const {
  const auto found = std::find_if(points_.begin(), points_.end(),
                                  [stream](const StreamPoint& point) { return point.stream == stream; });
  return found == points_.end() ? nullptr : &*found;
}

bool LogPositions::HasOther(std::string_view generation) const {
  return std::any_of(points_.begin(), points_.end(),
                     [generation](const StreamPoint& point) { return point.generation != generation; });
}

Position LogPositions::Both(std::string_view changes_stream, std::string_view events_stream) const {
  const StreamPoint* changes = Find(changes_stream);
  const StreamPoint* events = Find(events_stream);
  if (changes == nullptr || events == nullptr) return {};
  return {changes->generation, changes->point, events->point};
}

Result<LogPositions> ReadLogPositions(Olap* olap, const OlapCall& call) {
  Result<OlapRows> rows = olap->Query(WarehouseSql("read_log_positions"), {}, call);
  if (!rows) return tl::unexpected<Error>(std::move(rows.error()));
  std::vector<StreamPoint> points;
  while (!rows->AtEnd()) {
    StreamPoint& point = points.emplace_back();
    point.stream = rows->String();
    point.generation = rows->String();
    point.point = rows->Int64();
  }
  return LogPositions(std::move(points));
}

Status WriteLogPositions(Olap* olap, const std::vector<StreamPoint>& points, std::uint64_t version,
                         const OlapCall& call) {
  std::string streams;
  std::string numbers;
  for (const StreamPoint& point : points) {
    streams.append(streams.empty() ? "['" : ",'").append(point.stream).append("'");
    numbers.append(numbers.empty() ? "[" : ",").append(std::to_string(point.point));
  }
  const OlapParams params{{"streams", streams + "]"},
                          {"points", numbers + "]"},
                          {"generation", points.front().generation},
                          {"version", std::to_string(version)}};
  return olap->Execute(WarehouseSql("write_log_positions"), params, call);
}

}  // namespace novafeed
