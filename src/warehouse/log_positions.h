// How far the warehouse has applied the log: novafeed.log_positions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "stream/event_points.h"
#include "stream/position.h"
#include "warehouse/olap.h"

namespace novafeed {

// The streams of the table; those of changes have one partition.
inline constexpr std::string_view kChangesStream = "changes";  // every entry up to there is in the tables, and counted
inline constexpr std::string_view kEventsStream = "events";
inline constexpr std::string_view kChangesLandedStream = "changes_landed";  // in the tables, perhaps not counted
inline constexpr std::string_view kEventsLandedStream = "events_landed";
inline constexpr std::string_view kChangesFromStream = "changes_from";  // where the first filling began to read
inline constexpr std::string_view kEventsFromStream = "events_from";

struct StreamPoint {
  std::string stream;
  std::size_t partition = 0;
  std::string generation;  // of the data set
  std::int64_t point = 0;
  friend bool operator==(const StreamPoint&, const StreamPoint&) = default;
};

// What a warehouse says of itself; without a schema that is an "olap_error".
class LogPositions {
 public:
  explicit LogPositions(std::vector<StreamPoint> points) : points_(std::move(points)) {}

  // The points of all partitions of a stream, where anything was written of it.
  std::optional<EventPoints> Find(std::string_view stream) const;
  // Nothing was ever begun here.
  bool empty() const { return points_.empty(); }
  // Some stream is of another data set than `generation`.
  bool HasOther(std::string_view generation) const;
  // Both streams, or Position{} while the first filling has not got to the log.
  Position Applied() const { return Both(kChangesStream, kEventsStream); }
  // The same of what is in the tables; never behind Applied().
  Position Landed() const { return Both(kChangesLandedStream, kEventsLandedStream); }

 private:
  Position Both(std::string_view changes_stream, std::string_view events_stream) const;

  std::vector<StreamPoint> points_;
};

Result<LogPositions> ReadLogPositions(Olap* olap, const OlapCall& call);

// In one block. `version` above that of what they replace.
Status WriteLogPositions(Olap* olap, const std::vector<StreamPoint>& points, std::uint64_t version,
                         const OlapCall& call);

}  // namespace novafeed
