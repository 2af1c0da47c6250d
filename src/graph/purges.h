// Users who were purged, for processes that may still read of them: a port, for stores that several processes share
// over logs that cannot be rewritten.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"
#include "graph/store.h"
#include "social/ids.h"

namespace novafeed {

struct PurgedUser {
  std::int64_t number = 0;  // above that of everybody who was purged before
  Uuid digest;              // RetiredDigest of the user: no file holds the id
  UserId pseudonym;
  std::int64_t changes = 0;  // nothing behind this place of the log of changes names the user

  friend bool operator==(const PurgedUser&, const PurgedUser&) = default;
};

// Thread-safe; blocking, with deadlines; throws StoreError.
class Purges {
 public:
  virtual ~Purges() = default;

  // Before the erasures are closed. May be repeated: the last number and pseudonym hold.
  virtual void NotePurged(std::span<const Erasure> erased, std::int64_t changes) = 0;
  // Those with numbers above `after`, ascending. Who has read up to a number never misses one below it.
  virtual std::vector<PurgedUser> ReadPurged(std::int64_t after) = 0;
  // Forgets those who were purged before: no log names them any more. Returns how many. (The last one stays, so that
  // its number does.)
  virtual std::int64_t ForgetPurged(TimeMs before) = 0;
};

}  // namespace novafeed
