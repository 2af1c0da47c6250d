// What travels through an import: lines in batches on the way in, a report on the way out. Plain values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "import/actions.h"
#include "import/source.h"
#include "social/ids.h"

namespace novafeed {

// A batch ends after so many lines, or so many bytes of lines. Through a server batches are smaller, so that the writes
// of others do not wait long between them.
inline constexpr std::size_t kImportBatchLines = 10'000;
inline constexpr std::size_t kServedBatchLines = 2000;
inline constexpr std::size_t kImportBatchBytes = std::size_t{4} << 20;

struct ImportLine {
  std::int64_t number = 0;  // within its file, from 1
  std::size_t text_at = 0;  // its text within ImportBatch::text
  std::size_t text_size = 0;
  Result<ImportAction> action;
  EventId event_id;         // of an event: its own, or the one that its content gives it
  std::int64_t repeat = 0;  // of an event without an id: how many identical ones came before it in the file
};

// Consecutive lines of one file. Blank lines are left out.
struct ImportBatch {
  std::string head;  // SHA-256 of the file's first line, in hex
  Mark start;
  Mark end;          // behind the last whole line
  TimeMs shift = 0;  // added to all times
  std::string text;
  std::vector<ImportLine> lines;
  std::vector<std::int64_t> rejected_before;  // numbers of lines that a client rejected, and that are not in `lines`

  // Set on the last batch of a file, which has no lines: all of it is imported. `tail` is the SHA-256 of a last line
  // that has no line end (it is applied, and lies behind `end`).
  bool complete = false;
  std::string tail;

  std::int64_t packed_bytes = 0;  // of the file, read so far
  std::int64_t blank_lines = 0;   // that were left out, where the batch is not one that is sent again

  std::string_view TextOf(const ImportLine& line) const {
    return std::string_view(text).substr(line.text_at, line.text_size);
  }
};

enum class Outcome : std::uint8_t {
  kApplied,
  kUnchanged,  // what it asks for was so already: a like while liked, a second delete, a known id with equal content
  kConflict,   // a known id with other content: the first wins
  kDuplicate,  // an event that is known already
  kBad,
};
inline constexpr std::size_t kOutcomes = static_cast<std::size_t>(Outcome::kBad) + 1;
std::string_view OutcomeName(Outcome outcome);  // "applied", "unchanged", "conflict", ...

// How many lines of each type ended how.
class ImportCounts {
 public:
  std::int64_t& At(ActionType type, Outcome outcome) {
    return counts_[static_cast<std::size_t>(type)][static_cast<std::size_t>(outcome)];
  }
  std::int64_t At(ActionType type, Outcome outcome) const {
    return counts_[static_cast<std::size_t>(type)][static_cast<std::size_t>(outcome)];
  }
  std::int64_t Total(Outcome outcome) const;
  std::int64_t Total() const;
  void Add(const ImportCounts& other);
  friend bool operator==(const ImportCounts&, const ImportCounts&) = default;

 private:
  std::array<std::array<std::int64_t, kOutcomes>, kActionTypes> counts_{};
};

// A line that was not applied, and why.
struct RejectedLine {
  std::int64_t number = 0;
  std::string code;
  std::string detail;
  friend bool operator==(const RejectedLine&, const RejectedLine&) = default;
};

// Something to tell of a line that is no error: a conflict, or a handle that was taken.
struct LineRemark {
  std::int64_t number = 0;
  std::string text;  // goes on from "line 7 "
  friend bool operator==(const LineRemark&, const LineRemark&) = default;
};

// Further remarks are only counted.
inline constexpr std::size_t kMaxRemarks = 20;

struct ImportReport {
  ImportCounts counts;
  std::int64_t users_by_mention = 0;  // made because a line named them
  std::int64_t numbered_handles = 0;  // were taken, and got a number
  std::vector<RejectedLine> rejected;
  std::vector<LineRemark> remarks;  // the first kMaxRemarks

  void Add(const ImportReport& other);
  void Remark(LineRemark remark);
};

}  // namespace novafeed
