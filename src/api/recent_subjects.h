// Subjects of tokens that were just seen not to be erased, so that a platform's own token (whose subject is no user
// that the index knows) does not ask the graph with every request.
//
// Safe to be a second late: an id that the index does not know and that is not erased has to be created before it can
// be erased, and it is known from then on.
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

  // `steady_ms` from a monotonic clock.
  bool Has(UserId subject, std::int64_t steady_ms) const {
    const std::scoped_lock lock(mutex_);
    const auto found = seen_.find(subject);
    return found != seen_.end() && steady_ms - found->second < kKeptMs;
  }
  void Add(UserId subject, std::int64_t steady_ms) {
    const std::scoped_lock lock(mutex_);
    if (seen_.size() >= kMost) seen_.clear();
    seen_[subject] = steady_ms;
  }

 private:
  mutable std::mutex mutex_;
  boost::unordered_flat_map<UserId, std::int64_t, StrongIdHash<UserId>> seen_;
};

}  // namespace novafeed
