#include "timeline/page_cache.h"

#include <algorithm>
#include <utility>

#include "cache/keys.h"

namespace novafeed {
namespace {

constexpr std::int64_t kFailureLogMs = 1000;
// A post is dated before it is committed: one that is dated so much before what a page was chosen from may lack in it.
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

std::optional<FoundPage> PageCache::Find(const PageSlot& slot, const Position& wanted) {
  std::optional<KeptPage> page = Read(slot);
  if (!page || !Reached(wanted, page->position)) return std::nullopt;
  if (!Reached(follows_->LastChange(slot.viewer), page->position)) return std::nullopt;
  if (clock_->Now() - page->counters_as_of <= kRescoreAfter) return FoundPage{*std::move(page)};
  return LookUpCounters(slot, *std::move(page));
}

std::vector<Candidate> PageCache::PostsOf(const PageSlot& slot, TimeMs as_of) const {
  std::optional<KeptPage> page = Read(slot);
  if (!page || page->as_of != as_of) return {};
  return std::move(page->posts);
}

std::optional<FoundPage> PageCache::LookUpCounters(const PageSlot& slot, KeptPage page) {
  for (const LiveEngine& live : engines_()) {
    const TimeMs fresh_as_of = live.progress->CountersAsOf();  // before they are read: never fresher than they are
    if (fresh_as_of <= page.counters_as_of) continue;
    Result<std::vector<Candidate>> posts = live.engine->FindPosts(slot.viewer, page.as_of, page.posts);
    if (!posts) {
      NoteFailure(*live.engine, posts.error());
      continue;
    }
    if (posts->size() < page.posts.size()) return std::nullopt;  // one of them is gone
    const Result<bool> has_new_post = HasNewPost(live.engine, slot.viewer, page.chosen_as_of);
    if (!has_new_post) NoteFailure(*live.engine, has_new_post.error());
    page.posts = *std::move(posts);
    page.counters_as_of = fresh_as_of;
    rescored_.Add();
    if (has_new_post && *has_new_post) return FoundPage{std::move(page), true};
    Put(slot, page);
    return FoundPage{std::move(page)};
  }
  return FoundPage{std::move(page)};
}

Result<bool> PageCache::HasNewPost(CandidateEngine* engine, UserId viewer, TimeMs chosen_as_of) const {
  FollowingQuery query;
  query.viewer = viewer;
  query.as_of = clock_->Now();
  query.limit = 1;
  const Result<std::vector<Candidate>> newest = engine->FindFollowing(query);
  if (!newest) return tl::unexpected(newest.error());
  return !newest->empty() && newest->front().created_at > chosen_as_of - kCommitWithin;
}

void PageCache::Keep(UserId viewer, std::size_t limit, const FullRanking& full, TimeMs fresh_as_of, std::size_t pages,
                     std::chrono::milliseconds ttl) {
  if (!full.failed.empty()) return;
  KeptPage kept;
  kept.as_of = full.as_of;
  kept.trending_as_of = full.trending_as_of;
  kept.chosen_as_of = kept.counters_as_of = fresh_as_of;
  kept.ends_at = clock_->Now() + ttl.count();
  kept.position = full.position;
  const std::vector<RankedPost>& ranked = full.ranking.posts;
  for (PageSlot slot{viewer, 0, limit}; slot.page < pages && slot.offset() < ranked.size(); ++slot.page) {
    const std::size_t end = std::min(slot.offset() + limit, ranked.size());
    kept.posts.clear();
    for (std::size_t i = slot.offset(); i < end; ++i) kept.posts.push_back(ranked[i].candidate);
    kept.more = end < ranked.size();
    Put(slot, kept);
  }
}

std::unique_lock<std::mutex> PageCache::LockFor(UserId viewer) {
  return std::unique_lock(locks_.at(StrongIdHash<UserId>()(viewer) % kLocks));
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
