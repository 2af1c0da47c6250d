// What the API stands on: named pointers, made and owned by the wiring, which keeps them longer than the ApiService.
#pragma once

#include "access/rate_limit.h"
#include "access/tokens.h"
#include "base/assets.h"
#include "base/metrics.h"
#include "base/time.h"
#include "graph/store.h"
#include "index/applier.h"
#include "index/feed_index.h"
#include "runtime/blocking_pool.h"
#include "stream/event_log.h"
#include "timeline/feed_engines.h"
#include "timeline/own_follows.h"
#include "timeline/trending_service.h"

namespace novafeed {

// Requests per caller: each token's subject has a bucket of its own.
struct ApiRateRules {
  RateRule user;
  RateRule service;   // service and admin tokens
  RateRule stranger;  // requests without a valid token, by network address; a valid token never waits for it
};

struct ApiDependencies {
  const Clock* clock = nullptr;
  const KeyRing* keys = nullptr;
  RateLimiter* rate_limiter = nullptr;
  Metrics* metrics = nullptr;
  GraphStore* graph = nullptr;
  EventLog* events = nullptr;
  BlockingPool* readers = nullptr;       // where reads of the graph block
  BlockingPool* warehouse = nullptr;     // where pages of engines that block are made; null where there is none
  const FeedEngines* engines = nullptr;  // may answer feeds before the index has booted
  OwnFollows* own_follows = nullptr;     // told of every change
  ApiRateRules rates;
  AssetTable assets;  // the page at "/" and its files

  // Where what blocks is done for this engine's answers.
  BlockingPool* PoolOf(const FeedService& feed) const { return feed.blocks() ? warehouse : readers; }
};

// What exists only once the index has booted.
struct LiveIndex {
  const FeedIndex* index = nullptr;
  IndexApplier* applier = nullptr;
  TrendingService* trending = nullptr;
};

}  // namespace novafeed
