#include "timeline/feed_engines.h"

namespace novafeed {
namespace {

constexpr std::int64_t kBootRetryMs = 1000;

}  // namespace

Error BootingError() {
  return {Failure::kUnavailable, "booting", "The server is starting: send the request again in a moment.",
          kBootRetryMs};
}

std::vector<LiveEngine> FeedEngines::Live() const {
  std::vector<LiveEngine> live;
  const EngineServices* const index = index_.load(std::memory_order_acquire);
  const EngineServices* const warehouse = warehouse_.load(std::memory_order_acquire);
  if (index != nullptr) live.push_back(index->feed->live());
  if (warehouse != nullptr && warehouse->feed->HasData()) live.push_back(warehouse->feed->live());
  return live;
}

Result<ChosenEngine> FeedEngines::Choose(const std::optional<std::string>& wanted) const {
  const EngineServices* const index = index_.load(std::memory_order_acquire);
  const EngineServices* const warehouse = warehouse_.load(std::memory_order_acquire);
  const std::string& name = wanted.value_or(preferred_);
  if (name == "warehouse" && warehouse != nullptr) {
    if (warehouse->feed->HasData()) return ChosenEngine{*warehouse, false};
    return Fail(
        Failure::kUnavailable, "warehouse_unavailable",
        "The warehouse is not filled, or refused: /admin/status says which. Ask again later, or for engine=index.",
        kBootRetryMs);
  }
  if (name == "index" && index != nullptr) return ChosenEngine{*index, false};
  if (name == "warehouse") {
    return Fail(Failure::kInvalid, "bad_engine",
                "This server has no warehouse engine: start it with warehouse.engine set, or ask for engine=index.");
  }
  if (name != "index") return Fail(Failure::kInvalid, "bad_engine", "engine must be index or warehouse.");
  if (!wanted && WarehouseMayStandIn()) return ChosenEngine{*warehouse, true};
  return tl::unexpected(BootingError());
}

}  // namespace novafeed
