#include "import/importer.h"

#include <algorithm>
#include <fstream>
#include <future>
#include <memory>
#include <set>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "import/line_feed.h"
#include "import/local_target.h"
#include "import/remote_target.h"
#include "import/wire.h"

namespace novafeed {
namespace {

constexpr const char* kStandardInput = "-";  // and standard output
// Lines that are only read, between two that show progress.
constexpr std::int64_t kLinesBetweenProgress = 10'000;

// Reads and parses one batch ahead, on a thread of its own, while the batch before is applied.
class BatchesAhead {
 public:
  explicit BatchesAhead(LineFeed* feed) : feed_(feed) { ReadNext(); }

  Result<std::optional<ImportBatch>> Take() {
    Result<std::optional<ImportBatch>> batch = next_.get();
    if (batch && *batch) ReadNext();
    return batch;
  }

 private:
  void ReadNext() {
    next_ = std::async(std::launch::async, [feed = feed_] { return feed->Next(); });
  }

  LineFeed* feed_;
  std::future<Result<std::optional<ImportBatch>>> next_;  // its destructor waits for the reading to end
};

// The rejected lines, as NDJSON behind what the file has.
class BadFile {
 public:
  Status Open(const std::string& path) {
    if (path.empty()) return {};
    path_ = path;
    out_.open(path, std::ios::binary | std::ios::app);
    return Check();
  }

  Status Write(const std::string& file, const ImportBatch& batch, const std::vector<RejectedLine>& rejected) {
    if (path_.empty() || rejected.empty()) return {};
    auto line = batch.lines.begin();
    for (const RejectedLine& bad : rejected) {
      line = std::find_if(line, batch.lines.end(), [&bad](const ImportLine& l) { return l.number == bad.number; });
      const std::string_view text = line == batch.lines.end() ? std::string_view() : batch.TextOf(*line);
      out_ << Format(file, bad, text);
    }
    out_.flush();
    return Check();
  }

 private:
  static std::string Format(const std::string& file, const RejectedLine& bad, std::string_view text) {
    std::string json;
    JsonWriter out(&json);
    out.BeginObject().Key("file").String(RepairUtf8(file)).Key("line").Int(bad.number);
    out.Key("code").String(bad.code).Key("detail").String(RepairUtf8(bad.detail));
    out.Key("text").String(RepairUtf8(text)).EndObject();
    json.push_back('\n');
    return json;
  }

  Status Check() {
    if (out_) return {};
    return Fail(Failure::kInvalid, "bad_file_unwritable",
                "Cannot write the rejected lines to " + path_ + ": name a file that can be written.");
  }

  std::string path_;
  std::ofstream out_;
};

// What is known of a file before it is imported.
struct FileStart {
  std::string head;                  // empty: the file has no lines
  std::optional<ImportPoint> point;  // the furthest one that its content agrees with
};

// One command. For one thread.
class ImportRun {
 public:
  ImportRun(const ImportOptions& options, std::size_t batch_lines, ImportTarget* target)
      : options_(options), batch_lines_(options.batch_lines > 0 ? options.batch_lines : batch_lines), target_(target) {}

  ImportResult Run() {
    Status status = ImportAll();
    if (!status && status.error().code == kReadingStopped) {
      result_.stopped = true;
    } else if (!status) {
      result_.error = std::move(status.error());
    }
    return std::move(result_);
  }

 private:
  Status ImportAll();
  Status CheckOptions();
  Result<TimeMs> ChooseShift();
  Result<TimeMs> LatestTime();
  Result<std::set<TimeMs>> RememberedShifts();
  Status ImportFile(std::size_t file, TimeMs shift_of_new);
  Status ImportLines(std::size_t file, const LineInput& input, LineFeed& feed, bool is_complete);
  Status TakeBatch(const ImportBatch& batch);
  void WarnOf(const ImportReport& report);
  void ShowReading(ImportPhase phase, std::size_t file, const LineInput& input);
  void ShowProgress(ImportPhase phase, std::size_t file, std::int64_t bytes, std::optional<std::int64_t> size);
  bool IsStopped() const { return options_.stop != nullptr && options_.stop->load(); }

