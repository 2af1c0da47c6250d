// The shared trending list: one for everybody, at most one second old (contract, section 1).
#pragma once

#include <memory>
#include <mutex>

#include "base/metrics.h"
#include "base/time.h"
#include "candidates/candidates.h"
#include "ranking/ranking.h"

namespace novafeed {

inline constexpr TimeMs kTrendingMaxAge = 1000;
inline constexpr int kTrendingHours = 24;

// The list of one engine. Thread-safe. For the index, the wiring calls Refresh from a timer, so readers normally find a
// fresh list and only copy a pointer, under a lock that nobody holds longer; the warehouse's is made when it is asked
// for.
class TrendingBoard {
 public:
  TrendingBoard(const Clock* clock, CandidateEngine* engine, Metrics* metrics);

  // The list; made anew first where it is older than kTrendingMaxAge (the clock jumped, or the timer is late).
  std::shared_ptr<const TrendingList> Current();
  // Whether Current would answer at once.
  bool IsCurrent();
  // Makes the list now and publishes it.
  std::shared_ptr<const TrendingList> Refresh();
  // A list made for another instant, over the state that is held now; not published. Never null.
  std::shared_ptr<const TrendingList> At(TimeMs as_of);

 private:
  std::shared_ptr<const TrendingList> RefreshLocked();
  std::shared_ptr<const TrendingList> Published();
  bool IsFresh(const TrendingList& list) const;

  const Clock* clock_;
  CandidateEngine* engine_;
  Histogram refresh_seconds_;
  Counter failures_;
  std::mutex refresh_mutex_;
  std::mutex list_mutex_;
  std::shared_ptr<const TrendingList> list_;
};

}  // namespace novafeed
