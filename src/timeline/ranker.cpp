#include "timeline/ranker.h"

#include "timeline/stopwatch.h"

namespace novafeed {

Ranker::Ranker(CandidateEngine* engine, TrendingBoard* trending, Metrics* metrics)
    : engine_(engine),
      trending_(trending),
      non_finite_(metrics->AddCounter("novafeed_non_finite_scores_total",
                                      "Scores that were not finite and sank to the bottom of a ranking.")) {}

Result<FullRanking> Ranker::Rank(UserId viewer, TimeMs as_of,
                                 const std::shared_ptr<const TrendingList>& trending) const {
  Stopwatch watch;
  const Result<CandidateSet> candidates = engine_->Find(CandidateQuery{viewer, as_of, trending});
  if (!candidates) return tl::unexpected(candidates.error());
  FullRanking full{{}, as_of, trending->as_of, candidates->position};
  for (const Source source : candidates->failed) full.failed.push_back(SourceName(source));
  if (trending->failed) full.failed.push_back(SourceName(Source::kTrending));
  full.timings.emplace_back("candidates", watch.Lap());
  full.ranking = novafeed::Rank(*candidates, as_of);
  full.timings.emplace_back("ranking", watch.Lap());
  if (full.ranking.non_finite_scores > 0) non_finite_.Add(static_cast<double>(full.ranking.non_finite_scores));
  return full;
}

Result<FullRanking> Ranker::RankAt(UserId viewer, TimeMs as_of, std::optional<TimeMs> trending_as_of) const {
  return Rank(viewer, as_of, trending_->At(trending_as_of.value_or(as_of)));
}

}  // namespace novafeed
