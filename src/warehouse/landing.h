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

struct LandingLine {
  std::size_t table = 0;  // index in kLandingTables
  std::string line;       // one JSON document without a line break
};

// Pure, and the same for the same entry: a message that is sent again is the same message. A change is its envelope
// (capture/envelope.h) as of its commit; an event is {"event_id","type","user_id","post_id","at","post_author_id",
// "post_created_at","received_at","sequence","identity"}, times in milliseconds, the identity (LoggedEvent) as 32 hex
// digits.
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
