// One pass over the truth: the state of the graph and the whole of the event log, as facts at given positions.
#pragma once

#include <functional>
#include <span>

#include "base/result.h"
#include "capture/change.h"
#include "check/facts.h"
#include "stream/event_log.h"
#include "stream/position.h"

namespace novafeed {

// A position, and who is given the facts of the truth as of it.
struct TruthTarget {
  Position position;
  FactWriter* writer = nullptr;
};

// The state is read in one cut, which is at or after every position, and turned back by the changes in between: facts
// that were added since are taken back, and those that went are added again. A log that others write, too, may not have
// come as far as that cut: it is waited for.
//
// Events that the log has forgotten are in the facts as far as it knows their totals (HeldBy).
//
// Blocking; memory does not grow with the data. kConflict "position_ahead" where a position is beyond the log's end:
// the copy knows what the truth does not, as after restoring only one of them. Throws StoreError ("log_forgotten" where
// the log forgot while it was read: the facts are then void, begin again; "log_behind" where it stands still before the
// cut).
//
// `tick` is called now and then; what it throws ends the reading.
Status ReadTruth(ChangeFeed* changes, EventLog* events, std::span<const TruthTarget> targets,
                 const std::function<void()>& tick);

// What the truth can say of events. Throws StoreError.
HeldEvents HeldBy(EventLog* events);

}  // namespace novafeed
