// `novafeed check`: OLTP, log, warehouse and index against each other, and mending what differs.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "capture/change.h"
#include "check/report.h"
#include "index/feed_index.h"
#include "stream/event_log.h"
#include "warehouse/filler.h"
#include "warehouse/olap.h"

namespace novafeed {

// All outlive the checker.
struct CheckSubjects {
  const Clock* clock = nullptr;
  ChangeFeed* changes = nullptr;
  EventLog* events = nullptr;
  std::string generation;  // of the graph
  Olap* olap = nullptr;    // that may do everything
  WarehouseFiller* sink = nullptr;
  const FeedIndex* index = nullptr;
  // Makes the index anew from the tables and the log (where that does not know all events any more: from the
  // warehouse), and puts it in the place of the one that was wrong.
  std::function<Status()> rebuild_index;
  // Called before anything is compared: what others have changed of what is compared is done here, too. May throw.
  std::function<void()> prepare = [] {};
};

struct CheckOptions {
  bool repair = false;
  std::chrono::milliseconds wait{60'000};  // for the warehouse to reach the log's end
  std::function<void()> tick = [] {};      // called now and then; what it throws ends the check
};

// Called before each step, which may take minutes, with a few words.
using CheckProgress = std::function<void(std::string_view step)>;

// The warehouse is brought up to the log's end and held there while it is compared (a pause of the sink); the graph,
// the log and the index go on. One at a time for a warehouse. Blocking; throws StoreError.
//
// Errors: of the port and of WarehouseFiller; kConflict "position_ahead" where warehouse or index know of more than the
// log, "warehouse_refused" where the sink cannot go on with this warehouse, "warehouse_behind" where it does not reach
// the log's end in time.
Result<CheckOutcome> RunCheck(const CheckSubjects& subjects, const CheckOptions& options,
                              const CheckProgress& progress);

}  // namespace novafeed
