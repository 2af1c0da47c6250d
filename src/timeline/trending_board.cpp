#include "timeline/trending_board.h"

#include <chrono>
#include <string>

#include "base/log.h"

namespace novafeed {

TrendingBoard::TrendingBoard(const Clock* clock, CandidateEngine* engine, Metrics* metrics)
    : clock_(clock),
      engine_(engine),
      refresh_seconds_(
          metrics->AddHistogram("novafeed_trending_refresh_seconds", "How long making the shared trending list took.",
                                {0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1}, {{"engine", std::string(engine->Name())}})),
      failures_(metrics->AddCounter("novafeed_trending_failures_total",
                                    "Times the shared trending list could not be made.",
                                    {{"engine", std::string(engine->Name())}})) {}

std::shared_ptr<const TrendingList> TrendingBoard::Current() {
  std::shared_ptr<const TrendingList> list = Published();
  if (list && IsFresh(*list)) return list;
  const std::scoped_lock lock(refresh_mutex_);  // one of those who wait makes it for all
  list = Published();
  if (list && IsFresh(*list)) return list;
  return RefreshLocked();
}

std::shared_ptr<const TrendingList> TrendingBoard::Refresh() {
  const std::scoped_lock lock(refresh_mutex_);
  return RefreshLocked();
}

std::shared_ptr<const TrendingList> TrendingBoard::RefreshLocked() {
  const auto start = std::chrono::steady_clock::now();
  std::shared_ptr<const TrendingList> list = At(clock_->Now());
  refresh_seconds_.Observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  const std::scoped_lock lock(list_mutex_);
  list_ = list;
  return list;
}

std::shared_ptr<const TrendingList> TrendingBoard::At(TimeMs as_of) {
  Result<std::vector<TrendingCandidate>> candidates = engine_->FindTrending(as_of, kTrendingHours);
  if (!candidates) {
    failures_.Add();
    Log(LogLevel::kWarn, "trending_failed", {{"reason", candidates.error().detail}});
    return std::make_shared<const TrendingList>(TrendingList{as_of, true, {}});
  }
  return std::make_shared<const TrendingList>(RankTrending(std::move(*candidates), as_of));
}

bool TrendingBoard::IsCurrent() {
  const std::shared_ptr<const TrendingList> list = Published();
  return list && IsFresh(*list);
}

std::shared_ptr<const TrendingList> TrendingBoard::Published() {
  const std::scoped_lock lock(list_mutex_);
  return list_;
}

bool TrendingBoard::IsFresh(const TrendingList& list) const {
  const TimeMs age = clock_->Now() - list.as_of;
  return age >= 0 && age <= kTrendingMaxAge;
}

}  // namespace novafeed
