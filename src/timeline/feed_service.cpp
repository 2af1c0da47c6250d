#include "timeline/feed_service.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstring>
#include <span>

#include "base/crypto.h"
#include "cache/keys.h"
#include "timeline/instants.h"
#include "timeline/stopwatch.h"

namespace novafeed {
namespace {

std::uint64_t NewSalt() {
  std::uint64_t salt = 0;
  const std::string bytes = RandomBytes(sizeof salt);
  std::memcpy(&salt, bytes.data(), sizeof salt);
  return salt;
}

// Takes from `posts`, in order, those that are still there with their content, until there are `limit`.
// `take_from` is where the next page would go on: the first post that was not looked at.
std::vector<FeedItem> TakeItems(const PostContents& contents_of, std::span<const RankedPost> posts, std::size_t limit,
                                std::size_t* take_from) {
  std::vector<FeedItem> items;
  items.reserve(limit);
  while (items.size() < limit && *take_from < posts.size()) {
    const std::span<const RankedPost> batch =
        posts.subspan(*take_from).first(std::min(limit - items.size(), posts.size() - *take_from));
    std::vector<PostId> ids;
    ids.reserve(batch.size());
    for (const RankedPost& post : batch) ids.push_back(post.candidate.id);
    std::vector<std::optional<PostContent>> contents = contents_of.Of(ids);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (!contents[i]) continue;  // deleted since it was ranked
      const Candidate& candidate = batch[i].candidate;
      items.push_back(FeedItem{std::move(*contents[i]), candidate.author, candidate.created_at, candidate.counters,
                               candidate.interactions, candidate.source, batch[i].parts});
    }
    *take_from += batch.size();
  }
  return items;
}

// The posts of the ranking that the walk has not served yet, in order.
std::vector<RankedPost> NotServed(std::vector<RankedPost> ranked, const WalkState& walk) {
  if (walk.served.empty()) return ranked;
  const boost::unordered_flat_set<ServedHash> served(walk.served.begin(), walk.served.end());
  std::erase_if(ranked, [&](const RankedPost& post) { return served.contains(walk.HashOf(post.candidate.id)); });
  return ranked;
}

}  // namespace

FeedService::FeedService(const Clock* clock, const FeedParts& parts, CursorCodec codec, Metrics* metrics)
    : clock_(clock),
      parts_(parts),
      codec_(std::move(codec)),
      stale_(metrics->AddCounter(
          "novafeed_stale_answers_total",
          "Feed answers whose counters were older than five seconds, or that lacked a new post.")) {}

Result<OpenedFeed> FeedService::Open(FeedRequest request) const {
  if (request.limit < 1 || request.limit > kMaxPage) {
    return Fail(Failure::kInvalid, "bad_limit", "limit must be from 1 to 100.");
  }
  if (request.offset && *request.offset > kMaxOffset) {
    return Fail(Failure::kInvalid, "bad_offset", "offset must be from 0 to 500; use the cursor to go further.");
  }
  if (request.cursor && (request.offset || request.as_of || request.trending_as_of)) {
    return Fail(Failure::kInvalid, "cursor_with_offset",
                "A cursor holds its own place and time: send it without offset, as_of and trending_as_of.");
  }
  const TimeMs now = clock_->Now();
  if (Status checked = CheckAsOf(request.as_of, now, "as_of"); !checked) return tl::unexpected(checked.error());
  if (Status checked = CheckAsOf(request.trending_as_of, now, "trending_as_of"); !checked) {
    return tl::unexpected(checked.error());
  }

  OpenedFeed feed;
  feed.wait_for.generation = codec_.generation();
  if (request.cursor && request.mode == FeedMode::kForYou) {
    Result<WalkState> walk = codec_.DecodeWalk(*request.cursor, request.viewer);
    if (!walk) return tl::unexpected(walk.error());
    feed.wait_for = walk->position;
    feed.walk = std::move(*walk);
  } else if (request.cursor) {
    Result<FollowingPlace> place = codec_.DecodeFollowing(*request.cursor, request.viewer);
    if (!place) return tl::unexpected(place.error());
    feed.wait_for = place->position;
    feed.following = std::move(*place);
  }
  feed.request = std::move(request);
  return feed;
}

bool FeedService::MayTakeLong(const OpenedFeed& feed) const {
  const FeedRequest& request = feed.request;
  if (parts_.blocks) return true;
  if (request.mode != FeedMode::kForYou) return false;
  return request.as_of || request.trending_as_of || !parts_.ranker->trending().IsCurrent();
}

