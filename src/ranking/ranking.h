// Ranking profile v1, to the digit (contract, section 1). Pure functions; IEEE doubles, no contraction.
#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"
#include "candidates/candidates.h"

namespace novafeed {

inline constexpr std::string_view kProfile = "v1";
inline constexpr double kFreshnessWeight = 0.30;
inline constexpr double kEngagementWeight = 0.40;
inline constexpr double kAffinityWeight = 0.30;
inline constexpr double kFreshnessDecayPerHour = 0.10;
inline constexpr std::size_t kFollowCut = 500;
inline constexpr std::size_t kTrendingCut = 200;
inline constexpr std::size_t kAffinityCut = 200;
inline constexpr std::size_t kRankingCut = 500;

struct ScoreParts {
  double age_hours = 0;
  double freshness = 0;
  double engagement = 0;
  double affinity = 0;
  double score = 0;  // 0.30*F + 0.40*E + 0.30*A, added in this order; may be non-finite (sinks, and is counted)
};

double Freshness(TimeMs created_at, TimeMs as_of, double* age_hours = nullptr);
double Engagement(const Counters& counters);
ScoreParts Score(const Candidate& candidate, TimeMs as_of);

struct RankedPost {
  Candidate candidate;
  ScoreParts parts;
};

// The order of the contract: score descending (non-finite last), created_at descending, id bytes ascending.
bool RanksBefore(double score_a, TimeMs created_a, const PostId& id_a, double score_b, TimeMs created_b,
                 const PostId& id_b);

struct Ranking {
  std::vector<RankedPost> posts;       // at most 500, plus fallback posts up to 20 in all
  std::int64_t non_finite_scores = 0;  // for the metric
};

// Cuts each source, merges (a post gets the first of follow, trending, affinity), scores, orders, cuts to 500;
// below 20, appends fallback posts newest first.
Ranking Rank(const CandidateSet& candidates, TimeMs as_of);

// Posts of one ranking, scored and ordered anew; those of fallback stay behind the others, newest first.
std::vector<RankedPost> RankAgain(const std::vector<Candidate>& posts, TimeMs as_of);

// The score of the shared lists: 0.40*E + 0.30*F over the window's counters; the affinity is 0.
ScoreParts TrendingScore(TimeMs created_at, const Counters& window, TimeMs as_of);

// By that score, ordered as above, the best 200.
TrendingList RankTrending(std::vector<TrendingCandidate> candidates, TimeMs as_of);

}  // namespace novafeed
