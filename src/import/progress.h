// What an import shows of itself: a line while it runs, and a summary at its end. Pure.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/time.h"
#include "import/importer.h"

namespace novafeed {

// What the figures of a progress line are taken over.
struct ImportPace {
  TimeMs applying = 0;           // time that went into applying lines, without that of passes which only read
  TimeMs pass = 0;               // since the pass over the file at hand began
  std::int64_t bytes_begun = 0;  // where in the file, as it is packed, that pass began
};

// "2/3 actions.ndjson.gz [=====>    ] 52 %, 1,234,567 lines, 104,000 lines/s, 12 s left". The rate is the mean of the
// time that lines were applied in; the time left is that of the pass over the file, and unknown for a pipe.
std::string FormatImportProgress(const ImportProgress& progress, const ImportPace& pace);

// Decides when a line is due: on a terminal at most 5 a second, otherwise one in 10 seconds.
class ImportProgressLines {
 public:
  ImportProgressLines(TimeMs started, bool is_terminal);

  // `now` by the same clock as `started`. Empty: nothing to show now.
  std::optional<std::string> Next(const ImportProgress& progress, TimeMs now);

 private:
  TimeMs interval_;
  TimeMs due_;
  using Pass = std::pair<std::size_t, ImportPhase>;  // which file, read for what

  Pass pass_{0, ImportPhase::kApply};
  TimeMs pass_started_;
  ImportPace pace_;
  TimeMs last_seen_;
  std::int64_t last_bytes_ = 0;
};

// The first bad lines of the command, a line each, and how to get all of them; empty where there were none.
std::string FormatBadLines(const ImportResult& result, bool dry_run);

// Several lines: what became of the lines by type, what was there before, warnings are not among them.
std::string FormatImportSummary(const ImportResult& result, bool dry_run);

}  // namespace novafeed
