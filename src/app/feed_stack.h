// An engine and everything that answers from it, made and destroyed together.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "app/graph_contents.h"
#include "base/metrics.h"
#include "base/settings.h"
#include "base/time.h"
#include "candidates/index_engine.h"
#include "candidates/index_suggestions.h"
#include "candidates/warehouse_engine.h"
#include "candidates/warehouse_suggestions.h"
#include "graph/store.h"
#include "index/applier.h"
#include "index/boot.h"
#include "index/feed_index.h"
#include "timeline/feed_engines.h"
#include "timeline/feed_service.h"
#include "timeline/own_follows.h"
#include "timeline/page_cache.h"
#include "timeline/post_contents.h"
#include "timeline/ranker.h"
#include "timeline/suggestion_cache.h"
#include "timeline/suggestion_service.h"
#include "timeline/trending_board.h"

namespace novafeed {

// What is kept of viewers' answers in a cache. Thread-safe as its parts are.
struct ViewerCaches {
  // All outlive it; `engines` are those that can tell what posts count now.
  ViewerCaches(const Clock* clock, Cache* cache, const std::string& generation, const FeedEngines* engines,
               Metrics* metrics)
      : follows(cache, generation),
        pages(
            clock, cache, &follows, [engines] { return engines->Live(); }, metrics),
        suggestions(cache, &follows, metrics) {}
  ViewerCaches(const ViewerCaches&) = delete;
  ViewerCaches& operator=(const ViewerCaches&) = delete;

  OwnFollows follows;
  PageCache pages;
  SuggestionCache suggestions;
};

// An index and what ranks from it. Neither copied nor moved, as the other stacks: its parts point at each other.
// Thread-safe as its parts are.
struct IndexStack {
  // `clock` and `metrics` outlive it.
  IndexStack(std::unique_ptr<FeedIndex> index_in, const Clock* clock, Metrics* metrics)
      : index(std::move(index_in)),
        engine(index.get()),
        trending(clock, &engine, metrics),
        ranker(&engine, &trending, metrics),
        contents(index.get()) {}
  IndexStack(const IndexStack&) = delete;
  IndexStack& operator=(const IndexStack&) = delete;

  std::unique_ptr<FeedIndex> index;
  IndexEngine engine;
  TrendingBoard trending;
  Ranker ranker;
  IndexContents contents;
};

// An index that follows the log, and its feeds.
struct LiveIndexStack : IndexStack {
  // The sources outlive it, too; `cursor_key` signs the cursors of its pages.
  LiveIndexStack(std::unique_ptr<FeedIndex> index_in, const BootSources& sources, const std::string& cursor_key,
                 const Clock* clock, Metrics* metrics)
      : IndexStack(std::move(index_in), clock, metrics),
        applier(clock, index.get(), sources.changes, sources.events, metrics),
        feeds(clock, {&engine, &ranker, &contents, &applier, false, nullptr},
              CursorCodec(cursor_key, sources.generation), metrics),
        suggestion_engine(index.get()),
        suggestions(clock, {&suggestion_engine, &applier, nullptr}, metrics),
        services{&feeds, &suggestions} {}

  IndexApplier applier;
  FeedService feeds;
  IndexSuggestions suggestion_engine;
  SuggestionService suggestions;
  const EngineServices services;
};

inline WarehouseEngineOptions EngineOptions(const Settings& settings) {
  WarehouseEngineOptions options;
  options.source_deadline = settings.Duration("warehouse.source_deadline");
  options.trending_deadline = settings.Duration("warehouse.trending_deadline");
  options.suggestion_deadline = settings.Duration("warehouse.suggestion_deadline");
  options.query_threads = static_cast<std::size_t>(settings.Int("warehouse.query_threads"));
  return options;
}

// The warehouse as an engine, and what ranks from it.
struct WarehouseRankStack {
  // All outlive it; `progress` is that of what fills it.
  WarehouseRankStack(Olap* olap, LogProgress* progress, const WarehouseEngineOptions& options, const Clock* clock,
                     Metrics* metrics)
      : engine(
            olap, [progress] { return progress->Applied(); }, options, metrics),
        trending(clock, &engine, metrics),
        ranker(&engine, &trending, metrics) {}
  WarehouseRankStack(const WarehouseRankStack&) = delete;
  WarehouseRankStack& operator=(const WarehouseRankStack&) = delete;

  WarehouseEngine engine;
  TrendingBoard trending;
  Ranker ranker;
};

// Its feeds, with a cache before them.
struct WarehouseFeedStack : WarehouseRankStack {
  // All outlive it, too.
  WarehouseFeedStack(Olap* olap, LogProgress* progress, GraphStore* graph, const WarehouseEngineOptions& options,
                     const CursorCodec& codec, ViewerCaches* caches, const Clock* clock, Metrics* metrics)
      : WarehouseRankStack(olap, progress, options, clock, metrics),
        contents(graph),
        feeds(clock, {&engine, &ranker, &contents, progress, true, &caches->pages}, codec, metrics),
        suggestion_engine(olap, options.suggestion_deadline),
        suggestions(clock, {&suggestion_engine, progress, &caches->suggestions}, metrics),
        services{&feeds, &suggestions} {}

  GraphContents contents;
  FeedService feeds;
  WarehouseSuggestions suggestion_engine;
  SuggestionService suggestions;
  const EngineServices services;
};

}  // namespace novafeed
