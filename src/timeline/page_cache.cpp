#include "timeline/page_cache.h"

#include <algorithm>
#include <utility>

#include "cache/keys.h"

namespace novafeed {
namespace {

constexpr std::int64_t kFailureLogMs = 1000;
// A post is dated before it is committed: one that is dated so much before what a page was chosen from may lack in it.
// Should a commit take longer, or an import date a post back, the page lacks it until its end.
constexpr TimeMs kCommitWithin = 1000;

}  // namespace

PageCache::PageCache(const Clock* clock, Cache* cache, const OwnFollows* follows,
                     std::function<std::vector<LiveEngine>()> engines, Metrics* metrics)
    : clock_(clock),
      cache_(cache),
      follows_(follows),
      engines_(std::move(engines)),
      cached_("feed", metrics),
      age_seconds_(metrics->AddHistogram("novafeed_cached_page_age_seconds",
                                         "How old the choice of posts of pages from the cache was.",
                                         {1, 2, 5, 10, 20, 30, 60, 150})),
      rescored_(metrics->AddCounter("novafeed_cached_pages_rescored_total",
                                    "Pages from the cache whose counters were looked up again.")),
      failures_(metrics->AddCounter("novafeed_cached_page_rescore_failures_total",
                                    "Times an engine could not tell the counters of a page from the cache.")),
      failure_log_(kFailureLogMs) {}

std::optional<FoundPage> PageCache::Find(const PageWish& wish) {
  std::optional<KeptPage> page = Read(wish.slot);
  if (!page || !Reached(wish.wanted, page->position)) return std::nullopt;
  if (!follows_->Holds(wish.slot.viewer, page->position)) return std::nullopt;
  if (clock_->Now() - page->counters_as_of <= kRescoreAfter) return FoundPage{*std::move(page)};
  return LookUpCounters(wish, *std::move(page));
}

std::optional<std::vector<Candidate>> PageCache::PostsOf(const PageSlot& slot, TimeMs as_of) const {
  std::optional<KeptPage> page = Read(slot);
  if (!page || page->as_of != as_of) return std::nullopt;
  return std::move(page->posts);
}

std::optional<FoundPage> PageCache::LookUpCounters(const PageWish& wish, KeptPage page) {
  for (const LiveEngine& live : engines_()) {
    const TimeMs fresh_as_of = live.progress->CountersAsOf();  // before they are read: never fresher than they are
    if (fresh_as_of <= page.counters_as_of || !Reached(page.position, live.progress->Applied())) continue;
    Result<std::vector<Candidate>> posts = live.engine->FindPosts(wish.slot.viewer, page.as_of, page.posts);
    if (!posts) {
      NoteFailure(*live.engine, posts.error());
      continue;
    }
    if (posts->size() < page.posts.size()) return std::nullopt;
    const Result<bool> has_new_post = HasNewPost(live.engine, wish, page);
    if (!has_new_post) NoteFailure(*live.engine, has_new_post.error());
    page.posts = *std::move(posts);
    page.counters_as_of = fresh_as_of;
    rescored_.Add();
    if (has_new_post && *has_new_post) return FoundPage{std::move(page), true};
    const std::optional<KeptPage> now = Read(wish.slot);
    if (now && now->as_of == page.as_of) Put(wish.slot, page);  // not over a ranking that was made meanwhile
    return FoundPage{std::move(page)};
  }
  return FoundPage{std::move(page)};
}

Result<bool> PageCache::HasNewPost(CandidateEngine* ahead, const PageWish& wish, const KeptPage& page) const {
  if (!wish.begins_walk) return false;
  FollowingQuery query;
  query.viewer = wish.slot.viewer;
  query.as_of = clock_->Now();
  query.limit = 1;
  const Result<std::vector<Candidate>> newest = ahead->FindFollowing(query);
  if (!newest) return tl::unexpected(newest.error());
  if (newest->empty()) return false;
  const TimeMs created_at = newest->front().created_at;
  return created_at > page.chosen_as_of - kCommitWithin && created_at <= wish.engine_as_of;
}

void PageCache::Keep(UserId viewer, std::size_t limit, const FullRanking& full, TimeMs fresh_as_of,
                     std::chrono::milliseconds ttl) {
  if (!full.failed.empty() || !follows_->Holds(viewer, full.position)) return;
  KeptPage kept;
  kept.as_of = full.as_of;
  kept.trending_as_of = full.trending_as_of;
  kept.chosen_as_of = kept.counters_as_of = fresh_as_of;
  kept.ends_at = clock_->Now() + ttl.count();
  kept.position = full.position;
  const std::vector<RankedPost>& ranked = full.ranking.posts;
  for (PageSlot slot{viewer, 0, limit}; slot.page < kKeptPages && slot.end() < ranked.size(); ++slot.page) {
    kept.posts.clear();
    for (std::size_t i = slot.offset(); i < slot.end(); ++i) kept.posts.push_back(ranked[i].candidate);
    Put(slot, kept);
  }
}

void PageCache::Forget(UserId viewer, std::size_t limit) {
  for (PageSlot slot{viewer, 0, limit}; slot.page < kKeptPages; ++slot.page) {
    static_cast<void>(cache_->Remove(FeedPageKey(viewer, slot.offset(), limit)));
  }
}

std::mutex& PageCache::MutexOf(UserId viewer) {
  return mutexes_.at(StrongIdHash<UserId>()(viewer) % kMutexes);
}

void PageCache::CountHit(const KeptPage& page) {
  cached_.hits.Add();
  age_seconds_.Observe(static_cast<double>(clock_->Now() - page.chosen_as_of) / 1000);
}

std::optional<KeptPage> PageCache::Read(const PageSlot& slot) const {
  const Result<std::optional<std::string>> bytes = cache_->Get(FeedPageKey(slot.viewer, slot.offset(), slot.limit));
  if (!bytes || !*bytes) return std::nullopt;
  Result<KeptPage> page = DecodeKeptPage(**bytes);
  if (!page) return std::nullopt;
  return *std::move(page);
}

void PageCache::Put(const PageSlot& slot, const KeptPage& page) {
  const std::chrono::milliseconds left(page.ends_at - clock_->Now());
  if (left.count() <= 0) return;
  // Where it is not kept, it is made again.
  static_cast<void>(cache_->Put(FeedPageKey(slot.viewer, slot.offset(), slot.limit), EncodeKeptPage(page), left));
}

void PageCache::NoteFailure(const CandidateEngine& engine, const Error& error) {
  failures_.Add();
  if (!failure_log_.Open()) return;
  Log(LogLevel::kWarn, "page_rescore_failed",
      {{"engine", std::string(engine.Name())}, {"code", error.code}, {"reason", error.detail}});
}

}  // namespace novafeed
