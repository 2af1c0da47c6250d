#include "timeline/hot_posts.h"

#include <boost/json.hpp>
#include <chrono>
#include <utility>

#include "base/json.h"
#include "base/log.h"
#include "cache/keys.h"
#include "ranking/ranking.h"
#include "timeline/cached_json.h"

namespace novafeed {

std::string EncodeHotPosts(const TrendingList& list) {
  std::string text;
  JsonWriter json(&text);
  json.BeginObject().Key("as_of").Int(list.as_of).Key("posts").BeginArray();
  for (const TrendingPost& post : list.posts) {
    json.BeginObject();
    WritePostFacts(&json, post.id, post.author, post.created_at, post.window);
    json.EndObject();
  }
  json.EndArray().EndObject();
  return text;
}

Result<TrendingList> DecodeHotPosts(std::string_view text) {
  return DecodeCached(text, [](const boost::json::object& root) {
    std::vector<TrendingCandidate> posts;
    for (const boost::json::value& value : root.at("posts").as_array()) {
      TrendingCandidate& post = posts.emplace_back();
      ReadPostFacts(value.as_object(), &post.id, &post.author, &post.created_at, &post.window);
    }
    return RankTrending(std::move(posts), root.at("as_of").as_int64());
  });
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

Result<TrendingList> HotPosts::Make(TimeMs as_of) const {
  Error last{Failure::kUnavailable, "no_engine",
             "No engine can make the list of hot posts yet: ask again in a moment."};
  for (CandidateEngine* engine : engines_()) {
    Result<std::vector<TrendingCandidate>> found = engine->FindTrending(as_of, kHotHours);
    if (found) return RankTrending(*std::move(found), as_of);
    last = found.error();
    fallbacks_.Add();
    Log(LogLevel::kWarn, "hot_posts_failed",
        {{"engine", std::string(engine->Name())}, {"code", last.code}, {"reason", last.detail}});
  }
  return tl::unexpected<Error>(last);
}

}  // namespace novafeed
