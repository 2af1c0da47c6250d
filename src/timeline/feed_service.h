// A viewer's pages: from candidates to ranking to one page with its cursor (contract, section 5).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "candidates/candidates.h"
#include "index/feed_index.h"
#include "ranking/ranking.h"
#include "stream/log_progress.h"
#include "stream/position.h"
#include "timeline/cursor.h"
#include "timeline/instants.h"
#include "timeline/page_cache.h"
#include "timeline/post_contents.h"
#include "timeline/ranker.h"

namespace novafeed {

inline constexpr std::size_t kMaxOffset = 500;

struct FeedRequest {
  UserId viewer;
  FeedMode mode = FeedMode::kForYou;
  std::size_t limit = 20;
  std::optional<std::string> cursor;  // excludes offset, as_of, trending_as_of
  std::optional<std::size_t> offset;
  std::optional<TimeMs> as_of;  // at most an hour old
  std::optional<TimeMs> trending_as_of;
  std::optional<std::string> engine;  // "index" or "warehouse": see FeedEngines
};

struct FeedItem {
  PostContent content;
  UserId author;
  TimeMs created_at = 0;
  Counters counters;  // those that the score was computed from
  std::int64_t interactions = 0;
  Source source = Source::kFollow;
  std::optional<ScoreParts> parts;  // empty in mode=following (score null)
};

struct FeedPage {
  std::vector<FeedItem> items;
  std::optional<std::string> next_cursor;
  TimeMs as_of = 0;
  TimeMs trending_as_of = 0;
  TimeMs counters_as_of = 0;
  std::string_view engine = "index";
  bool cached = false;
  bool outdated = false;                   // cached, lacks something new, and no other could be made
  std::vector<std::string_view> degraded;  // "behind", "stale", "booting", or the sources that failed or were late
  // Stage names and microseconds, for Server-Timing: "candidates", "ranking", "page".
  std::vector<std::pair<std::string_view, std::int64_t>> timings;
};

// A request whose cursor was opened: the position to wait for before the page is made.
struct OpenedFeed {
  FeedRequest request;
  std::optional<WalkState> walk;            // for_you with a cursor
  std::optional<FollowingPlace> following;  // following with a cursor
  // Of the page before, zero where there is none; the caller may add what else the answer has to include.
  Position wait_for;
};

// What one engine's pages are made from. All outlive the service.
struct FeedParts {
  CandidateEngine* engine = nullptr;
  const Ranker* ranker = nullptr;  // the engine's own
  const PostContents* contents = nullptr;
  LogProgress* progress = nullptr;  // of what the engine reads
  bool blocks = false;              // the engine or the contents wait for others: every page belongs on a pool
  PageCache* pages = nullptr;       // before the engine; null where a page is as soon made as read
};

// The feeds of one engine. Thread-safe; waits for nothing but its parts.
class FeedService {
 public:
  // `clock` and `metrics` outlive the service.
  FeedService(const Clock* clock, const FeedParts& parts, CursorCodec codec, Metrics* metrics);

  std::string_view engine() const { return parts_.engine->Name(); }
  LogProgress& progress() const { return *parts_.progress; }
  bool blocks() const { return parts_.blocks; }
  LiveEngine live() const { return {parts_.engine, parts_.progress}; }
  // Whether what its engine reads is known to be of this data set; a warehouse may be of another.
  bool HasData() const { return !parts_.blocks || !parts_.progress->Applied().generation.empty(); }

  // Checks the request and opens its cursor. kInvalid: "bad_limit", "bad_cursor", "cursor_with_offset", "bad_offset",
  // "bad_as_of", "bad_trending_as_of".
  Result<OpenedFeed> Open(FeedRequest request) const;

  // Whether Page blocks, or has to make a trending list first, which may take tens of milliseconds: then call it on a
  // pool.
  bool MayTakeLong(const OpenedFeed& feed) const;

  // Whether FindKept may find something.
  bool MayBeKept(const OpenedFeed& feed) const { return SlotOf(feed).has_value(); }
  // The page from the cache, where it is there and nothing newer belongs into it. It reads the graph, and looks
  // counters up: on a pool, but not on one where pages are made.
  std::optional<FeedPage> FindKept(const OpenedFeed& feed);

  // `behind`: the position was waited for and not reached.
  Result<FeedPage> Page(const OpenedFeed& feed, bool behind);

 private:
  // What every page says of itself.
  void Finish(FeedPage* page, bool behind);
  Result<FeedPage> ForYouPage(const OpenedFeed& feed);
  Result<FeedPage> FollowingPage(const OpenedFeed& feed);
  // Where the cache may hold this page: the first ones of a walk as of now, of whole pages.
  std::optional<PageSlot> SlotOf(const OpenedFeed& feed) const;
  Result<FeedPage> PageThroughCache(const OpenedFeed& feed, const PageSlot& slot);
  std::optional<FeedPage> LookUp(const OpenedFeed& feed, const PageSlot& slot) const;
  std::optional<FeedPage> CachedPage(const OpenedFeed& feed, const PageSlot& slot, const KeptPage& kept) const;
  // A page of the ranking as it is now; the first pages of a walk that begins are kept.
  Result<FeedPage> MakePage(const OpenedFeed& feed);
  std::shared_ptr<const TrendingList> TrendingFor(const FeedRequest& request) const;
  WalkState ContinueOrStart(const OpenedFeed& feed) const;

  const Clock* clock_;
  const FeedParts parts_;
  CursorCodec codec_;
  Counter stale_;
};

}  // namespace novafeed
