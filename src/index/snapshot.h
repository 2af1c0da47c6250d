// The snapshot file: the whole index at one position, so that a restart reads it and the rest of the log.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "index/feed_index.h"

namespace novafeed {

// Writes the index to `path` (temporary file, fsync, rename). The writer of the index waits while its memory is read;
// readers do not. kStorageFull or kInternal where the file cannot be written: the older one then stays.
// Value: the position that the file holds.
Result<Position> SaveSnapshot(const FeedIndex& index, const std::string& path);

// Reads a snapshot of `generation`, whose windows reach back far enough for an as_of of `now`.
// kNotFound "no_snapshot"; kConflict "stale_snapshot" (other data set, other version, or the clock went back);
// kInternal "broken_snapshot" (cut or changed bytes). After any of them the index is built from the tables.
Result<std::unique_ptr<FeedIndex>> LoadSnapshot(const std::string& path, const std::string& generation, TimeMs now);

}  // namespace novafeed
