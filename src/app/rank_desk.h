// Whole rankings at any instant: what `novafeed rank` and GET /admin/rank print.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "app/feed_stack.h"
#include "base/result.h"
#include "base/time.h"
#include "erasure/eraser.h"
#include "graph/store.h"
#include "index/boot.h"

namespace novafeed {

struct RankRequest {
  UserId viewer;
  std::optional<TimeMs> as_of;           // absent: now
  std::optional<TimeMs> trending_as_of;  // absent: as_of
};

// Thread-safe; blocking. A request that the live index covers waits for nobody else's. A purge lets go of the index
// that was built: it follows the log, and must not read on in what is changed there.
class RankDesk final : public ErasureConsumer {
 public:
  // All outlive the desk. `live` answers for the instants that its windows cover; it may be null. For any other instant
  // an index is built from the store, one at a time, and kept for the requests that follow with the same instant.
  RankDesk(BootSources sources, GraphStore* graph, FeedStack* live, const Clock* clock, Metrics* metrics);

  // Whether the live index covers the request, so that Rank takes milliseconds. Never blocks.
  bool IsLive(const RankRequest& request) const;

  // One JSON object without a newline. Throws StoreError.
  Result<std::string> Rank(const RankRequest& request);

  Status Reach(const Position& end) override;
  Status Hide(std::span<const Erasure>) override { return {}; }

 private:
  // The built stack whose windows reach back to `oldest`, brought up to the log's end. Under mutex_.
  FeedStack* BuiltFor(TimeMs oldest);
  Result<std::string> RankWith(FeedStack* stack, const RankRequest& request);

  const BootSources sources_;
  GraphStore* const graph_;
  FeedStack* const live_;
  const Clock* const clock_;
  Metrics* const metrics_;
  std::mutex mutex_;  // guards built_ and its use
  std::unique_ptr<FeedStack> built_;
};

}  // namespace novafeed
