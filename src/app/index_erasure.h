// The index and its snapshot file as a consumer of erasures.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "erasure/eraser.h"
#include "index/applier.h"
#include "index/feed_index.h"
#include "stream/position.h"

namespace novafeed {

// Everybody whom it names.
std::vector<UserId> UsersOf(const FeedIndex& index);

class IndexErasure final : public ErasureConsumer {
 public:
  // Writes the snapshot file; the position that it holds. Blocking.
  using SaveSnapshot = std::function<Result<Position>()>;

  // Both outlive it.
  IndexErasure(FeedIndex* index, IndexApplier* applier, SaveSnapshot save_snapshot);

  Status Reach(const Position& end) override;
  Status Hide(std::span<const Erasure> erased) override;
  // Everybody whom the index names.
  std::vector<UserId> Users() const { return UsersOf(*index_); }

 private:
  FeedIndex* const index_;
  IndexApplier* const applier_;
  const SaveSnapshot save_snapshot_;
};

}  // namespace novafeed
