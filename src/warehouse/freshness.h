// As of when everything counts: where the log ended at some times, and what was reached since.
#pragma once

#include <algorithm>
#include <deque>
#include <utility>

#include "base/time.h"

namespace novafeed {

// `End` is a place in a stream that rises. Pure; for one thread.
template <class End>
class Freshness {
 public:
  // Everything that was accepted by `at` lies within `end`. Rising in both; an end that has not moved is of the later
  // time.
  void Note(TimeMs at, End end) {
    if (!marks_.empty() && marks_.back().second == end) {
      marks_.back().first = std::max(marks_.back().first, at);
    } else if (marks_.size() < kMostMarks) {
      marks_.emplace_back(at, std::move(end));
    }
  }
  // The last time by which everything that was accepted lies within what `is_reached`; 0 where none is known.
  template <class IsReached>
  TimeMs AsOf(const IsReached& is_reached) {
    while (!marks_.empty() && is_reached(marks_.front().second)) {
      as_of_ = std::max(as_of_, marks_.front().first);
      marks_.pop_front();
    }
    return as_of_;
  }

 private:
  static constexpr std::size_t kMostMarks = 10'000;

  TimeMs as_of_ = 0;
  std::deque<std::pair<TimeMs, End>> marks_;
};

}  // namespace novafeed