std::optional<FeedPage> FeedService::FindKept(const OpenedFeed& feed) {
  const std::optional<PageSlot> slot = SlotOf(feed);
  std::optional<FeedPage> page = slot ? LookUp(feed, *slot) : std::nullopt;
  if (!page || page->outdated) return std::nullopt;
  Finish(&*page, false);
  return page;
}

Result<FeedPage> FeedService::Page(const OpenedFeed& feed, bool behind) {
  Result<FeedPage> page = feed.request.mode == FeedMode::kForYou ? ForYouPage(feed) : FollowingPage(feed);
  if (page) Finish(&*page, behind && !page->cached);  // what is cached holds what was waited for
  return page;
}

void FeedService::Finish(FeedPage* page, bool behind) {
  page->engine = engine();
  if (behind) page->degraded.push_back("behind");
  if (page->outdated || clock_->Now() - page->counters_as_of > kStaleAfter) {
    page->degraded.push_back("stale");
    stale_.Add();
  }
}

WalkState FeedService::ContinueOrStart(const OpenedFeed& feed) const {
  const TimeMs now = clock_->Now();
  if (!feed.walk) {
    WalkState walk;
    walk.as_of = feed.request.as_of.value_or(now);
    walk.started_at = now;
    walk.salt = NewSalt();
    return walk;
  }
  WalkState walk = *feed.walk;
  if (now - walk.started_at >= kMaxAsOfAge) walk.as_of = walk.started_at = now;
  return walk;
}

std::shared_ptr<const TrendingList> FeedService::TrendingFor(const FeedRequest& request) const {
  TrendingBoard& trending = parts_.ranker->trending();
  if (request.trending_as_of) return trending.At(*request.trending_as_of);
  if (request.as_of) return trending.At(*request.as_of);
  return trending.Current();
}

Result<FeedPage> FeedService::ForYouPage(const OpenedFeed& feed) {
  const std::optional<PageSlot> slot = SlotOf(feed);
  return slot ? PageThroughCache(feed, *slot) : MakePage(feed);
}

std::optional<PageSlot> FeedService::SlotOf(const OpenedFeed& feed) const {
  const FeedRequest& request = feed.request;
  if (parts_.pages == nullptr || request.mode != FeedMode::kForYou) return std::nullopt;
  if (request.as_of || request.trending_as_of) return std::nullopt;
  const std::size_t offset = feed.walk ? feed.walk->served.size() : request.offset.value_or(0);
  if (offset % request.limit != 0 || offset / request.limit >= kKeptPages) return std::nullopt;
  return PageSlot{request.viewer, offset / request.limit, request.limit};
}

Result<FeedPage> FeedService::PageThroughCache(const OpenedFeed& feed, const PageSlot& slot) {
  std::unique_lock lock(parts_.pages->MutexOf(slot.viewer), std::try_to_lock);
  const bool waited = !lock.owns_lock();
  if (waited) lock.lock();
  std::optional<FeedPage> kept = LookUp(feed, slot);  // one of those who waited may have made it
  if (kept && !kept->outdated) return *std::move(kept);
  if (waited) lock.unlock();  // what others make does not serve: not one after the other
  parts_.pages->CountMiss();
  Result<FeedPage> made = MakePage(feed);
  if (!made && kept) return *std::move(kept);
  return made;
}

std::optional<FeedPage> FeedService::LookUp(const OpenedFeed& feed, const PageSlot& slot) const {
  Stopwatch watch;
  const PageWish wish{slot, feed.wait_for, !feed.walk, parts_.progress->CountersAsOf()};
  const std::optional<FoundPage> found = parts_.pages->Find(wish);
  if (!found) return std::nullopt;
  const std::int64_t looked = watch.Lap();
  std::optional<FeedPage> page = CachedPage(feed, slot, found->page);
  if (!page) return std::nullopt;
  page->timings = {{"cache", looked}, {"page", watch.Lap()}};
  page->outdated = found->outdated;
  if (!page->outdated) parts_.pages->CountHit(found->page);
  return page;
}

