// GET /api/v1/feed and GET /feed.
#include <chrono>
#include <functional>
#include <utility>

#include "api/feed_parameters.h"
#include "api/parameters.h"
#include "api/render.h"
#include "api/routes/routes.h"
#include "api/server_timing.h"
#include "api/storage.h"

namespace novafeed {
namespace {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

std::chrono::microseconds Since(SteadyClock::time_point start) {
  return std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - start);
}

// The texts of posts that are so old that the index does not hold them (a quiet platform's fallback).
asio::awaitable<Status> FetchMissingTexts(RequestContext* context, FeedPage* page) {
  std::vector<PostId> missing;
  for (const FeedItem& item : page->items) {
    if (!item.content.held) missing.push_back(item.content.id);
  }
  if (missing.empty()) co_return Status();

  using Posts = std::vector<std::optional<Post>>;
  Query<Posts> fetch = [missing = std::move(missing)](GraphStore& graph) -> Result<Posts> {
    Posts posts;
    posts.reserve(missing.size());
    for (const PostId& id : missing) posts.push_back(graph.GetPost(id));
    return posts;
  };
  Result<Posts> posts = co_await QueryGraph(&context->dependencies(), std::move(fetch));
  if (!posts) co_return tl::unexpected(posts.error());

  auto next = posts->begin();
  for (FeedItem& item : page->items) {
    if (item.content.held) continue;
    const std::optional<Post>& post = *next++;
    if (!post || post->deleted_at) continue;
    item.content = PostContent{post->id, post->external_id, post->text, true};
  }
  // Deleted since it was ranked, or never there: gone from this answer too.
  std::erase_if(page->items, [](const FeedItem& item) { return !item.content.held; });
  co_return Status();
}

// Where pages of the engine are kept: those that are found do not wait behind those that are made.
asio::awaitable<Result<std::optional<FeedPage>>> FindKeptPage(RequestContext* context, FeedService* feed,
                                                              OpenedFeed opened) {
  std::function<Result<std::optional<FeedPage>>()> find = [feed, opened = std::move(opened)] {
    return Result<std::optional<FeedPage>>(feed->FindKept(opened));
  };
  co_return co_await AwaitResult(context->dependencies().readers, std::move(find));
}

// Mostly here and now; on a pool where the engine blocks, or a trending list has to be made first.
asio::awaitable<Result<FeedPage>> MakePage(RequestContext* context, FeedService* feed, OpenedFeed opened) {
  if (feed->MayBeKept(opened)) {
    Result<std::optional<FeedPage>> kept = co_await FindKeptPage(context, feed, opened);
    if (!kept) co_return tl::unexpected(kept.error());
    if (*kept) co_return **std::move(kept);
  }
  const bool may_take_long = feed->MayTakeLong(opened);
  std::function<Result<FeedPage>()> make = [feed, opened = std::move(opened), behind = context->behind()] {
    return feed->Page(opened, behind);
  };
  if (!may_take_long) co_return make();
  co_return co_await AwaitResult(context->dependencies().PoolOf(*feed), std::move(make));
}

asio::awaitable<Result<HttpResponse>> GetFeed(RequestContext* context, PathParams) {
  const Result<UserId> viewer = context->RequirePerson();
  if (!viewer) co_return tl::unexpected(viewer.error());
  Result<FeedRequest> request = ParseFeedRequest(context->query(), context->caller());
  if (!request) co_return tl::unexpected(request.error());
  const Result<bool> explain = FlagParam(context->query(), "explain");
  if (!explain) co_return tl::unexpected(explain.error());
  request->viewer = *viewer;

  const Result<ChosenEngine> engine = context->dependencies().engines->Choose(request->engine);
  if (!engine) co_return tl::unexpected(engine.error());
  Result<OpenedFeed> opened = engine->feed->Open(*std::move(request));
  if (!opened) co_return tl::unexpected(opened.error());

  const SteadyClock::time_point waiting = SteadyClock::now();
  opened->wait_for = Union(context->carried(), opened->wait_for);
  co_await AwaitPosition(context, &engine->feed->progress(), opened->wait_for);
  const std::chrono::microseconds waited = Since(waiting);

  Result<FeedPage> page = co_await MakePage(context, engine->feed, *std::move(opened));
  if (!page) co_return tl::unexpected(engine->stands_in ? BootingError() : page.error());
  if (engine->stands_in) page->degraded.push_back("booting");
  const Status complete = co_await FetchMissingTexts(context, &*page);
  if (!complete) co_return tl::unexpected(complete.error());

  const SteadyClock::time_point rendering = SteadyClock::now();
  HttpResponse response = JsonAnswer(200, RenderFeedPage(*page, *explain));
  AddServerTiming(&response, "wait", waited);
  AddServerTimings(&response, page->timings);
  AddServerTiming(&response, "render", Since(rendering));
  co_return response;
}

}  // namespace

std::vector<ApiRoute> FeedRoutes() {
  return {{Method::kGet, "/api/v1/feed", GetFeed}, {Method::kGet, "/feed", GetFeed}};
}

}  // namespace novafeed
