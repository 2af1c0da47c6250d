#include "import/progress.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace novafeed {
namespace {

constexpr TimeMs kTerminalInterval = 200;
constexpr TimeMs kPlainInterval = 10'000;
constexpr std::int64_t kBarWidth = 30;
// Rejected lines are told by the command that reads them first, so an import into nothing tells them all.
constexpr std::string_view kFindAllBad =
    "give the files once more with --dry-run, --bad FILE and a --data that is not there (and, before them, files that "
    "they build on)";

// 1234567 -> "1,234,567"
std::string Grouped(std::int64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

std::string Counted(std::int64_t count, const std::string& thing) {
  return Grouped(count) + " " + thing + (count == 1 ? "" : "s");
}

std::string Duration(TimeMs duration) {
  const std::int64_t seconds = (duration + kMsPerSecond - 1) / kMsPerSecond;
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (seconds < 3600) return std::to_string(seconds / 60) + " min " + std::to_string(seconds % 60) + " s";
  return std::to_string(seconds / 3600) + " h " + std::to_string(seconds / 60 % 60) + " min";
}

std::string Bar(std::int64_t percent) {
  const std::int64_t filled = kBarWidth * percent / 100;
  std::string bar(static_cast<std::size_t>(filled), '=');
  if (filled < kBarWidth) bar.push_back('>');
  bar.resize(kBarWidth, ' ');
  return "[" + bar + "] " + std::to_string(percent) + " %";
}

std::string Activity(const ImportProgress& progress, TimeMs applying) {
  switch (progress.phase) {
    case ImportPhase::kFindLatest:
      return "looking for the latest time";
    case ImportPhase::kFindStart:
      return "looking for what was imported before";
    case ImportPhase::kPassOver:
      return "passing over what was imported before";
    case ImportPhase::kApply:
      break;
  }
  const std::int64_t rate = applying > 0 ? progress.lines * kMsPerSecond / applying : 0;
  return Counted(progress.lines, "line") + ", " + Grouped(rate) + " lines/s";
}

// `is_whole`: it was read to its end.
std::string FormatFile(const ImportedFile& file, bool is_whole) {
  std::string text = file.name + ": ";
  if (file.lines_before > 0 && file.lines == 0 && is_whole) {
    const std::string were = file.lines_before == 1 ? " was" : " were";
    text += "nothing new, its " + Counted(file.lines_before, "line") + were + " imported before";
  } else {
    text += Counted(file.lines, "line");
    if (file.blank_lines > 0) text += " and " + Grouped(file.blank_lines) + " blank";
    if (file.lines_before > 0) text += ", after " + Grouped(file.lines_before) + " that were imported before";
  }
  if (file.rejected_before > 0) text += ", " + Grouped(file.rejected_before) + " of them rejected then";
  if (file.lines_again > 0) text += ", the events of the last " + Grouped(file.lines_again) + " were sent again";
  if (file.shift != 0) text += ", times shifted by " + std::to_string(file.shift) + " ms";
  return text + "\n";
}

// "  like             1,234 applied, 5 unchanged"; empty where there was none.
std::string FormatType(const ImportCounts& counts, ActionType type) {
  std::string outcomes;
  for (std::size_t o = 0; o < kOutcomes; ++o) {
    const auto outcome = static_cast<Outcome>(o);
    const std::int64_t count = counts.At(type, outcome);
    if (count == 0) continue;
    outcomes += (outcomes.empty() ? "" : ", ") + Grouped(count) + " " + std::string(OutcomeName(outcome));
  }
  if (outcomes.empty()) return "";
  std::string name(ActionTypeName(type));
  name.resize(std::max(name.size(), std::size_t{16}), ' ');
  return "  " + name + outcomes + "\n";
}

// What happened beside what the lines ask for.
std::string FormatSideEffects(const ImportResult& result) {
  std::string text;
  const std::int64_t conflicts = result.counts.Total(Outcome::kConflict);
  if (result.users_by_mention > 0) text += "  " + Counted(result.users_by_mention, "user") + " made by mention\n";
  if (result.numbered_handles > 0) text += "  " + Counted(result.numbered_handles, "handle") + " got a number\n";
  if (conflicts > 0) text += "  " + Counted(conflicts, "conflict") + ": what is there stays\n";
  return text;
}

// Why the exit status is 3 although this command has rejected nothing.
std::string FormatRejectedBefore(const ImportResult& result) {
  if (!result.HasRejected() || result.counts.Total(Outcome::kBad) > 0) return "";
  return "  what was rejected before is not told again: correct those lines, and import them; to find them, " +
         std::string(kFindAllBad) + "\n";
}

bool HasApplied(const ImportCounts& counts, ActionType type) {
  return counts.At(type, Outcome::kApplied) > 0;
}

// A dry run looks up no events of earlier commands.
std::string FormatDryEnd(const ImportResult& result) {
  const bool has_events = HasApplied(result.counts, ActionType::kImpression) ||
                          HasApplied(result.counts, ActionType::kView) || HasApplied(result.counts, ActionType::kShare);
  return std::string("a dry run: nothing was imported") +
         (has_events ? "; events that other files have brought before count as applied here" : "") + "\n";
}

std::string FormatEnd(const ImportResult& result, bool dry_run) {
  if (dry_run) return result.error ? "" : FormatDryEnd(result);
  const bool has_begun = result.counts.Total() > 0;
  if (result.error)
    return has_begun ? "stopped by an error: once it is mended, the same command goes on from here\n" : "";
  if (result.stopped) return "stopped: the same command goes on from here\n";
  const bool sent_again = std::any_of(result.files.begin(), result.files.end(),
                                      [](const ImportedFile& file) { return file.lines_again > 0; });
  const bool has_changed = result.counts.Total(Outcome::kApplied) > 0 || sent_again;
  return FormatRejectedBefore(result) + (has_changed ? "" : "nothing changed\n");
}

}  // namespace

std::string FormatImportProgress(const ImportProgress& progress, const ImportPace& pace) {
  std::string text;
  if (progress.files > 1) text = std::to_string(progress.file_number) + "/" + std::to_string(progress.files) + " ";
  text += progress.file + " ";
  const std::int64_t size = progress.size.value_or(0);
  if (size > 0) text += Bar(std::min<std::int64_t>(100, 100 * progress.bytes / size)) + ", ";
  text += Activity(progress, pace.applying);
  const std::int64_t read = progress.bytes - pace.bytes_begun;
  if (size > 0 && read > 0) {
    const TimeMs left = std::max<TimeMs>(0, pace.pass * (size - progress.bytes) / read);
    text += ", " + Duration(left) + " left";
  }
  return text;
}

ImportProgressLines::ImportProgressLines(TimeMs started, bool is_terminal)
    : interval_(is_terminal ? kTerminalInterval : kPlainInterval),
      due_(started + interval_),
      pass_started_(started),
      last_seen_(started) {}

std::optional<std::string> ImportProgressLines::Next(const ImportProgress& progress, TimeMs now) {
  const Pass pass = {progress.file_number, progress.phase};
  if (pass != pass_) {
    // Lines are applied from where those that were imported before end; the other passes begin with the file.
    const bool goes_on = progress.phase == ImportPhase::kApply && pass_ == Pass{pass.first, ImportPhase::kPassOver};
    pace_.bytes_begun = goes_on ? last_bytes_ : 0;
    pass_ = pass;
    pass_started_ = last_seen_;
  }
  if (progress.phase == ImportPhase::kApply) pace_.applying += now - last_seen_;
  pace_.pass = now - pass_started_;
  last_seen_ = now;
  last_bytes_ = progress.bytes;
  if (now < due_) return std::nullopt;
  due_ = now + interval_;
  return FormatImportProgress(progress, pace_);
}

std::string FormatBadLines(const ImportResult& result, bool dry_run) {
  std::string text;
  for (const BadLine& bad : result.bad_lines) {
    text += "bad: " + bad.file + ": line " + std::to_string(bad.line.number) + ": " + bad.line.code + ": " +
            bad.line.detail + "\n";
  }
  const std::int64_t more = result.counts.Total(Outcome::kBad) - std::ssize(result.bad_lines);
  if (more > 0) {
    text += "bad: " + Counted(more, "more line") + "; to get them all, " +
            (dry_run ? "name a file for them with --bad" : std::string(kFindAllBad)) + "\n";
  }
  return text;
}

std::string FormatImportSummary(const ImportResult& result, bool dry_run) {
  std::string text;
  const bool has_ended = !result.stopped && !result.error;
  for (const ImportedFile& file : result.files) text += FormatFile(file, has_ended || &file != &result.files.back());
  for (std::size_t type = 0; type < kActionTypes; ++type) {
    text += FormatType(result.counts, static_cast<ActionType>(type));
  }
  return text + FormatSideEffects(result) + FormatEnd(result, dry_run);
}

}  // namespace novafeed
