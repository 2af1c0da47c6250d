// The warehouse as a consumer of erasures.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <utility>

#include "base/result.h"
#include "erasure/eraser.h"
#include "graph/purges.h"
#include "stream/position.h"
#include "warehouse/filler.h"
#include "warehouse/olap.h"

namespace novafeed {

// While the engine is away it answers kUnavailable, so that the purge is tried again later.
class WarehouseErasure final : public ErasureConsumer {
 public:
  // All outlive it. `olap` may write. `require_upkeep` is called before each step of minutes and after it: it throws
  // StoreError where another process may purge by now.
  WarehouseErasure(WarehouseFiller* filler, Olap* olap, std::function<void()> require_upkeep)
      : filler_(filler), olap_(olap), require_upkeep_(std::move(require_upkeep)) {}

  Status Reach(const Position& end) override;
  // Holds its filling still meanwhile. Returns when nothing that names the users is left in the engine's files.
  Status Hide(std::span<const Erasure> erased) override;
  // Hides those of the users whom the rows name again: a part of a log that still names them has landed once more.
  Status HidePurged(std::span<const PurgedUser> purged);

 private:
  Status HideSome(std::span<const Erasure> erased);
  Status ClearFiles();

  WarehouseFiller* const filler_;
  Olap* const olap_;
  const std::function<void()> require_upkeep_;
};

// In the place of a warehouse that is off while its files lie in the data directory: they may name those whom a purge
// is to hide, and nobody can hide them there.
class IdleWarehouseErasure final : public ErasureConsumer {
 public:
  // `directory`: where the engine keeps its files.
  explicit IdleWarehouseErasure(std::string directory) : directory_(std::move(directory)) {}

  // kUnavailable "warehouse_off" while the directory is there.
  Status Reach(const Position& end) override;
  Status Hide(std::span<const Erasure> erased) override;

 private:
  const std::string directory_;
};

}  // namespace novafeed
