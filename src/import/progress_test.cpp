#include "import/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace novafeed {
namespace {

ImportProgress Halfway() {
  ImportProgress progress;
  progress.file = "a.ndjson.gz";
  progress.files = 2;
  progress.lines = 1'234'567;
  progress.bytes = 500;
  progress.size = 1000;
  return progress;
}

TEST(FormatImportProgress, ShowsShareRateAndTimeLeft) {
  EXPECT_EQ(FormatImportProgress(Halfway(), {10'000, 4'000, 0}),
            "1/2 a.ndjson.gz [===============>              ] 50 %, 1,234,567 lines, 123,456 lines/s, 4 s left");
}

TEST(FormatImportProgress, ShowsNoShareOfAPipe) {
  ImportProgress progress = Halfway();
  progress.files = 1;
  progress.file = "-";
  progress.size.reset();
  progress.lines = 1;
  EXPECT_EQ(FormatImportProgress(progress, {}), "- 1 line, 0 lines/s");
}

TEST(FormatImportProgress, SaysWhatAFileIsReadForBeforeItIsImported) {
  ImportProgress progress = Halfway();
  progress.phase = ImportPhase::kPassOver;
  EXPECT_EQ(FormatImportProgress(progress, {10'000, 4'000, 0}),
            "1/2 a.ndjson.gz [===============>              ] 50 %, passing over what was imported before, 4 s left");
}

TEST(ImportProgressLines, TellTheTimeLeftOfThePass) {
  ImportProgressLines lines(0, true);
  ImportProgress progress = Halfway();
  progress.phase = ImportPhase::kFindStart;
  lines.Next(progress, 60'000);
  progress.phase = ImportPhase::kApply;
  EXPECT_TRUE(lines.Next(progress, 64'000).value_or("").ends_with(" 4 s left"));
}

TEST(ImportProgressLines, TakeTheRateOverTheTimeThatLinesWereAppliedInAndTheRestByWhatWasReadInIt) {
  ImportProgressLines lines(0, true);
  ImportProgress progress = Halfway();
  progress.lines = 0;
  progress.bytes = 800;
  progress.phase = ImportPhase::kPassOver;
  lines.Next(progress, 60'000);
  progress.phase = ImportPhase::kApply;
  progress.lines = 8'000;
  progress.bytes = 840;
  EXPECT_THAT(lines.Next(progress, 64'000).value_or(""), testing::EndsWith(" 8,000 lines, 2,000 lines/s, 16 s left"));
}

TEST(FormatImportProgress, EndsFull) {
  ImportProgress progress = Halfway();
  progress.bytes = 1000;
  EXPECT_EQ(FormatImportProgress(progress, {10'000, 4'000, 0}),
            "1/2 a.ndjson.gz [==============================] 100 %, 1,234,567 lines, 123,456 lines/s, 0 s left");
}

TEST(ImportProgressLines, AreAtMostFiveASecondOnATerminal) {
  ImportProgressLines lines(1000, true);
  int shown = 0;
  for (TimeMs now = 1000; now < 3000; now += 10) shown += lines.Next(Halfway(), now).has_value() ? 1 : 0;
  EXPECT_GE(shown, 8);
  EXPECT_LE(shown, 10);
}

TEST(ImportProgressLines, AreFewElsewhere) {
  ImportProgressLines lines(0, false);
  int shown = 0;
  for (TimeMs now = 0; now < 60'000; now += 100) shown += lines.Next(Halfway(), now).has_value() ? 1 : 0;
  EXPECT_EQ(shown, 5);
}

TEST(FormatImportSummary, TellsWhatBecameOfTheLines) {
  ImportResult result;
  result.files = {{"a.ndjson", 0, 1200, 86'400'000}, {"b.ndjson", 7, 0, 0}, {"c.ndjson", 7, 1, 0}};
  result.counts.At(ActionType::kLike, Outcome::kApplied) = 1195;
  result.counts.At(ActionType::kLike, Outcome::kUnchanged) = 5;
  result.counts.At(ActionType::kPost, Outcome::kConflict) = 1;
  result.counts.At(ActionType::kInvalid, Outcome::kBad) = 1;
  result.users_by_mention = 2;
  result.numbered_handles = 1;
  EXPECT_EQ(FormatImportSummary(result, false),
            "a.ndjson: 1,200 lines, times shifted by 86400000 ms\n"
            "b.ndjson: nothing new, its 7 lines were imported before\n"
            "c.ndjson: 1 line, after 7 that were imported before\n"
            "  post            1 conflict\n"
            "  like            1,195 applied, 5 unchanged\n"
            "  invalid         1 bad\n"
            "  2 users made by mention\n"
            "  1 handle got a number\n"
            "  1 conflict: what is there stays\n");
}

TEST(FormatImportSummary, TellsBlankLinesBesideTheOthers) {
  ImportResult result;
  result.files = {{"a.ndjson", 0, 1200, 0}};
  result.files[0].blank_lines = 3;
  result.counts.At(ActionType::kLike, Outcome::kApplied) = 1200;
  EXPECT_EQ(FormatImportSummary(result, false), "a.ndjson: 1,200 lines and 3 blank\n  like            1,200 applied\n");
}

TEST(FormatImportSummary, SaysThatThereIsNothingNewOnlyOfAFileThatWasReadToItsEnd) {
  ImportResult result;
  result.files = {{"a.ndjson", 7, 0, 0}, {"b.ndjson", 1, 0, 0}};
  result.stopped = true;
  EXPECT_THAT(FormatImportSummary(result, false),
              testing::StartsWith("a.ndjson: nothing new, its 7 lines were imported before\n"
                                  "b.ndjson: 0 lines, after 1 that were imported before\n"));
  result.stopped = false;
  EXPECT_THAT(FormatImportSummary(result, false),
              testing::HasSubstr("b.ndjson: nothing new, its 1 line was imported before\n"));
}

ImportResult WithBadLines(std::int64_t bad, std::int64_t told) {
  ImportResult result;
  result.counts.At(ActionType::kLike, Outcome::kBad) = bad;
  for (std::int64_t number = 1; number <= told; ++number) {
    result.bad_lines.push_back({"a.ndjson", {number, "unknown_post", "No such post."}});
  }
  return result;
}

TEST(FormatBadLines, TellsTheFirstAndHowToGetTheOthers) {
  EXPECT_EQ(FormatBadLines({}, false), "");
  const std::string two =
      "bad: a.ndjson: line 1: unknown_post: No such post.\nbad: a.ndjson: line 2: unknown_post: No such post.\n";
  EXPECT_EQ(FormatBadLines(WithBadLines(2, 2), false), two);
  EXPECT_EQ(FormatBadLines(WithBadLines(1003, 2), true),
            two + "bad: 1,001 more lines; to get them all, name a file for them with --bad\n");
  const std::string imported = FormatBadLines(WithBadLines(3, 2), false);
  EXPECT_THAT(imported, testing::StartsWith(two + "bad: 1 more line; to get them all, "));
  EXPECT_THAT(imported, testing::HasSubstr("--dry-run, --bad FILE and a --data that is not there"));
}

TEST(FormatImportSummary, SaysThatEventsWereSentAgain) {
  ImportResult result;
  result.files = {{"a.ndjson", 7, 0, 0}};
  result.files[0].lines_again = 3;
  EXPECT_EQ(FormatImportSummary(result, false),
            "a.ndjson: nothing new, its 7 lines were imported before, the events of the last 3 were sent again\n");
}

TEST(FormatImportSummary, SaysThatADryRunImportedNothing) {
  ImportResult result;
  result.files = {{"a.ndjson", 0, 7, 0}};
  EXPECT_EQ(FormatImportSummary(result, true), "a.ndjson: 7 lines\na dry run: nothing was imported\n");
  result.counts.At(ActionType::kView, Outcome::kApplied) = 7;
  EXPECT_THAT(FormatImportSummary(result, true),
              testing::EndsWith("a dry run: nothing was imported; events that other files have brought before count as "
                                "applied here\n"));
}

TEST(FormatImportSummary, SaysThatItGoesOnOnlyWhereItHasBegun) {
  ImportResult result;
  result.files = {{"a.ndjson", 0, 0, 0}};
  result.error = Error{Failure::kInvalid, "unreadable_input", "No.", 0};
  EXPECT_EQ(FormatImportSummary(result, false), "a.ndjson: 0 lines\n");
  EXPECT_EQ(FormatImportSummary(result, true), "a.ndjson: 0 lines\n");
  result.counts.At(ActionType::kLike, Outcome::kApplied) = 1;
  EXPECT_THAT(FormatImportSummary(result, false), testing::EndsWith("goes on from here\n"));
  EXPECT_THAT(FormatImportSummary(result, true), testing::Not(testing::HasSubstr("goes on")));
}

TEST(FormatImportSummary, SaysThatNothingChangedWhereEveryLineWasSoAlreadyOrIsBad) {
  ImportResult result;
  result.files = {{"a.ndjson", 0, 3, 0}};
  result.counts.At(ActionType::kLike, Outcome::kUnchanged) = 1;
  result.counts.At(ActionType::kView, Outcome::kDuplicate) = 1;
  result.counts.At(ActionType::kInvalid, Outcome::kBad) = 1;
  EXPECT_THAT(FormatImportSummary(result, false), testing::EndsWith("\nnothing changed\n"));
  result.counts.At(ActionType::kLike, Outcome::kApplied) = 1;
  EXPECT_THAT(FormatImportSummary(result, false), testing::Not(testing::HasSubstr("nothing changed")));
}

TEST(FormatImportSummary, SaysThatNothingChanged) {
  ImportResult result;
  result.files = {{"a.ndjson", 7, 0, 0}};
  EXPECT_EQ(FormatImportSummary(result, false),
            "a.ndjson: nothing new, its 7 lines were imported before\nnothing changed\n");
  EXPECT_FALSE(result.HasRejected());
  result.files[0].rejected_before = 6;
  EXPECT_EQ(
      FormatImportSummary(result, false),
      "a.ndjson: nothing new, its 7 lines were imported before, 6 of them rejected then\n"
      "  what was rejected before is not told again: correct those lines, and import them; to find them, give the "
      "files once more with --dry-run, --bad FILE and a --data that is not there (and, before them, files that "
      "they build on)\n"
      "nothing changed\n");
  EXPECT_TRUE(result.HasRejected());
}

}  // namespace
}  // namespace novafeed
