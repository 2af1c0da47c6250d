// What secure_delete leaves in a file, and how it goes.
//
// SQLite overwrites what it deletes (PRAGMA secure_delete), but where it moves rows between pages to balance a tree,
// the old page keeps copies of them in its unused part: measured, a few rows in ten thousand. VACUUM would write the
// whole file anew and hold the writer all that time. This zeroes the unused parts in place, some pages at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "adapters/sqlite/database.h"

namespace novafeed::sqlite {

// Zeroes the parts of a b-tree page that hold nothing: between the cell pointers and the cells, and inside free blocks
// (https://www.sqlite.org/fileformat2.html#b_tree_pages). `header_at`: 100 on the first page, else 0. Returns whether
// anything was there. Other pages, and what does not look like a page, stay as they are. Pure.
bool ClearUnused(std::span<std::uint8_t> page, std::size_t header_at);

// Steps through the file of a connection. On the thread of its only writer, outside of a transaction.
class Scrubber {
 public:
  static constexpr std::int64_t kPagesPerStep = 2048;

  explicit Scrubber(Database* database);  // which outlives this; on the writer's thread, too

  // Empties the write-ahead log and clears the next pages. False where readers kept the log from being emptied: nothing
  // was cleared, and the step may be tried again. Throws StoreError.
  bool Step();
  bool done() const { return done_; }
  std::int64_t cleared() const { return cleared_; }  // pages that held something

 private:
  Database* database_;
  const std::size_t page_size_;
  std::int64_t next_ = 1;
  std::int64_t cleared_ = 0;
  bool done_ = false;
};

class GroupWriter;

// All steps over a file, each alone on its writer thread. Blocking, not on that thread. Returns how many pages held
// something. StoreError kUnavailable "database_busy" where readers keep the log from being emptied for a minute.
std::int64_t ScrubFile(Database* database, GroupWriter* writer);

}  // namespace novafeed::sqlite