  // Files are named by their place in the options.
  Result<std::unique_ptr<LineInput>> Open(std::size_t file);
  Result<FileStart> FindStart(std::size_t file, LineInput& input);

  const ImportOptions& options_;
  const std::size_t batch_lines_;
  ImportTarget* target_;
  BadFile bad_file_;
  std::size_t remarks_ = 0;  // that there were to warn of
  ImportResult result_;
};

Status ImportRun::ImportAll() {
  if (Status checked = CheckOptions(); !checked) return checked;
  if (Status opened = bad_file_.Open(options_.bad_file); !opened) return opened;
  TimeMs shift = 0;
  if (options_.shift_to_now) {
    const Result<TimeMs> chosen = ChooseShift();
    if (!chosen) return tl::unexpected<Error>(chosen.error());
    shift = *chosen;
  }
  for (std::size_t file = 0; file < options_.files.size() && !result_.stopped; ++file) {
    if (Status imported = ImportFile(file, shift); !imported) return imported;
  }
  return {};
}

Status ImportRun::CheckOptions() {
  if (options_.files.empty()) return Fail(Failure::kInvalid, "no_files", "Name at least one file, or - to read stdin.");
  if (options_.bad_file == kStandardInput) {
    return Fail(Failure::kInvalid, "bad_file_is_output",
                "--bad writes to a file; standard output has the summary: name a file.");
  }
  const bool has_stdin = std::count(options_.files.begin(), options_.files.end(), kStandardInput) > 0;
  if (!options_.shift_to_now || !has_stdin) return {};
  return Fail(Failure::kInvalid, "shift_needs_files",
              "--shift-to-now reads its input twice and cannot do so with standard input: name a file.");
}

// One constant for the command; files that were imported before keep theirs.
Result<TimeMs> ImportRun::ChooseShift() {
  const Result<std::set<TimeMs>> remembered = RememberedShifts();
  if (!remembered) return tl::unexpected<Error>(remembered.error());
  if (remembered->contains(0)) {
    return Fail(Failure::kConflict, "shift_conflict",
                "One of the files was imported without --shift-to-now, and its times stay as they are: go on without "
                "the option, or import into a new data directory.");
  }
  if (remembered->size() > 1) {
    return Fail(Failure::kConflict, "shift_conflict",
                "The files were shifted by different constants before: import them one by one.");
  }
  if (!remembered->empty()) return *remembered->begin();
  const Result<TimeMs> latest = LatestTime();
  if (!latest) return tl::unexpected<Error>(latest.error());
  return options_.now - *latest;
}

Result<std::set<TimeMs>> ImportRun::RememberedShifts() {
  std::set<TimeMs> shifts;
  for (std::size_t file = 0; file < options_.files.size(); ++file) {
    const Result<std::unique_ptr<LineInput>> input = Open(file);
    if (!input) return tl::unexpected<Error>(input.error());
    const Result<FileStart> start = FindStart(file, **input);
    if (!start) return tl::unexpected<Error>(start.error());
    if (start->point) shifts.insert(start->point->shift);
  }
  return shifts;
}

// The greatest time of all files; now where they have none.
Result<TimeMs> ImportRun::LatestTime() {
  std::optional<TimeMs> latest;
  for (std::size_t file = 0; file < options_.files.size(); ++file) {
    const Result<std::unique_ptr<LineInput>> input = Open(file);
    if (!input) return tl::unexpected<Error>(input.error());
    InputLine line;
    Result<bool> more = (*input)->Next(&line);
    for (; more.value_or(false); more = (*input)->Next(&line)) {
      ShowReading(ImportPhase::kFindLatest, file, **input);
      const Result<ImportAction> action = ParseImportLine(line.text);
      if (action) latest = std::max(latest.value_or(0), action->at);
    }
    if (!more) return tl::unexpected<Error>(more.error());
  }
  return latest.value_or(options_.now);
}

Result<std::unique_ptr<LineInput>> ImportRun::Open(std::size_t file) {
  Result<std::unique_ptr<ByteSource>> source = OpenByteSource(options_.files[file], options_.stop);
  if (!source) return tl::unexpected<Error>(std::move(source.error()));
  return std::make_unique<LineInput>(std::move(*source));
}

// Compares the content with the points of all files that begin with the same line; leaves `input` at its beginning.
Result<FileStart> ImportRun::FindStart(std::size_t file, LineInput& input) {
  FileStart start;
  InputLine line;
  Result<bool> more = input.Next(&line);
  if (!more) return tl::unexpected<Error>(more.error());
  if (!*more) return start;
  start.head = Sha256Hex(line.text);
  Result<std::vector<ImportPoint>> points = target_->Points(start.head);
  if (!points) return tl::unexpected<Error>(std::move(points.error()));

  const auto by_offset = [](const ImportPoint& a, const ImportPoint& b) { return a.applied.offset < b.applied.offset; };
  std::sort(points->begin(), points->end(), by_offset);
  // Where the input cannot be read on, the points behind do not agree; the import itself will tell the error.
  for (ImportPoint& point : *points) {
    for (; more.value_or(false) && input.offset() < point.applied.offset; more = input.Next(&line)) {
      ShowReading(ImportPhase::kFindStart, file, input);
    }
    const bool agrees = point.applied.lines == 0 || input.MarkHere() == point.applied;
    if (agrees) start.point = std::move(point);
  }
  if (Status again = input.Rewind(); !again) return tl::unexpected<Error>(std::move(again.error()));
  return start;
}

Status ImportRun::ImportFile(std::size_t file, TimeMs shift_of_new) {
  const std::string& name = options_.files[file];
  result_.files.push_back({name, 0, 0, shift_of_new});
  const Result<std::unique_ptr<LineInput>> input = Open(file);
  if (!input) return tl::unexpected<Error>(input.error());
  Result<FileStart> start = FindStart(file, **input);
  if (!start) return tl::unexpected<Error>(std::move(start.error()));
  if (start->head.empty()) {
    result_.stopped = IsStopped();  // what stops this often ends what writes into the pipe, too
    return {};
  }

  const ImportPoint from = std::move(start->point).value_or(StartPoint(shift_of_new));
  result_.files.back().lines_before = from.applied.lines + (from.tail.empty() ? 0 : 1);
  result_.files.back().rejected_before = from.rejected + (from.complete && from.tail_rejected ? 1 : 0);
  result_.files.back().shift = from.shift;
  LineFeed feed(input->get(), start->head, from, options_.now, batch_lines_);
  const auto show = [&] { ShowReading(ImportPhase::kPassOver, file, **input); };
  Status imported = feed.SkipImported(show);
  if (imported) imported = ImportLines(file, **input, feed, from.complete);
  result_.files.back().lines_before -= feed.blank_before();
  for (const std::string& warning : feed.Warnings()) result_.warnings.push_back(name + ": " + warning);
  return imported;
}

Status ImportRun::ImportLines(std::size_t file, const LineInput& input, LineFeed& feed, bool is_complete) {
  Status read;
  {
    BatchesAhead batches(&feed);
    while (!IsStopped()) {
      const Result<std::optional<ImportBatch>> batch = batches.Take();
      if (!batch) read = tl::unexpected<Error>(batch.error());
      if (!batch || !*batch) break;
      is_complete = false;
      if (Status taken = TakeBatch(**batch); !taken) return taken;
      ShowProgress(ImportPhase::kApply, file, (*batch)->packed_bytes, input.source().packed_size());
    }
    result_.stopped = IsStopped();
  }
  ImportReport late;
  if (Status settled = target_->Settle(&late); !settled) return settled;
  result_.counts.Add(late.counts);
  if (!read || result_.stopped || is_complete) return read;
  return TakeBatch(feed.Completion());
}

// Also where the target fails, what it reports is done, and will not be told again.
Status ImportRun::TakeBatch(const ImportBatch& batch) {
  ImportReport report;
  Status applied = target_->Apply(batch, &report);
  ImportedFile& file = result_.files.back();
  result_.counts.Add(report.counts);
  WarnOf(report);
  file.lines += report.counts.Total();
  for (const RejectedLine& line : report.rejected) {
    if (result_.bad_lines.size() < kMaxToldBadLines) result_.bad_lines.push_back({file.name, line});
  }
  if (applied) file.blank_lines += batch.blank_lines;
  if (applied) file.lines_again += std::ssize(batch.lines) - report.counts.Total();
  Status written = bad_file_.Write(file.name, batch, report.rejected);
  return applied ? written : applied;
}

void ImportRun::WarnOf(const ImportReport& report) {
  result_.users_by_mention += report.users_by_mention;
  result_.numbered_handles += report.numbered_handles;
  for (const LineRemark& remark : report.remarks) {
    if (++remarks_ > kMaxRemarks) break;
    result_.warnings.push_back(result_.files.back().name + ": line " + std::to_string(remark.number) + " " +
                               remark.text);
  }
}

void ImportRun::ShowReading(ImportPhase phase, std::size_t file, const LineInput& input) {
  if (input.lines() % kLinesBetweenProgress != 0) return;
  ShowProgress(phase, file, input.source().packed_bytes(), input.source().packed_size());
}

void ImportRun::ShowProgress(ImportPhase phase, std::size_t file, std::int64_t bytes,
                             std::optional<std::int64_t> size) {
  if (!options_.progress) return;
  ImportProgress progress;
  progress.phase = phase;
  progress.file = options_.files[file];
  progress.file_number = file + 1;
  progress.files = options_.files.size();
  for (const ImportedFile& imported : result_.files) progress.lines += imported.lines;
  progress.bytes = bytes;
  progress.size = size;
  options_.progress(progress);
}

struct AnswerRequest {
  LocalTarget& target;

