// Subjects of tokens that were seen not to be erased, so that a platform's own token (whose subject is no user that the
// index knows) does not ask the graph with every request, and works on while there is no graph to ask.
//
// Safe to be late: an id that the index does not know and that is not erased has to be created before it can be erased,
// and it is known from then on; who sees that it is known, or erased, forgets it here.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <mutex>

#include "social/ids.h"

namespace novafeed {

// Thread-safe.
class RecentSubjects {
 public:
  static constexpr std::int64_t kKeptMs = 1000;
  static constexpr std::size_t kMost = 10'000;

  // Whether it was added within the last second. `steady_ms` from a monotonic clock.
  bool Has(UserId subject, std::int64_t steady_ms) const {
    const std::scoped_lock lock(mutex_);
    const auto found = seen_.find(subject);
    return found != seen_.end() && steady_ms - found->second < kKeptMs;
  }
  // Whether it was added at any time, and not forgotten since.
  bool Remembers(UserId subject) const {
    const std::scoped_lock lock(mutex_);
    return seen_.contains(subject);
  }
  void Add(UserId subject, std::int64_t steady_ms) {
    const std::scoped_lock lock(mutex_);
    if (seen_.size() >= kMost) seen_.clear();
    seen_[subject] = steady_ms;
  }
  void Forget(UserId subject) {
    const std::scoped_lock lock(mutex_);
    seen_.erase(subject);
  }

 private:
  mutable std::mutex mutex_;
  boost::unordered_flat_map<UserId, std::int64_t, StrongIdHash<UserId>> seen_;
};

}  // namespace novafeed
