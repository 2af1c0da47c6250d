// The columns that every table of events has, in this order, as read and as bound.
#pragma once

#include "adapters/sqlite/database.h"
#include "social/entities.h"

namespace novafeed::sqlite {

#define NOVAFEED_EVENT_COLUMNS "user, type, post, at, event_id, post_author, post_created_at"
inline constexpr int kEventColumns = 7;

inline Event ReadEvent(const Rows& rows, int first) {
  return {UserId{rows.Id(first)},      static_cast<EventType>(rows.Int(first + 1)),
          PostId{rows.Id(first + 2)},  rows.Int(first + 3),
          EventId{rows.Id(first + 4)}, UserId{rows.Id(first + 5)},
          rows.Int(first + 6)};
}

// Runs an INSERT whose parameters are `leading` and then the event's columns.
template <class... Leading>
void InsertEvent(Statement& statement, const Event& event, const Leading&... leading) {
  statement.Execute(leading..., event.user, static_cast<std::int64_t>(event.type), event.post, event.at, event.event_id,
                    event.post_author, event.post_created_at);
}

}  // namespace novafeed::sqlite
