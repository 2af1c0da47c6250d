// Where posts come from: the port that both engines (index, warehouse) implement (contract, section 1).
//
// An engine finds candidates and returns integers and ids only. It applies no score and no cut of its own beyond
// what the port allows; ranking/ scores, cuts and merges, so that two engines give one answer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "social/entities.h"
#include "stream/position.h"

namespace novafeed {

enum class Source : std::uint8_t { kFollow, kTrending, kAffinity, kFallback };
std::string_view SourceName(Source source);  // "follow", "trending", "affinity", "fallback"

// The counters that the score is computed from: totals, without a window.
struct Counters {
  std::int64_t likes = 0;
  std::int64_t comments = 0;
  std::int64_t shares = 0;
  std::int64_t impressions = 0;
  friend bool operator==(const Counters&, const Counters&) = default;
};

struct Candidate {
  PostId id;
  UserId author;
  TimeMs created_at = 0;
  Counters counters;
  std::int64_t interactions = 0;  // of the viewer with the author, within the 90 days
  Source source = Source::kFollow;
};

// A post of the trending window with its counters of the last 24 (or 2) clock-hour buckets.
struct TrendingCandidate {
  PostId id;
  UserId author;
  TimeMs created_at = 0;
  Counters window;
};

// The shared list, made once for everybody: best 200 in order; immutable once published.
struct TrendingPost {
  PostId id;
  UserId author;
  TimeMs created_at = 0;
  Counters window;
  double score = 0;  // 0.40*E24 + 0.30*F as of `as_of`
};
struct TrendingList {
  TimeMs as_of = 0;
  bool failed = false;  // the engine could not tell: the list is empty, and answers say so
  std::vector<TrendingPost> posts;
};

struct CandidateQuery {
  UserId viewer;
  TimeMs as_of = 0;
  std::shared_ptr<const TrendingList> trending;  // never null
};

// Everything that ranking needs, read at one instant of the engine's state. None of the lists holds the viewer's own
// posts, deleted posts, or posts dated after as_of. A post may stand in several lists.
struct CandidateSet {
  Position position;                // of the log that the state held
  std::vector<Candidate> follow;    // all of the window (an engine may leave out what is surely below the cut)
  std::vector<Candidate> trending;  // those of the shared list, in its order
  std::vector<Candidate> affinity;
  std::vector<Candidate> fallback;  // newest first; only where the three hold fewer than 20 different posts
  std::vector<Source> failed;       // those whose list is empty because they failed or were late
};

// Whether the first three lists hold fewer than kFallbackBelow different posts.
bool NeedsFallback(const CandidateSet& set);

// A place in mode=following, and how much is wanted from there: posts of (as_of - 30 d, as_of] by followed authors,
// newest first, ties by id.
struct FollowingQuery {
  UserId viewer;
  TimeMs as_of = 0;
  // Only posts strictly after this place in that order; where absent, from the newest.
  std::optional<std::pair<TimeMs, PostId>> after;
  std::size_t limit = 0;
};

// The windows of the sources.
inline constexpr TimeMs kFollowWindow = 72 * kMsPerHour;
inline constexpr TimeMs kPostWindow = 30 * kMsPerDay;  // trending, affinity, following
inline constexpr std::int64_t kInteractionDays = 90;   // UTC days, that of as_of included
inline constexpr std::size_t kFallbackBelow = 20;      // fallback fills up to this many
inline constexpr std::size_t kFallbackNewest = 1000;   // from so many of the newest posts

// Thread-safe. The index answers at once; an engine that waits is called from a blocking pool.
class CandidateEngine {
 public:
  virtual ~CandidateEngine() = default;
  virtual std::string_view Name() const = 0;  // "index", "warehouse"
  virtual Result<CandidateSet> Find(const CandidateQuery& query) = 0;
  // Posts created in (as_of - 30 d, as_of] with at least one like, comment or share in the window of `hours`
  // clock-hour buckets that ends with that of `as_of`; in any order.
  virtual Result<std::vector<TrendingCandidate>> FindTrending(TimeMs as_of, int hours) = 0;
  // These posts, each with its source, as they are now: those of them that are still there and that the viewer may see,
  // in any order. Of a viewer as of an instant, as Find.
  virtual Result<std::vector<Candidate>> FindPosts(UserId viewer, TimeMs as_of,
                                                   const std::vector<Candidate>& posts) = 0;
  // At most `limit` posts in that order; their source is kFollow.
  virtual Result<std::vector<Candidate>> FindFollowing(const FollowingQuery& query) = 0;
};

}  // namespace novafeed
