// How far the change log is landed, when each of its topics is landed up to an offset of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "warehouse/landing_topics.h"

namespace novafeed {

// Commits on their way into the warehouse. A topic on which nothing is written holds up none: its end is where the last
// row lies that they need of it. Pure; for one thread.
class LandedCommits {
 public:
  // Beyond so many that wait, some are passed over: the position then moves in longer steps.
  explicit LandedCommits(std::size_t most_waiting = 100'000) : most_waiting_(most_waiting) {}

  // The next one, behind all that were added.
  void Add(const PlacedCommit& placed);
  // The last of those that were added whose rows are all landed, and of those before it; 0 where there is none.
  std::int64_t Reached(const ChangeOffsets& landed);
  // Begins anew.
  void Clear();

 private:
  const std::size_t most_waiting_;
  std::int64_t reached_ = 0;
  std::deque<PlacedCommit> waiting_;  // rising in each member
};

}  // namespace novafeed
