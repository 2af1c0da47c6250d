// The first pages of viewers' feeds, kept for a while before an engine that takes long to make them (design, section 3,
// "Cache"): feed:v1:{user}:{offset}:{limit}.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "cache/cache.h"
#include "cache/cache_metrics.h"
#include "candidates/candidates.h"
#include "stream/log_progress.h"
#include "stream/position.h"
#include "timeline/kept_page.h"
#include "timeline/own_follows.h"
#include "timeline/ranker.h"

namespace novafeed {

inline constexpr std::size_t kKeptPages = 3;   // of a walk: its first
inline constexpr TimeMs kRescoreAfter = 1000;  // counters older than this are looked up again, where anybody knows them

// A place of the cache: the page after so many whole pages.
struct PageSlot {
  UserId viewer;
  std::size_t page = 0;  // below kKeptPages
  std::size_t limit = 20;
  std::size_t offset() const { return page * limit; }
  std::size_t end() const { return offset() + limit; }
};

// An engine that can tell what posts count now, and how fresh that is.
struct LiveEngine {
  CandidateEngine* engine = nullptr;
  LogProgress* progress = nullptr;
};

// What is looked for.
struct PageWish {
  PageSlot slot;
  Position wanted;           // what the page has to include
  bool begins_walk = false;  // a page that goes on was chosen as of its walk, and misses nothing newer
  TimeMs engine_as_of = 0;   // what the engine would choose from is at least this fresh
};

struct FoundPage {
  KeptPage page;
  bool outdated = false;  // the engine would now choose a new post as well
};

// Thread-safe; may wait for an engine.
class PageCache {
 public:
  // `engines` tells who may look up counters now, the best first; all outlive this.
  PageCache(const Clock* clock, Cache* cache, const OwnFollows* follows,
            std::function<std::vector<LiveEngine>()> engines, Metrics* metrics);

  // The page in this slot, if it was chosen from a state that holds what is wanted and the viewer's own follows. Its
  // counters are looked up again where they are older than kRescoreAfter; empty where one of its posts is gone then.
  std::optional<FoundPage> Find(const PageWish& wish);
  // The posts of a page as it is kept, whatever their counters: empty unless it belongs to the walk of that `as_of`.
  std::optional<std::vector<Candidate>> PostsOf(const PageSlot& slot, TimeMs as_of) const;

  // Keeps the first pages of a ranking, unless a source failed, or its state lacks the viewer's own follows. Its last
  // page is never kept: that nothing is left for a walk only the ranking of the moment can tell.
  void Keep(UserId viewer, std::size_t limit, const FullRanking& full, TimeMs fresh_as_of,
            std::chrono::milliseconds ttl);
  // Keeps none of that viewer's pages: one of their posts is gone.
  void Forget(UserId viewer, std::size_t limit);

  // Held while a viewer's pages are made, so that of those who miss them at the same time one makes them for all.
  std::mutex& MutexOf(UserId viewer);

  void CountHit(const KeptPage& page);
  void CountMiss() { cached_.misses.Add(); }

 private:
  std::optional<KeptPage> Read(const PageSlot& slot) const;
  void Put(const PageSlot& slot, const KeptPage& page);
  std::optional<FoundPage> LookUpCounters(const PageWish& wish, KeptPage page);
  // Whether the engine of the pages would now choose a post by somebody whom the viewer follows that is newer than the
  // page; asked of an engine that is ahead of it.
  Result<bool> HasNewPost(CandidateEngine* ahead, const PageWish& wish, const KeptPage& page) const;
  void NoteFailure(const CandidateEngine& engine, const Error& error);

  static constexpr std::size_t kMutexes = 256;
  const Clock* const clock_;
  Cache* const cache_;
  const OwnFollows* const follows_;
  const std::function<std::vector<LiveEngine>()> engines_;
  const CacheMetrics cached_;
  const Histogram age_seconds_;
  const Counter rescored_;
  const Counter failures_;
  LogGate failure_log_;
  std::array<std::mutex, kMutexes> mutexes_;
};

}  // namespace novafeed
