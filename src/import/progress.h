// What an import shows of itself: a line while it runs, and a summary at its end. Pure.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/time.h"
#include "import/importer.h"

namespace novafeed {

// "2/3 actions.ndjson.gz [=====>    ] 52 %, 1,234,567 lines, 104,000 lines/s, 12 s left". The rate is the mean over
// `elapsed`, since the command began; the time left is that of the pass over the file, by `pass_elapsed`, and unknown
// for a pipe.
std::string FormatImportProgress(const ImportProgress& progress, TimeMs elapsed, TimeMs pass_elapsed);

// Decides when a line is due: on a terminal at most 5 a second, otherwise one in 10 seconds.
class ImportProgressLines {
 public:
  ImportProgressLines(TimeMs started, bool is_terminal);

  // `now` by the same clock as `started`. Empty: nothing to show now.
  std::optional<std::string> Next(const ImportProgress& progress, TimeMs now);

 private:
  TimeMs started_;
  TimeMs interval_;
  TimeMs due_;
  std::pair<std::size_t, ImportPhase> pass_{0, ImportPhase::kApply};  // which file, read for what
  TimeMs pass_started_;
  std::optional<TimeMs> last_seen_;
};

// Several lines: what became of the lines by type, what was there before, warnings are not among them.
std::string FormatImportSummary(const ImportResult& result, bool dry_run);

}  // namespace novafeed
