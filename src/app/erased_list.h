// DIR/erased.list: who was erased, beside the stores, so that a restored backup does not bring them back.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "erasure/eraser.h"
#include "graph/store.h"

namespace novafeed {

// One line for each user: the RetiredDigest of the id, in the form of a UUID. Lines are only added; what is no digest
// is passed over (a line that a crash cut off). Thread-safe.
class ErasedList final : public ErasureConsumer {
 public:
  // Reads the file, if there is one. Throws std::runtime_error where it cannot be read.
  explicit ErasedList(std::string path);

  std::vector<Uuid> digests() const;

  // Durable when it returns. kStorageFull, kInternal "erased_list_failed".
  Status Add(std::span<const Uuid> digests);
  Status Add(std::span<const Erasure> erased);

  Status Reach(const Position&) override { return {}; }
  Status Hide(std::span<const Erasure> erased) override { return Add(erased); }

 private:
  const std::string path_;
  mutable std::mutex mutex_;
  boost::unordered_flat_set<Uuid, UuidHash> known_;  // guarded by mutex_
};

// Makes list and store know the same. Users of the list who are in the store (which was restored from a backup of
// before their erasure) are erased from it. Before anything else uses the store. Blocking; throws StoreError.
void ReconcileErased(ErasedList* list, GraphStore* graph);

}  // namespace novafeed