  Result<std::string> operator()(const PointsRequest& request) const {
    const Result<std::vector<ImportPoint>> points = target.Points(request.head);
    if (!points) return tl::unexpected<Error>(points.error());
    return EncodePointsAnswer(*points);
  }

  Result<std::string> operator()(const ImportBatch& batch) const {
    ImportReport report;
    Status done = target.Apply(batch, &report);
    if (done) done = target.Settle(&report);
    if (!done) return tl::unexpected<Error>(std::move(done.error()));
    return EncodeReport(report);
  }
};

// Everything happens in one transaction, and nothing of it stays.
ImportResult RunDry(const ImportOptions& options, GraphStore* graph) {
  ImportResult result;
  std::promise<void> done;
  const auto work = [&](GraphTransaction& tx) {
    TransactionTarget target(&tx);
    result = ImportRun(options, kImportBatchLines, &target).Run();
    throw StoreError({Failure::kConflict, "dry_run", "A dry run is taken back."});
  };
  const auto on_done = [&](const Result<std::int64_t>& taken_back) {
    if (taken_back.error().code != "dry_run") result.error = taken_back.error();
    done.set_value();
  };
  graph->Write(work, on_done);
  done.get_future().wait();
  return result;
}

}  // namespace

bool ImportResult::HasRejected() const {
  return counts.Total(Outcome::kBad) > 0 ||
         std::any_of(files.begin(), files.end(), [](const ImportedFile& file) { return file.rejected_before > 0; });
}

ImportResult RunLocalImport(const ImportOptions& options, GraphStore* graph, EventLog* events) {
  if (options.dry_run) return RunDry(options, graph);
  LocalTarget target(graph, events, /*sole_writer=*/true);
  return ImportRun(options, kImportBatchLines, &target).Run();
}

ImportResult RunRemoteImport(const ImportOptions& options, ImportSend send) {
  if (options.dry_run) {
    ImportResult refused;
    refused.error = Error{Failure::kInvalid, "dry_run_is_local",
                          "--dry-run checks against a data directory, not a server: give --data in place of --url."};
    return refused;
  }
  RemoteTarget target(std::move(send));
  return ImportRun(options, kServedBatchLines, &target).Run();
}

Result<std::string> HandleImportRequest(std::string_view body, GraphStore* graph, EventLog* events) {
  const Result<ImportRequest> request = DecodeImportRequest(body);
  if (!request) return tl::unexpected<Error>(request.error());
  LocalTarget target(graph, events, /*sole_writer=*/false);
  return std::visit(AnswerRequest{target}, *request);
}

}  // namespace novafeed
