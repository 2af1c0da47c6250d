// The jobs that make ready what the most active viewers will ask for next.
#pragma once

#include <cstddef>
#include <vector>

#include "app/feed_stack.h"
#include "base/time.h"
#include "graph/store.h"
#include "social/ids.h"
#include "warehouse/olap.h"

namespace novafeed {

inline constexpr std::size_t kActiveViewers = 100;

// What they make, they make from the index, which is quickest; it is the same from either engine. Blocking. Each
// throws std::runtime_error or StoreError where it cannot do its work.
class ViewerJobs {
 public:
  // All outlive it. `olap` knows who is active.
  ViewerJobs(const Clock* clock, Olap* olap, GraphStore* graph, LiveIndexStack* index, ViewerCaches* caches)
      : clock_(clock), olap_(olap), graph_(graph), index_(index), caches_(caches) {}

  // Keeps their first pages, of the usual size, for longer than until the next run.
  void WarmPages();
  void RefreshSuggestions();

 private:
  std::vector<UserId> ActiveViewers() const;

  const Clock* const clock_;
  Olap* const olap_;
  GraphStore* const graph_;
  LiveIndexStack* const index_;
  ViewerCaches* const caches_;
};

}  // namespace novafeed
