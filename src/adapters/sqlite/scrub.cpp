#include "adapters/sqlite/scrub.h"

#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>
#include <vector>

#include "adapters/sqlite/group_writer.h"

namespace novafeed::sqlite {
namespace {

constexpr std::size_t kFirstPageHeader = 100;
// From this many pages on, the first byte of a page that is no b-tree page may look like that of one.
constexpr std::int64_t kMostPages = std::int64_t{0x02} << 24;

std::size_t BigEndian16(std::span<const std::uint8_t> page, std::size_t at) {
  return std::size_t{page[at]} << 8 | page[at + 1];
}

// Zeroes [from, to); whether anything else was there.
bool Zero(std::span<std::uint8_t> page, std::size_t from, std::size_t to) {
  const std::span<std::uint8_t> part = page.subspan(from, to - from);
  if (std::all_of(part.begin(), part.end(), [](std::uint8_t byte) { return byte == 0; })) {
    return false;
  }
  std::fill(part.begin(), part.end(), std::uint8_t{0});
  return true;
}

bool ZeroFreeBlocks(std::span<std::uint8_t> page, std::size_t first) {
  constexpr std::size_t kBlockHeader = 4;
  bool changed = false;
  std::size_t block = first;
  while (block != 0 && block + kBlockHeader <= page.size()) {
    const std::size_t next = BigEndian16(page, block);
    const std::size_t size = BigEndian16(page, block + 2);
    if (size < kBlockHeader || block + size > page.size()) {
      break;
    }
    changed = Zero(page, block + kBlockHeader, block + size) || changed;
    if (next <= block) {
      break;
    }
    block = next;
  }
  return changed;
}

// The file of the connection, through SQLite's own handle: closing another one would drop SQLite's locks.
class File {
 public:
  explicit File(Database* database) : database_(database) {
    sqlite3_file_control(database->handle(), "main", SQLITE_FCNTL_FILE_POINTER, &file_);
  }

  std::int64_t Size() {
    sqlite3_int64 size = 0;
    Check(file_->pMethods->xFileSize(file_, &size));
    return size;
  }
  void Read(std::span<std::uint8_t> bytes, std::int64_t at) {
    Check(file_->pMethods->xRead(file_, bytes.data(), static_cast<int>(bytes.size()), at));
  }
  void Write(std::span<const std::uint8_t> bytes, std::int64_t at) {
    Check(file_->pMethods->xWrite(file_, bytes.data(), static_cast<int>(bytes.size()), at));
  }
  void Sync() { Check(file_->pMethods->xSync(file_, SQLITE_SYNC_NORMAL)); }

 private:
  void Check(int code) {
    if (code != SQLITE_OK) {
      database_->Throw(code, "clearing what was deleted");
    }
  }

  Database* database_;
  sqlite3_file* file_ = nullptr;
};

constexpr std::chrono::milliseconds kRetryAfter{50};
constexpr std::chrono::minutes kPatience{1};

}  // namespace

bool ClearUnused(std::span<std::uint8_t> page, std::size_t header_at) {
  const std::uint8_t type = page[header_at];
  const bool is_interior = type == 2 || type == 5;
  const bool is_leaf = type == 10 || type == 13;
  if (!is_interior && !is_leaf) {
    return false;
  }
  const std::size_t pointers_end = header_at + (is_interior ? 12 : 8) + 2 * BigEndian16(page, header_at + 3);
  const std::size_t stored_start = BigEndian16(page, header_at + 5);
  const std::size_t cells_start = stored_start == 0 ? 65536 : stored_start;
  if (pointers_end > cells_start || cells_start > page.size()) {
    return false;
  }
  const bool cleared_gap = Zero(page, pointers_end, cells_start);
  return ZeroFreeBlocks(page, BigEndian16(page, header_at + 1)) || cleared_gap;
}

Scrubber::Scrubber(Database* database)
    : database_(database),
      page_size_(static_cast<std::size_t>(database->QueryInt("measuring pages", "PRAGMA page_size"))) {}

bool Scrubber::Step() {
  // From here on the file alone holds every page, and no cached copy of one can bring back what is cleared in it.
  if (!database_->Checkpoint(CheckpointMode::kTruncate)) {
    return false;
  }
  database_->DropCache();

  File file(database_);
  const std::int64_t pages = file.Size() / static_cast<std::int64_t>(page_size_);
  if (pages >= kMostPages) {
    throw StoreError(Error{Failure::kInternal, "file_too_large",
                           database_->path() + " is too large for clearing what was deleted: stop the server and run "
                                               "VACUUM on it."});
  }
  std::vector<std::uint8_t> page(page_size_);
  const std::int64_t cleared_before = cleared_;
  const std::int64_t end = std::min(next_ + kPagesPerStep, pages + 1);
  for (; next_ < end; ++next_) {
    const std::int64_t at = (next_ - 1) * static_cast<std::int64_t>(page_size_);
    file.Read(page, at);
    if (ClearUnused(page, next_ == 1 ? kFirstPageHeader : 0)) {
      file.Write(page, at);
      ++cleared_;
    }
  }
  if (cleared_ > cleared_before) {
    file.Sync();
  }
  done_ = next_ > pages;
  return true;
}

std::int64_t ScrubFile(Database* database, GroupWriter* writer) {
  std::optional<Scrubber> scrubber;
  writer->RunAlone([&](Sequence&) { scrubber.emplace(database); });
  auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (!scrubber->done()) {
    bool stepped = false;
    writer->RunAlone([&](Sequence&) { stepped = scrubber->Step(); });
    const auto now = std::chrono::steady_clock::now();
    if (stepped) {
      give_up = now + kPatience;
    } else if (now >= give_up) {
      throw StoreError(Error{Failure::kUnavailable, "database_busy",
                             database->path() + " is read without a pause, so that what was deleted cannot be cleared: "
                                                "it is tried again later.",
                             1000});
    } else {
      std::this_thread::sleep_for(kRetryAfter);
    }
  }
  return scrubber->cleared();
}

}  // namespace novafeed::sqlite
