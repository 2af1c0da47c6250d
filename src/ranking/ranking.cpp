#include "ranking/ranking.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cmath>
#include <limits>

#include "ranking/keep_best.h"

namespace novafeed {
namespace {

// A score as the order sees it: what is not finite sinks below everything.
double SortKey(double score) {
  return std::isfinite(score) ? score : -std::numeric_limits<double>::infinity();
}

bool Before(const RankedPost& a, const RankedPost& b) {
  return RanksBefore(a.parts.score, a.candidate.created_at, a.candidate.id, b.parts.score, b.candidate.created_at,
                     b.candidate.id);
}

bool TrendsBefore(const TrendingPost& a, const TrendingPost& b) {
  return RanksBefore(a.score, a.created_at, a.id, b.score, b.created_at, b.id);
}

std::vector<RankedPost> ScoreAll(const std::vector<Candidate>& candidates, TimeMs as_of) {
  std::vector<RankedPost> scored;
  scored.reserve(candidates.size());
  for (const Candidate& candidate : candidates) scored.push_back(RankedPost{candidate, Score(candidate, as_of)});
  return scored;
}

using SeenPosts = boost::unordered_flat_set<PostId, StrongIdHash<PostId>>;

// Appends the posts that no source before had.
void Merge(std::vector<RankedPost> source, SeenPosts* seen, std::vector<RankedPost>* merged) {
  for (RankedPost& post : source) {
    if (seen->insert(post.candidate.id).second) merged->push_back(post);
  }
}

}  // namespace

double Freshness(TimeMs created_at, TimeMs as_of, double* age_hours) {
  const double age = static_cast<double>(std::max<TimeMs>(0, as_of - created_at)) / 3600000.0;
  if (age_hours != nullptr) *age_hours = age;
  return std::exp(-kFreshnessDecayPerHour * age);
}

double Engagement(const Counters& counters) {
  const auto weighted = static_cast<double>(counters.likes + 2 * counters.comments + 3 * counters.shares);
  return std::log1p(weighted / static_cast<double>(std::max<std::int64_t>(counters.impressions, 1)));
}

ScoreParts Score(const Candidate& candidate, TimeMs as_of) {
  ScoreParts parts;
  parts.freshness = Freshness(candidate.created_at, as_of, &parts.age_hours);
  parts.engagement = Engagement(candidate.counters);
  parts.affinity = std::log1p(static_cast<double>(candidate.interactions));
  parts.score = kFreshnessWeight * parts.freshness + kEngagementWeight * parts.engagement;
  parts.score += kAffinityWeight * parts.affinity;
  return parts;
}

bool RanksBefore(double score_a, TimeMs created_a, const PostId& id_a, double score_b, TimeMs created_b,
                 const PostId& id_b) {
  const double key_a = SortKey(score_a);
  const double key_b = SortKey(score_b);
  if (key_a != key_b) return key_a > key_b;
  if (created_a != created_b) return created_a > created_b;
  return id_a < id_b;
}

Ranking Rank(const CandidateSet& candidates, TimeMs as_of) {
  std::vector<RankedPost> follow = ScoreAll(candidates.follow, as_of);
  KeepBest(&follow, kFollowCut, Before);
  std::vector<RankedPost> affinity = ScoreAll(candidates.affinity, as_of);
  KeepBest(&affinity, kAffinityCut, Before);

  Ranking ranking;
  SeenPosts seen;
  seen.reserve(follow.size() + candidates.trending.size() + affinity.size());
  Merge(std::move(follow), &seen, &ranking.posts);
  Merge(ScoreAll(candidates.trending, as_of), &seen, &ranking.posts);
  Merge(std::move(affinity), &seen, &ranking.posts);
  for (const RankedPost& post : ranking.posts) ranking.non_finite_scores += std::isfinite(post.parts.score) ? 0 : 1;
  KeepBest(&ranking.posts, kRankingCut, Before);

  for (const Candidate& candidate : candidates.fallback) {
    if (ranking.posts.size() >= kFallbackBelow) break;
    if (seen.insert(candidate.id).second) ranking.posts.push_back(RankedPost{candidate, Score(candidate, as_of)});
  }
  return ranking;
}

std::vector<RankedPost> RankAgain(const std::vector<Candidate>& posts, TimeMs as_of) {
  std::vector<RankedPost> ranked = ScoreAll(posts, as_of);
  const auto fallback = std::partition(
      ranked.begin(), ranked.end(), [](const RankedPost& post) { return post.candidate.source != Source::kFallback; });
  std::sort(ranked.begin(), fallback, Before);
  std::sort(fallback, ranked.end(), [](const RankedPost& a, const RankedPost& b) {
    return RanksBefore(0, a.candidate.created_at, a.candidate.id, 0, b.candidate.created_at, b.candidate.id);
  });
  return ranked;
}

ScoreParts TrendingScore(TimeMs created_at, const Counters& window, TimeMs as_of) {
  ScoreParts parts;
  parts.freshness = Freshness(created_at, as_of, &parts.age_hours);
  parts.engagement = Engagement(window);
  parts.score = kEngagementWeight * parts.engagement + kFreshnessWeight * parts.freshness;
  return parts;
}

TrendingList RankTrending(std::vector<TrendingCandidate> candidates, TimeMs as_of) {
  TrendingList list;
  list.as_of = as_of;
  list.posts.reserve(candidates.size());
  for (const TrendingCandidate& candidate : candidates) {
    const double score = TrendingScore(candidate.created_at, candidate.window, as_of).score;
    list.posts.push_back(TrendingPost{candidate.id, candidate.author, candidate.created_at, candidate.window, score});
  }
  KeepBest(&list.posts, kTrendingCut, TrendsBefore);
  return list;
}

}  // namespace novafeed
