#include "warehouse/log_positions.h"

#include <algorithm>

#include "warehouse/sql.h"

namespace novafeed {

std::optional<EventPoints> LogPositions::Find(std::string_view stream) const {
  std::optional<EventPoints> found;
  for (const StreamPoint& point : points_) {
    if (point.stream != stream) continue;
    if (!found) found.emplace();
    (*found)[point.partition] = point.point;
  }
  return found;
}

bool LogPositions::HasOther(std::string_view generation) const {
  return std::any_of(points_.begin(), points_.end(),
                     [generation](const StreamPoint& point) { return point.generation != generation; });
}

Position LogPositions::Both(std::string_view changes_stream, std::string_view events_stream) const {
  const std::optional<EventPoints> changes = Find(changes_stream);
  const std::optional<EventPoints> events = Find(events_stream);
  if (!changes || !events) return {};
  return {points_.front().generation, (*changes)[0], *events};
}

Result<LogPositions> ReadLogPositions(Olap* olap, const OlapCall& call) {
  Result<OlapRows> rows = olap->Query(WarehouseSql("read_log_positions"), {}, call);
  if (!rows) return tl::unexpected<Error>(std::move(rows.error()));
  std::vector<StreamPoint> points;
  while (!rows->AtEnd()) {
    StreamPoint& point = points.emplace_back();
    point.stream = rows->String();
    point.partition = rows->UInt16();
    point.generation = rows->String();
    point.point = rows->Int64();
  }
  return LogPositions(std::move(points));
}

Status WriteLogPositions(Olap* olap, const std::vector<StreamPoint>& points, std::uint64_t version,
                         const OlapCall& call) {
  std::string entries;
  for (const StreamPoint& point : points) {
    entries.append(entries.empty() ? "[('" : ",('").append(point.stream).append("',");
    entries.append(std::to_string(point.partition)).append(",").append(std::to_string(point.point)).append(")");
  }
  const OlapParams params{
      {"points", entries + "]"}, {"generation", points.front().generation}, {"version", std::to_string(version)}};
  return olap->Execute(WarehouseSql("write_log_positions"), params, call);
}

}  // namespace novafeed
