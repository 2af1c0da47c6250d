#include "app/viewer_jobs.h"

#include <chrono>
#include <stdexcept>

#include "cache/keys.h"
#include "candidates/active_viewers.h"

namespace novafeed {
namespace {

constexpr std::chrono::seconds kActiveViewersDeadline{10};

}  // namespace

void ViewerJobs::WarmPages() {
  for (const UserId& viewer : ActiveViewers()) {
    const TimeMs fresh_as_of = index_->applier.CountersAsOf();
    const Result<FullRanking> full = index_->ranker.Rank(viewer, clock_->Now(), index_->trending.Current());
    if (!full) throw std::runtime_error(full.error().detail);
    caches_->pages.Keep(viewer, FeedRequest().limit, *full, fresh_as_of, kWarmedPageTtl);
  }
}

void ViewerJobs::RefreshSuggestions() {
  for (const UserId& viewer : ActiveViewers()) {
    SuggestionRequest request;
    request.viewer = viewer;
    request.limit = kMaxSuggestions;
    request.dismissed = graph_->DismissedBy(viewer);
    const Result<KeptSuggestions> made = index_->suggestions.Prepare(request);
    if (!made) throw std::runtime_error(made.error().detail);
    caches_->suggestions.Keep(viewer, *made);
  }
}

std::vector<UserId> ViewerJobs::ActiveViewers() const {
  const Result<std::vector<UserId>> viewers =
      FindActiveViewers(olap_, clock_->Now(), kActiveViewers, kActiveViewersDeadline);
  if (!viewers) throw std::runtime_error(viewers.error().detail);
  return *viewers;
}

}  // namespace novafeed
