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
#include "stream/position.h"
#include "timeline/cursor.h"
#include "timeline/trending_board.h"

namespace novafeed {

inline constexpr std::size_t kMaxOffset = 500;
inline constexpr std::size_t kMaxPage = 100;
inline constexpr TimeMs kMaxAsOfAge = kMsPerHour;

struct FeedRequest {
  UserId viewer;
  FeedMode mode = FeedMode::kForYou;
  std::size_t limit = 20;
  std::optional<std::string> cursor;  // excludes offset, as_of, trending_as_of
  std::optional<std::size_t> offset;
  std::optional<TimeMs> as_of;  // at most an hour old
  std::optional<TimeMs> trending_as_of;
  std::optional<std::string> engine;  // "index"; "warehouse" once it exists
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
  std::vector<std::string_view> degraded;  // "behind", "stale", "trending"
  // Stage names and microseconds, for Server-Timing: "candidates", "ranking", "page".
  std::vector<std::pair<std::string_view, std::int64_t>> timings;
};

// A request whose cursor was opened: the position to wait for before the page is made.
struct OpenedFeed {
  FeedRequest request;
  std::optional<WalkState> walk;            // for_you with a cursor
  std::optional<FollowingPlace> following;  // following with a cursor
  Position wait_for;                        // of the page before; zero where there is none
};

// Thread-safe; waits for nothing but the index's memory.
class FeedService {
 public:
  // All outlive the service.
  FeedService(const Clock* clock, const FeedIndex* index, CandidateEngine* engine, TrendingBoard* trending,
              CursorCodec codec, Metrics* metrics);

  // Checks the request and opens its cursor. kInvalid: "bad_limit", "bad_cursor", "cursor_with_offset", "bad_offset",
  // "bad_as_of", "bad_trending_as_of", "bad_engine".
  Result<OpenedFeed> Open(FeedRequest request) const;

  // Whether Page has to make a trending list first, which may take tens of milliseconds: then call it on a pool.
  bool MayTakeLong(const OpenedFeed& feed) const;

  // `behind`: the position was waited for and not reached. `counters_as_of`: how fresh the index is.
  Result<FeedPage> Page(const OpenedFeed& feed, bool behind, TimeMs counters_as_of);

  // The whole ranking of a viewer at any instant that the index's windows cover, for `novafeed rank`.
  struct FullRanking {
    Ranking ranking;
    TimeMs as_of = 0;
    TimeMs trending_as_of = 0;
    Position position;
  };
  Result<FullRanking> RankAll(UserId viewer, TimeMs as_of, std::optional<TimeMs> trending_as_of);

 private:
  Result<FeedPage> ForYouPage(const OpenedFeed& feed);
  Result<FeedPage> FollowingPage(const OpenedFeed& feed);
  Result<FullRanking> RankWith(UserId viewer, TimeMs as_of, const std::shared_ptr<const TrendingList>& trending,
                               FeedPage* page);
  std::shared_ptr<const TrendingList> TrendingFor(const FeedRequest& request);
  WalkState ContinueOrStart(const OpenedFeed& feed) const;

  const Clock* clock_;
  const FeedIndex* index_;
  CandidateEngine* engine_;
  TrendingBoard* trending_;
  CursorCodec codec_;
  Counter non_finite_;
  Counter stale_;
};

}  // namespace novafeed
