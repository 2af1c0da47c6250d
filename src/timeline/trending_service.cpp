#include "timeline/trending_service.h"

#include <optional>
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
  std::vector<PostId> ids;
  for (const TrendingPost& post : list->posts) ids.push_back(post.id);
  std::vector<std::optional<PostContent>> contents = index_->ContentOf(ids);

  TrendingPage page{{}, list->as_of};
  for (std::size_t i = 0; i < ids.size() && page.items.size() < limit; ++i) {
    const std::optional<IndexedPost> post = index_->FindPost(ids[i]);
    if (!contents[i] || !post) continue;  // deleted since the list was made
    FeedItem& item = page.items.emplace_back();
    item.content = *std::move(contents[i]);
    item.author = post->author;
    item.created_at = post->created_at;
    item.counters = {post->totals.likes, post->totals.comments, post->totals.shares, post->totals.impressions};
    item.source = Source::kTrending;
    item.parts.emplace().score = list->posts[i].score;
  }
  return page;
}

}  // namespace novafeed
