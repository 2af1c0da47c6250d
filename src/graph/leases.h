// Who does what only one process may do at a time: a port, for stores that several processes share.
#pragma once

#include <chrono>
#include <string_view>

namespace novafeed {

// A lease is held from a Take until its time is over or it is given back, whatever becomes of its holder meanwhile.
// The store's clock decides, for all holders. The holder goes by its own steady clock, and counts from before the call
// of the Take: so it ends no later than the store says. (A process that is stopped in the middle of its work does not
// notice: what is done under a lease must bear that another has begun it, too. Leases keep work from being done twice
// for nothing; they guard no data.)
//
// Thread-safe; blocking, with deadlines; throws StoreError, after which it is not known whether the lease is held.
class Leases {
 public:
  virtual ~Leases() = default;

  // Takes the lease `name`, or extends it where `holder` has it: it ends `ttl` (> 0) from now. False where another
  // holds it. `holder` names one process (or what in it takes leases by itself), and no other, now or before.
  virtual bool Take(std::string_view name, std::string_view holder, std::chrono::milliseconds ttl) = 0;

  // It is free at once. Nothing where `holder` does not have it (any more).
  virtual void GiveBack(std::string_view name, std::string_view holder) = 0;
};

}  // namespace novafeed
