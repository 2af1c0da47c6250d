#include "warehouse/landed_commits.h"

#include <algorithm>
#include <functional>

namespace novafeed {

void LandedCommits::Add(const PlacedCommit& placed) {
  const bool says_more = waiting_.empty() || waiting_.back().ends != placed.ends;
  if (says_more && waiting_.size() < most_waiting_) {
    waiting_.push_back(placed);
  } else {
    waiting_.back() = placed;
  }
}

std::int64_t LandedCommits::Reached(const ChangeOffsets& landed) {
  while (!waiting_.empty() && std::ranges::equal(landed, waiting_.front().ends, std::greater_equal<>())) {
    reached_ = waiting_.front().commit;
    waiting_.pop_front();
  }
  return reached_;
}

void LandedCommits::Clear() {
  waiting_.clear();
  reached_ = 0;
}

}  // namespace novafeed
