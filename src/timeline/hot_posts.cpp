#include "timeline/hot_posts.h"

#include <chrono>
#include <utility>

#include "base/log.h"
#include "cache/keys.h"
#include "ranking/ranking.h"
#include "social/byte_codec.h"

namespace novafeed {

namespace {

constexpr char kVersion = 1;

template <class Coder, class Posts>
void CodeHotPosts(Coder& coder, TimeMs& as_of, Posts& posts) {
  coder.Code(as_of);
  coder.CodeList(kTrendingCut, posts, [&coder](auto& post) {
    coder.Code(post.id, post.author, post.created_at, post.window.likes, post.window.comments, post.window.shares,
               post.window.impressions);
  });
}

}  // namespace

std::string EncodeHotPosts(const TrendingList& list) {
  std::string bytes;
  ByteWriter writer(kVersion, &bytes);
  TimeMs as_of = list.as_of;
  CodeHotPosts(writer, as_of, list.posts);
  return bytes;
}

Result<TrendingList> DecodeHotPosts(std::string_view bytes) {
  TimeMs as_of = 0;
  std::vector<TrendingCandidate> posts;
  ByteReader reader(kVersion, bytes);
  CodeHotPosts(reader, as_of, posts);
  if (!reader.ReadAll()) return Fail(Failure::kInternal, "bad_cached", "not a list of posts of this version");
  return RankTrending(std::move(posts), as_of);
}

HotPosts::HotPosts(const Clock* clock, Cache* cache, std::function<std::vector<CandidateEngine*>()> engines,
                   Metrics* metrics)
    : clock_(clock),
      cache_(cache),
      engines_(std::move(engines)),
      refresh_seconds_(metrics->AddHistogram("novafeed_hot_posts_refresh_seconds", "How long making hot:posts:1h took.",
                                             {0.003, 0.01, 0.03, 0.1, 0.3, 1, 2})),
      cached_("hot", metrics),
      fallbacks_(metrics->AddCounter("novafeed_hot_posts_fallbacks_total",
                                     "Times an engine could not make hot:posts:1h, and the next one was asked.")) {}

Result<TrendingList> HotPosts::Refresh() {
  const std::scoped_lock lock(refresh_mutex_);
  return RefreshLocked();
}

Result<TrendingList> HotPosts::Current() {
  std::optional<TrendingList> list = Cached();
  if (!list) {
    const std::scoped_lock lock(refresh_mutex_);
    list = Cached();  // one of those who waited may have made it
    if (!list) {
      cached_.misses.Add();
      return RefreshLocked();
    }
  }
  cached_.hits.Add();
  return *std::move(list);
}

std::optional<TrendingList> HotPosts::Cached() {
  const Result<std::optional<std::string>> text = cache_->Get(kHotPostsKey);
  if (!text || !*text) return std::nullopt;
  Result<TrendingList> list = DecodeHotPosts(**text);
  if (!list) return std::nullopt;
  return *std::move(list);
}

Result<TrendingList> HotPosts::RefreshLocked() {
  const auto start = std::chrono::steady_clock::now();
  Result<TrendingList> list = Make(clock_->Now());
  if (!list) return list;
  static_cast<void>(cache_->Put(kHotPostsKey, EncodeHotPosts(*list), kHotPostsTtl));  // without it, made again
  refresh_seconds_.Observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  return list;
}

Result<TrendingList> HotPosts::Make(TimeMs as_of) {
  Error last{Failure::kUnavailable, "no_engine",
             "No engine can make the list of hot posts yet: ask again in a moment."};
  for (CandidateEngine* engine : engines_()) {
    Result<std::vector<TrendingCandidate>> found = engine->FindTrending(as_of, kHotHours);
    if (found) return RankTrending(*std::move(found), as_of);
    last = found.error();
    fallbacks_.Add();
    if (!failure_log_.Open()) continue;
    Log(LogLevel::kWarn, "hot_posts_failed",
        {{"engine", std::string(engine->Name())}, {"code", last.code}, {"reason", last.detail}});
  }
  return tl::unexpected<Error>(last);
}

}  // namespace novafeed