std::optional<FeedPage> FeedService::CachedPage(const OpenedFeed& feed, const PageSlot& slot,
                                                const KeptPage& kept) const {
  WalkState walk = ContinueOrStart(feed);
  if (feed.walk && walk.as_of != kept.as_of) return std::nullopt;  // of another walk
  walk.as_of = kept.as_of;
  for (PageSlot before{slot.viewer, 0, slot.limit}; !feed.walk && before.page < slot.page; ++before.page) {
    const std::optional<std::vector<Candidate>> posts = parts_.pages->PostsOf(before, kept.as_of);
    if (!posts) return std::nullopt;
    for (const Candidate& post : *posts) walk.served.push_back(walk.HashOf(post.id));
  }
  const std::vector<RankedPost> posts = NotServed(RankAgain(kept.posts, kept.as_of), walk);

  FeedPage page;
  page.cached = true;
  page.as_of = kept.as_of;
  page.trending_as_of = kept.trending_as_of;
  page.counters_as_of = kept.counters_as_of;
  std::size_t next = 0;
  page.items = TakeItems(*parts_.contents, posts, slot.limit, &next);
  if (page.items.size() < kept.posts.size()) {
    parts_.pages->Forget(slot.viewer, slot.limit);
    return std::nullopt;
  }
  for (const RankedPost& post : posts) walk.served.push_back(walk.HashOf(post.candidate.id));
  // Also keeps a walk that went on in a newer state from coming back to these pages.
  walk.position = Union(walk.position, kept.position);
  page.next_cursor = codec_.Encode(walk, slot.viewer);
  return page;
}

Result<FeedPage> FeedService::MakePage(const OpenedFeed& feed) {
  FeedPage page;
  page.counters_as_of = parts_.progress->CountersAsOf();  // before they are read: never fresher than they are
  WalkState walk = ContinueOrStart(feed);
  Result<FullRanking> full = parts_.ranker->Rank(feed.request.viewer, walk.as_of, TrendingFor(feed.request));
  if (!full) return tl::unexpected(full.error());
  page.degraded = full->failed;
  page.timings = full->timings;
  page.as_of = full->as_of;
  page.trending_as_of = full->trending_as_of;

  Stopwatch watch;
  const std::optional<PageSlot> slot = feed.walk ? std::nullopt : SlotOf(feed);
  if (slot && slot->end() < full->ranking.posts.size()) {  // not for a page that it would not keep
    parts_.pages->Keep(feed.request.viewer, feed.request.limit, *full, page.counters_as_of, kFeedPageTtl);
  }
  const std::vector<RankedPost> posts = NotServed(std::move(full->ranking.posts), walk);
  std::size_t next = std::min(feed.request.offset.value_or(0), posts.size());
  page.items = TakeItems(*parts_.contents, posts, feed.request.limit, &next);
  if (next < posts.size() && walk.served.size() + next < kMaxServed) {
    for (std::size_t i = 0; i < next; ++i) walk.served.push_back(walk.HashOf(posts[i].candidate.id));
    walk.position = full->position;
    page.next_cursor = codec_.Encode(walk, feed.request.viewer);
  }
  page.timings.emplace_back("page", watch.Lap());
  return page;
}

Result<FeedPage> FeedService::FollowingPage(const OpenedFeed& feed) {
  FeedPage page;
  page.counters_as_of = parts_.progress->CountersAsOf();  // before they are read
  Stopwatch watch;
  const FeedRequest& request = feed.request;
  const std::size_t skip = request.offset.value_or(0);
  FollowingQuery query;
  query.viewer = request.viewer;
  query.as_of = feed.following ? feed.following->as_of : request.as_of.value_or(clock_->Now());
  query.limit = skip + request.limit + 1;  // one more tells whether there is a next page
  if (feed.following) query.after = std::pair(feed.following->created_at, feed.following->id);
  page.as_of = query.as_of;
  page.trending_as_of = query.as_of;

  const Position position = parts_.progress->Applied();
  const Result<std::vector<Candidate>> found = parts_.engine->FindFollowing(query);
  if (!found) return tl::unexpected(found.error());
  page.timings.emplace_back("candidates", watch.Lap());

  std::vector<RankedPost> posts;
  posts.reserve(found->size());
  for (const Candidate& candidate : *found) posts.push_back(RankedPost{candidate, ScoreParts()});
  std::size_t next = std::min(skip, posts.size());
  page.items = TakeItems(*parts_.contents, posts, request.limit, &next);
  for (FeedItem& item : page.items) item.parts.reset();
  if (posts.size() == query.limit) {  // also where one that was deleted since made the page shorter
    const Candidate& last = posts[next - 1].candidate;
    page.next_cursor = codec_.Encode(FollowingPlace{query.as_of, last.created_at, last.id, position}, request.viewer);
  }
  page.timings.emplace_back("page", watch.Lap());
  return page;
}

}  // namespace novafeed
