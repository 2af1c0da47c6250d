// How a node that does not settle the warehouse has landing held still by the one that does: by a table of the engine.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "warehouse/olap.h"

namespace novafeed {

struct LandingHold {
  std::string holder;
  bool is_held = false;  // it was told that landing holds still
};

// A hold is wanted, renewed every second or so, and released; one that is not renewed for so long is over: kLasts.
// Thread-safe as the engine's client is; errors of the port.
class LandingHolds {
 public:
  static constexpr std::chrono::seconds kLasts{10};

  explicit LandingHolds(Olap* olap) : olap_(olap) {}

  // Of the node that wants to read. `holder`: a name that was never used before.
  Status Want(const std::string& holder) { return Note(holder, "wanted", kLasts.count()); }
  Status Release(const std::string& holder) { return Note(holder, "released", 0); }
  // Of the node that settles, once it holds still; until no hold is listed any more.
  Status Tell(const std::string& holder) { return Note(holder, "held", 0); }

  Result<std::vector<LandingHold>> List();
  // Of the node that settles, while nobody reads: forgets all of them; those that are wanted are renewed.
  Status Clear();

 private:
  Status Note(const std::string& holder, const std::string& state, std::int64_t seconds);

  Olap* const olap_;
};

}  // namespace novafeed
