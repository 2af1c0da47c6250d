// What another process has purged, purged here: the node's journal, index and snapshot, where stores are shared.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "app/erased_list.h"
#include "erasure/eraser.h"
#include "graph/purges.h"
#include "stream/position.h"

namespace novafeed {

// What of a node may name purged users. All that is in it outlives the follower.
struct PurgedNode {
  // A consumer of erasures that can be asked whom it names.
  struct Consumer {
    ErasureConsumer* consumer = nullptr;
    std::function<std::vector<UserId>()> users;  // empty: it names nobody once it has reached an end
  };

  std::function<void(std::span<const PurgedUser>)> hide_in_journal;  // JournaledEventLog::HidePurged
  std::function<Position()> end;                                     // of the log, as it is now
  std::vector<Consumer> consumers;
  ErasedList* list = nullptr;
};

// Reads whom the processes have purged, and takes every trace of them out of what this one keeps. How far it has come
// is in a file beside that, written last: after a crash, and after a time away, it goes on from there. Thread-safe: one
// at a time, a second caller waits.
class PurgeFollower {
 public:
  // `path` is that file; `purges` outlives it.
  PurgeFollower(Purges* purges, PurgedNode node, std::string path);

  // Returns when nothing here names anybody who was purged before it was called. Blocking; throws StoreError, and is
  // called again then.
  void Follow();

 private:
  void HideIn(const PurgedNode::Consumer& consumer, std::span<const PurgedUser> purged);

  Purges* const purges_;
  const PurgedNode node_;
  const std::string path_;
  std::mutex mutex_;
  std::int64_t applied_;  // guarded by mutex_
};

}  // namespace novafeed
