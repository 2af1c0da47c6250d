// Turns the lines of one input into batches: parses them, numbers events without an id, and sees what to warn of.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "import/batch.h"
#include "import/journal.h"
#include "import/source.h"

namespace novafeed {

// The id of an event that has none: from `type|user|post|at|n`, ids as UUIDs, `at` as in the file in milliseconds.
EventId DeriveEventId(const EventLine& event, TimeMs at, std::int64_t repeat);

// Gives the events of one file their ids. Remembers every event without an id: about 30 bytes each.
class EventNumbering {
 public:
  // Does nothing for lines that are no events.
  void Assign(ImportLine* line);

 private:
  boost::unordered_flat_map<EventId, std::uint32_t, StrongIdHash<EventId>> seen_;
};

// For one thread at a time.
class LineFeed {
 public:
  // Goes on behind `from`, a point whose content is known to be that of `input`, which stands at its beginning and
  // outlives this. `head` and the point's shift go into the batches. Lines dated long after `now` are warned of.
  LineFeed(LineInput* input, std::string head, ImportPoint from, TimeMs now,
           std::size_t batch_lines = kImportBatchLines);

  // First of all: goes to the point. `on_line` is called behind each line. Errors: those of LineInput.
  Status SkipImported(const std::function<void()>& on_line);

  // The next batch; empty at the end. The first one holds the lines between the point's two marks, if there are any.
  // Where a pipe has nothing more, a batch ends a second after its first line came.
  // Errors: those of LineInput, after a batch with the lines before.
  Result<std::optional<ImportBatch>> Next();

  // After the end: the batch that says so.
  ImportBatch Completion();
  // How many of the lines that were imported before were blank; not while a batch is read.
  std::int64_t blank_before() const { return blank_before_; }
  // Sentences, each once. Not for the lines that were imported before.
  std::vector<std::string> Warnings() const;

 private:
  // Lines that have something in common.
  struct Tally {
    std::int64_t first = 0;
    std::int64_t count = 0;
    void Add(const ImportLine& line);
  };

  Result<bool> TakeLineUntil(std::chrono::steady_clock::time_point deadline, ImportBatch* batch);
  Result<bool> TakeLine(ImportBatch* batch);
  void Add(const InputLine& line, ImportBatch* batch);
  bool IsReplayed(const ImportBatch& batch) const { return batch.start.lines < from_.applied.lines; }
  bool IsFull(const ImportBatch& batch) const;
  bool IsKnownTail(const InputLine& line) const;
  void Observe(const ImportLine& line);
  void TallyUnlikely(const ImportLine& line);
  void ObserveIgnored(const ImportLine& line, const std::string& name, bool is_new);
  void Warn(const ImportLine& line, const std::string& text);

  LineInput* input_;
  std::string head_;
  ImportPoint from_;
  TimeMs now_;
  std::size_t batch_lines_;
  std::optional<Error> failed_;  // told after the lines before it
  EventNumbering numbering_;
  TimeMs latest_at_ = 0;
  bool warned_of_order_ = false;
  std::set<std::string> ignored_names_;
  bool has_more_ignored_names_ = false;
  std::string tail_;  // SHA-256 of a last line without a line end
  std::int64_t blank_before_ = 0;
  Tally early_;
  Tally late_;
  Tally ext_ids_;
  std::vector<std::string> warnings_;
};

}  // namespace novafeed
