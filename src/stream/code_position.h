// A position among the fields of a record (social/byte_codec.h).
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "stream/event_points.h"

namespace novafeed {

// Without the generation, for where that is known. The points that are read may be negative.
template <class Coder, class Place>
void CodePoints(Coder& coder, Place& position) {
  std::vector<std::int64_t> events = position.events.List();
  coder.Code(position.changes);
  coder.CodeList(kMaxEventPartitions, events, [&coder](auto& point) { coder.Code(point); });
  if constexpr (!std::is_const_v<Place>) position.events = EventPoints(events);
}

template <class Coder, class Place>
void CodePosition(Coder& coder, Place& position) {
  coder.Code(position.generation);
  CodePoints(coder, position);
}

}  // namespace novafeed
