// An index and everything that answers from it, made and destroyed together.
#pragma once

#include <memory>
#include <string>

#include "base/metrics.h"
#include "base/time.h"
#include "candidates/index_engine.h"
#include "index/feed_index.h"
#include "timeline/feed_service.h"
#include "timeline/trending_board.h"

namespace novafeed {

// Neither copied nor moved: its parts point at each other. Thread-safe as its parts are.
struct FeedStack {
  // `clock` and `metrics` outlive it; `cursor_key` signs the cursors of its pages.
  FeedStack(std::unique_ptr<FeedIndex> index_in, const std::string& cursor_key, const Clock* clock, Metrics* metrics)
      : index(std::move(index_in)),
        engine(index.get()),
        trending(clock, &engine, metrics),
        feeds(clock, index.get(), &engine, &trending, CursorCodec(cursor_key, index->position().generation), metrics) {}
  FeedStack(const FeedStack&) = delete;
  FeedStack& operator=(const FeedStack&) = delete;

  std::unique_ptr<FeedIndex> index;
  IndexEngine engine;
  TrendingBoard trending;
  FeedService feeds;
};

}  // namespace novafeed
