// Messages for the landing tables: the same JSON that stands on the topics of the cluster profile.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "capture/change.h"
#include "stream/event_log.h"

namespace novafeed {

// In the order in which they are landed: tables of the schema, with their database.
inline constexpr std::array<std::string_view, 6> kLandingTables = {
    "novafeed.users_kafka", "novafeed.posts_kafka",   "novafeed.comments_kafka",
    "novafeed.likes_kafka", "novafeed.follows_kafka", "novafeed.events_kafka",
};

// Where lines of the format LineAsString go: the table and its one column that they fill.
inline std::string LandingLinesOf(std::size_t table) {
  return std::string(kLandingTables.at(table)) + " (raw)";
}

struct LandingLine {
  std::size_t table = 0;  // index in kLandingTables
  std::string line;       // one JSON document without a line break
};

// Pure, and the same for the same entry: a message that is sent again is the same message. A change is its envelope
// (capture/envelope.h) as of its commit; an event is what stream/event_json.h makes of it.
LandingLine LandingLineOf(const Change& change);
LandingLine LandingLineOf(const LoggedEvent& logged);

// Lines on their way, by table.
class LandingBatch {
 public:
  void Add(const LandingLine& line);
  void Clear();

  std::size_t rows() const { return rows_; }
  std::size_t bytes() const { return bytes_; }
  // As the format LineAsString has them.
  std::string_view LinesOf(std::size_t table) const { return lines_.at(table); }
  std::size_t RowsOf(std::size_t table) const { return rows_of_.at(table); }

 private:
  std::array<std::string, kLandingTables.size()> lines_;
  std::array<std::size_t, kLandingTables.size()> rows_of_{};
  std::size_t rows_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace novafeed
