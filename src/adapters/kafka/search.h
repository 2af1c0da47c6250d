// Where to begin on a topic, found by halving it: no table of offsets is kept anywhere. Pure.
#pragma once

#include <cstdint>
#include <optional>

namespace novafeed::kafka {

// What a look at a topic found: a message that can be used, and whether it lies behind the point that is looked for.
struct Found {
  std::int64_t offset = 0;
  bool is_behind = false;
};

// An offset in [first, end] to read from so that nothing behind the point is missed: what is there lies behind it (or
// `end` is), and the message that can be used before it, if there is any, does not. `look(from, until)` finds the first
// message in [from, until) that can be used; empty where there is none.
//
// Capture that started again repeats a stretch, so messages that lie behind may stand before some that do not. Any
// place where one kind is followed by the other will do, because capture skips nothing when it goes on from there.
template <class Look>
std::int64_t FindStart(std::int64_t first, std::int64_t end, Look look) {
  std::int64_t low = first;
  std::int64_t high = end;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    const std::optional<Found> found = look(middle, high);
    if (found && !found->is_behind) {
      low = found->offset + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace novafeed::kafka
