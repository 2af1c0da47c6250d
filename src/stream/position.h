// A position: how far each stream of the log has been written (or applied). What Novafeed-Position carries.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "stream/event_points.h"

namespace novafeed {

// Streams only grow, so a position is reached when each of its points is.
struct Position {
  std::string generation;    // of the data set; positions of different generations do not compare
  std::int64_t changes = 0;  // last sequence of the change log
  EventPoints events;        // last sequences of the event log

  friend bool operator==(const Position&, const Position&) = default;
};

// Opaque text, URL-safe, shorter than 256 bytes.
std::string EncodePosition(const Position& position);
// kInvalid "bad_position" where the text is not one; "other_generation" where it is of another data set.
Result<Position> DecodePosition(std::string_view text, std::string_view generation);

// Both of one generation (std::logic_error otherwise); a Position{} has none and adds nothing.
Position Union(const Position& a, const Position& b);
// Never across generations; a Position{} is reached everywhere.
bool Reached(const Position& wanted, const Position& applied);

// {"changes":…,"events":…,"event_points":[…]}: `events` is the total, for lags and progress.
void RenderPosition(const Position& position, JsonWriter* json);

}  // namespace novafeed
