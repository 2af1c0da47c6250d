// A viewer's whole ranking, from one engine and its trending list.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "candidates/candidates.h"
#include "ranking/ranking.h"
#include "stream/position.h"
#include "timeline/trending_board.h"

namespace novafeed {

struct FullRanking {
  Ranking ranking;
  TimeMs as_of = 0;
  TimeMs trending_as_of = 0;
  Position position;                       // of the log that the engine's state held
  std::vector<std::string_view> failed{};  // names of sources that gave nothing because they failed or were late
  // Stage names and microseconds: "candidates", "ranking".
  std::vector<std::pair<std::string_view, std::int64_t>> timings{};
};

// Thread-safe; waits for what the engine waits for.
class Ranker {
 public:
  // All outlive the ranker; `trending` is the engine's own.
  Ranker(CandidateEngine* engine, TrendingBoard* trending, Metrics* metrics);

  std::string_view engine() const { return engine_->Name(); }
  TrendingBoard& trending() const { return *trending_; }

  Result<FullRanking> Rank(UserId viewer, TimeMs as_of, const std::shared_ptr<const TrendingList>& trending) const;
  // At any instant that the engine's windows cover; the trending list is made for it, or for `trending_as_of`.
  Result<FullRanking> RankAt(UserId viewer, TimeMs as_of, std::optional<TimeMs> trending_as_of) const;

 private:
  CandidateEngine* const engine_;
  TrendingBoard* const trending_;
  const Counter non_finite_;
};

}  // namespace novafeed
