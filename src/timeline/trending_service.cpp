#include "timeline/trending_service.h"

#include <optional>
#include <span>
#include <utility>

namespace novafeed {

Result<TrendingList> TrendingService::ListOf(TrendingWindow window) {
  if (window == TrendingWindow::kHour) return hour_->Current();
  TrendingList list = *day_->Current();
  if (list.failed) {
    return Fail(Failure::kUnavailable, "trending_unavailable",
                "The trending list cannot be made at the moment: ask again in a moment.", 1000);
  }
  return list;
}

Result<TrendingPage> TrendingService::Page(TrendingWindow window, std::size_t limit) {
  const Result<TrendingList> list = ListOf(window);
  if (!list) return tl::unexpected(list.error());
  TrendingPage page{{}, list->as_of};
  for (const TrendingPost& listed : list->posts) {
    if (page.items.size() == limit) break;
    std::optional<PostContent> content = index_->ContentOf(std::span(&listed.id, 1)).front();
    const std::optional<IndexedPost> post = index_->FindPost(listed.id);
    if (!content || !post) continue;  // deleted since the list was made
    FeedItem& item = page.items.emplace_back(TrendingItem{{}, listed.window}).item;
    item.content = *std::move(content);
    item.author = post->author;
    item.created_at = post->created_at;
    item.counters = {post->totals.likes, post->totals.comments, post->totals.shares, post->totals.impressions};
    item.source = Source::kTrending;
    item.parts = TrendingScore(listed.created_at, listed.window, list->as_of);
  }
  return page;
}

}  // namespace novafeed
