// Whole rankings at any instant: what `novafeed rank` and GET /admin/rank print.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "app/feed_stack.h"
#include "app/graph_contents.h"
#include "base/result.h"
#include "base/time.h"
#include "erasure/eraser.h"
#include "graph/store.h"
#include "index/boot.h"

namespace novafeed {

enum class RankEngine : std::uint8_t { kIndex, kWarehouse };
// kInvalid "bad_engine".
Result<RankEngine> ParseRankEngine(std::string_view name);

struct RankRequest {
  UserId viewer;
  std::optional<TimeMs> as_of;           // absent: now
  std::optional<TimeMs> trending_as_of;  // absent: as_of
  RankEngine engine = RankEngine::kIndex;
};

// The warehouse's ranker; null where there is none.
struct RankWarehouse {
  const Ranker* ranker = nullptr;
  bool drops_old_rows = true;  // by its TTLs (olap.ttl): then it answers for kWarehouseReach only
};

// The windows reach back 90 days at most, and interactions are dropped 92 days after theirs.
inline constexpr TimeMs kWarehouseReach = 2 * kMsPerDay;

// Thread-safe; blocking. A request that the live index covers waits for nobody else's. A purge lets go of the index
// that was built: it follows the log, and must not read on in what is changed there.
class RankDesk final : public ErasureConsumer {
 public:
  // All outlive the desk. `live` answers for the instants that its windows cover; it may be null. For any other instant
  // an index is built from the store, one at a time, and kept for the requests that follow with the same instant.
  // `warehouse` may be null, too.
  RankDesk(BootSources sources, GraphStore* graph, IndexStack* live, RankWarehouse warehouse, const Clock* clock,
           Metrics* metrics);

  // Whether Rank needs no index of its own, which would take long. Never blocks.
  bool IsLive(const RankRequest& request) const;

  // One JSON object without a newline. kInvalid "bad_engine" without a warehouse; kUnprocessable "out_of_reach" where
  // it may have dropped rows of that instant's windows; kUnavailable "source_failed" where a source of the warehouse
  // did not answer: a ranking that is printed is whole. Throws StoreError.
  Result<std::string> Rank(const RankRequest& request);

  Status Reach(const Position& end) override;
  Status Hide(std::span<const Erasure>) override { return {}; }

 private:
  // The built stack whose windows reach back to `oldest`, brought up to the log's end. Under mutex_.
  IndexStack* BuiltFor(TimeMs oldest);
  Result<std::string> RankWith(const Ranker& ranker, const PostContents& contents, const RankRequest& request);

  const BootSources sources_;
  GraphStore* const graph_;
  IndexStack* const live_;
  const RankWarehouse warehouse_;
  const GraphContents graph_contents_;
  const Clock* const clock_;
  Metrics* const metrics_;
  std::mutex mutex_;  // guards built_ and its use
  std::unique_ptr<IndexStack> built_;
};

}  // namespace novafeed
