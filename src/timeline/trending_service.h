// GET /api/v1/trending: the lists that everybody shares, as posts.
#pragma once

#include <cstddef>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "index/feed_index.h"
#include "timeline/feed_service.h"
#include "timeline/hot_posts.h"
#include "timeline/trending_board.h"

namespace novafeed {

enum class TrendingWindow { kHour, kDay };

inline constexpr std::size_t kMaxTrendingPage = 200;

struct TrendingItem {
  FeedItem item;    // its counters are those of the post, in all; `parts` are those of the list's own score
  Counters window;  // those that the score was computed from
};

struct TrendingPage {
  std::vector<TrendingItem> items;
  TimeMs as_of = 0;
};

// Thread-safe; may wait for an engine where a list is not there yet.
class TrendingService {
 public:
  // All outlive it.
  TrendingService(TrendingBoard* day, HotPosts* hour, const FeedIndex* index) : day_(day), hour_(hour), index_(index) {}

  // The best `limit` posts that are still there. kUnavailable where the list cannot be made.
  Result<TrendingPage> Page(TrendingWindow window, std::size_t limit);

 private:
  Result<TrendingList> ListOf(TrendingWindow window);

  TrendingBoard* const day_;
  HotPosts* const hour_;
  const FeedIndex* const index_;
};

}  // namespace novafeed
