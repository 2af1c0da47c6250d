// What was asked to be landed again, and is not yet: nothing that was accepted is lost.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

#include "base/result.h"
#include "warehouse/filler.h"

namespace novafeed {

// Thread-safe; Do() and Drop() are for the filler's thread.
class WaitingRewind {
 public:
  // Two that wait are one that does what both do.
  void Add(const SinkRewind& wanted);
  // Whether one waits, or is being done.
  bool any() const;
  // Hands what waits to `land`, if anything does. Where that fails or throws, it waits on; also where another was added
  // meanwhile, with which it is done once more: to land an entry again changes nothing.
  Status Do(const std::function<Status(const SinkRewind&)>& land);
  // Whether there was one.
  bool Drop();

 private:
  mutable std::mutex mutex_;
  std::optional<SinkRewind> waiting_;
  std::uint64_t added_ = 0;
};

}  // namespace novafeed
