// The engines that a server has, and which of them answers a request.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "timeline/feed_service.h"
#include "timeline/page_cache.h"
#include "timeline/suggestion_service.h"

namespace novafeed {

// What who asks too early is told.
Error BootingError();

// What answers from one engine.
struct EngineServices {
  FeedService* feed = nullptr;
  SuggestionService* suggestions = nullptr;
};

struct ChosenEngine : EngineServices {
  bool stands_in = false;  // for the index, which is still booting
};

// Filled as the engines come to life, from one thread; asked from any.
class FeedEngines {
 public:
  // `preferred` answers where a request names none: "index" or "warehouse".
  explicit FeedEngines(std::string preferred = "index") : preferred_(std::move(preferred)) {}

  // Each at most once; outlives this.
  void OpenIndex(const EngineServices* services) { index_.store(services, std::memory_order_release); }
  void OpenWarehouse(const EngineServices* services) { warehouse_.store(services, std::memory_order_release); }
  // The warehouse holds all that the index will boot with: until it has, the warehouse may stand in for it.
  void LetWarehouseStandIn() { may_stand_in_.store(true, std::memory_order_release); }

  bool WarehouseMayStandIn() const { return may_stand_in_.load(std::memory_order_acquire); }

  // Those that can tell what posts count now, the index first.
  std::vector<LiveEngine> Live() const;

  // kInvalid "bad_engine"; kUnavailable "booting" where the engine is not up yet.
  Result<ChosenEngine> Choose(const std::optional<std::string>& wanted) const;

 private:
  const std::string preferred_;
  std::atomic<const EngineServices*> index_{nullptr};
  std::atomic<const EngineServices*> warehouse_{nullptr};
  std::atomic<bool> may_stand_in_{false};
};

}  // namespace novafeed
