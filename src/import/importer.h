// `novafeed import`: reads files, and applies their lines to the stores of this process or to a running server.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "graph/store.h"
#include "import/batch.h"
#include "stream/event_log.h"

namespace novafeed {

// What is being done with the file at hand: a file is read up to three times.
enum class ImportPhase : std::uint8_t {
  kFindLatest,  // for its latest time
  kFindStart,   // compared with what was imported before
  kPassOver,    // up to where the import goes on
  kApply,
};

// How far the command is. Of the file at hand, bytes as they are packed.
struct ImportProgress {
  ImportPhase phase = ImportPhase::kApply;
  std::string file;
  std::size_t file_number = 1;
  std::size_t files = 1;
  std::int64_t lines = 0;  // taken by this command, of all files
  std::int64_t bytes = 0;
  std::optional<std::int64_t> size;
};

struct ImportOptions {
  std::vector<std::string> files;  // "-" = standard input
  bool shift_to_now = false;
  bool dry_run = false;                                 // local only
  std::string bad_file;                                 // gets the rejected lines, behind what it has; empty = nowhere
  TimeMs now = 0;                                       // what `shift_to_now` shifts to; times after it are warned of
  std::size_t batch_lines = 0;                          // 0 = kImportBatchLines; through a server kServedBatchLines
  const std::atomic<bool>* stop = nullptr;              // set: stops between two batches, and all reading at once
  std::function<void(const ImportProgress&)> progress;  // called after each batch and some lines, on one thread
};

struct ImportedFile {
  std::string name;
  std::int64_t lines_before = 0;  // imported by an earlier command
  std::int64_t lines = 0;         // taken by this one; blank ones do not count, neither here nor before
  TimeMs shift = 0;
  std::int64_t rejected_before = 0;  // of the lines imported before
  std::int64_t blank_lines = 0;      // beside those that this command has taken
  std::int64_t lines_again = 0;      // of those imported before: their events were sent again, which may not be durable
};

// Bad lines that an import tells of itself; the others are only counted, and written to `bad_file`.
inline constexpr std::size_t kMaxToldBadLines = 10;

struct BadLine {
  std::string file;
  RejectedLine line;
};

struct ImportResult {
  std::vector<ImportedFile> files;  // those that were finished, and the one at hand when it ended
  ImportCounts counts;
  std::int64_t users_by_mention = 0;
  std::int64_t numbered_handles = 0;  // were taken, and got a number
  std::vector<BadLine> bad_lines;     // the first kMaxToldBadLines of this command
  std::vector<std::string> warnings;  // of conflicts and numbered handles only the first kMaxRemarks
  bool stopped = false;               // by `stop`; the same command goes on
  std::optional<Error> error;  // what ended it; what the counts say is done all the same, and the same command goes on

  // Whether any line of the files was rejected, by this command or by an earlier one.
  bool HasRejected() const;
};

// Blocks until all is durable. Codes of errors beside those of the stores and of byte_source.h: "no_files",
// "shift_needs_files", "shift_conflict", "bad_file_is_output", "bad_file_unwritable", "import_out_of_step".
//
// `graph` must have no other writer meanwhile. A dry run checks everything within one transaction, and takes it back;
// the events of earlier commands are unknown to it.
ImportResult RunLocalImport(const ImportOptions& options, GraphStore* graph, EventLog* events);

// Sends the body of a POST /admin/import and returns the body of the answer. It retries by itself what may succeed a
// moment later (503).
using ImportSend = std::function<Result<std::string>(std::string body)>;
// Further code: "dry_run_is_local".
ImportResult RunRemoteImport(const ImportOptions& options, ImportSend send);

// The other end: answers one POST /admin/import (wire.h). Blocks, so it belongs on a blocking pool. Thread-safe.
Result<std::string> HandleImportRequest(std::string_view body, GraphStore* graph, EventLog* events);

}  // namespace novafeed
