// What has been imported of which file: durable facts beside the graph. Pure.
//
// Files are found by their first line (the head), and known by the SHA-256 of their content up to a mark. One fact
// holds all points of the files that begin with the same line. The fact of a batch is written in the batch's own graph
// transaction, so rows and progress cannot part; events become durable after that, so a point has two marks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "import/source.h"

namespace novafeed {

struct ImportPoint {
  Mark applied;  // the rows of the lines before are in the graph
  Mark events;   // the events of the lines before are durable; never behind `applied`
  // Of the lines between the two: those of events that were rejected or skipped. The others are made again, and sent
  // again, when the import was stopped between the two.
  std::vector<std::int64_t> without_event;
  TimeMs shift = 0;       // what was added to all times
  bool complete = false;  // the file ended there; the point is kept when the file grows
  std::string tail;       // SHA-256 of the last line, applied too, where the complete file had no line end behind it
  std::int64_t rejected = 0;   // of the lines before `applied`
  bool tail_rejected = false;  // that last line, apart: it may go on, and be another line then
  friend bool operator==(const ImportPoint&, const ImportPoint&) = default;
};

// The point of a file of which nothing was imported.
ImportPoint StartPoint(TimeMs shift);

// `head` is the SHA-256 of the first line, in hex.
std::string JournalKey(std::string_view head);

// Points as a JSON array. Decoding: kInvalid "bad_journal".
std::string EncodePoints(const std::vector<ImportPoint>& points);
Result<std::vector<ImportPoint>> DecodePoints(std::string_view text);
Result<std::vector<ImportPoint>> ReadPoints(const boost::json::value& value);

// A mark as a JSON object, and an array of line numbers; shared with the wire.
void WriteMark(const Mark& mark, JsonWriter& json);
Result<Mark> ReadMark(const boost::json::value* value);
Result<std::vector<std::int64_t>> ReadNumbers(const boost::json::value* value);

// What the lines between two marks are to a journal: new ones, or ones whose rows are in the graph and whose events may
// not be durable.
enum class BatchRole { kApply, kReplayEvents };

// Where a batch goes on: at `point` (an index), or at the beginning of a file that has none yet.
struct BatchPlace {
  static constexpr std::size_t kNewFile = static_cast<std::size_t>(-1);
  BatchRole role = BatchRole::kApply;
  std::size_t point = kNewFile;
};

// kConflict "import_out_of_step" where the batch follows no point: somebody else imports the same file.
Result<BatchPlace> FindPlace(const std::vector<ImportPoint>& points, const Mark& start, const Mark& end);

// Puts `next` in the place of the point that it goes on from, or beside it where that one is complete. Of too many
// points the oldest complete one goes.
void AdvancePoint(std::vector<ImportPoint>& points, const BatchPlace& place, ImportPoint next);

}  // namespace novafeed
