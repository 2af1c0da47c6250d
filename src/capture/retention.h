// What every log that forgets says to a reader who comes too late. Shared by the adapters of ChangeFeed and EventLog.
#pragma once

#include <cstdint>
#include <string>

#include "graph/store.h"

namespace novafeed {

// Throws StoreError kConflict "log_forgotten" where entries behind `after` are gone: a reader that went on would miss
// them without a sign. `forgotten_through` (0 = nothing was forgotten) and the entries are read in one cut.
inline void RequireKept(std::int64_t after, std::int64_t forgotten_through) {
  if (after >= forgotten_through) return;
  throw StoreError(Error{Failure::kConflict, "log_forgotten",
                         "The log was to be read behind " + std::to_string(after) +
                             ", but it has forgotten what is up to " + std::to_string(forgotten_through) +
                             ": read the whole state (or the forgotten totals) again, and go on from where it ends.",
                         0});
}

}  // namespace novafeed
