#include "import/line_feed.h"

#include <algorithm>
#include <utility>

namespace novafeed {
namespace {

// Names that are warned of: where keys are data, there is no end of them.
constexpr std::size_t kMaxIgnoredNames = 100;

// How long lines wait for more lines to come through a pipe.
constexpr std::chrono::seconds kPatience{1};

// What is dated before is most likely dated in seconds.
constexpr TimeMs kUnlikelyBefore = 946'684'800'000;  // 2000-01-01T00:00:00Z

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r") == std::string_view::npos;
}

Result<ImportAction> Parse(const InputLine& line) {
  if (!line.too_long) return ParseImportLine(line.text);
  return Fail(Failure::kUnprocessable, "line_too_long",
              "The line has more than " + std::to_string(kMaxImportLineBytes) + " bytes: split it.");
}

}  // namespace

EventId DeriveEventId(const EventLine& event, TimeMs at, std::int64_t repeat) {
  std::string name(EventTypeName(event.type));
  name.push_back('|');
  event.user.id.AppendTo(&name);
  name.push_back('|');
  event.post.id.AppendTo(&name);
  name.append("|" + std::to_string(at) + "|" + std::to_string(repeat));
  return EventId{IdFromExternal(IdKind::kEvent, name)};
}

void EventNumbering::Assign(ImportLine* line) {
  if (!line->action) return;
  const auto* event = std::get_if<EventLine>(&line->action->body);
  if (event == nullptr) return;
  if (event->id) {
    line->event_id = EventId{event->id->id};
    return;
  }
  const EventId first = DeriveEventId(*event, line->action->at, 0);
  line->repeat = seen_[first]++;
  line->event_id = line->repeat == 0 ? first : DeriveEventId(*event, line->action->at, line->repeat);
}

LineFeed::LineFeed(LineInput* input, std::string head, ImportPoint from, TimeMs now, std::size_t batch_lines)
    : input_(input), head_(std::move(head)), from_(std::move(from)), now_(now), batch_lines_(batch_lines) {}

Result<std::optional<ImportBatch>> LineFeed::Next() {
  if (failed_) return tl::unexpected<Error>(*failed_);
  ImportBatch batch;
  batch.head = head_;
  batch.shift = from_.shift;
  batch.start = input_->MarkHere();
  Result<bool> taken = TakeLine(&batch);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (taken.value_or(false) && !IsFull(batch)) taken = TakeLineUntil(deadline, &batch);
  if (!taken) failed_ = std::move(taken.error());
  batch.end = input_->MarkHere();
  batch.packed_bytes = input_->source().packed_bytes();
  if (!batch.lines.empty() || batch.end != batch.start) return batch;
  if (failed_) return tl::unexpected<Error>(*failed_);
  return std::nullopt;
}

ImportBatch LineFeed::Completion() {
  ImportBatch batch;
  batch.head = head_;
  batch.shift = from_.shift;
  batch.start = batch.end = input_->MarkHere();
  batch.complete = true;
  batch.tail = tail_;
  return batch;
}

// What is already in goes by only to know what came before: events get their numbers, and nothing is warned of twice.
Status LineFeed::SkipImported(const std::function<void()>& on_line) {
  while (input_->lines() < from_.events.lines) {
    InputLine line;
    const Result<bool> more = input_->Next(&line);
    if (!more) return tl::unexpected<Error>(more.error());
    if (!*more) break;
    if (IsBlank(line.text)) ++blank_before_;
    ImportLine parsed{line.number, 0, 0, Parse(line), {}, 0};
    numbering_.Assign(&parsed);
    Observe(parsed);
    on_line();
  }
  return {};
}

// A batch that is sent again is one that the journal knows, and is not cut.
Result<bool> LineFeed::TakeLineUntil(std::chrono::steady_clock::time_point deadline, ImportBatch* batch) {
  if (!IsReplayed(*batch)) {
    const Result<bool> is_there = input_->WaitUntil(deadline);
    if (!is_there || !*is_there) return is_there;
  }
  return TakeLine(batch);
}

Result<bool> LineFeed::TakeLine(ImportBatch* batch) {
  InputLine line;
  Result<bool> more = input_->Next(&line);
  if (!more || !*more) return more;
  if (IsBlank(line.text)) {
    ++(IsReplayed(*batch) ? blank_before_ : batch->blank_lines);
    return true;
  }
  if (!line.whole) tail_ = Sha256Hex(line.text);
  if (!IsKnownTail(line)) Add(line, batch);
  return true;
}

void LineFeed::Add(const InputLine& line, ImportBatch* batch) {
  ImportLine added{line.number, batch->text.size(), line.text.size(), Parse(line), {}, 0};
  batch->text.append(line.text);
  numbering_.Assign(&added);
  Observe(added);
  batch->lines.push_back(std::move(added));
}

bool LineFeed::IsFull(const ImportBatch& batch) const {
  const std::int64_t lines = input_->lines();
  if (IsReplayed(batch)) return lines >= from_.applied.lines;
  return static_cast<std::size_t>(lines - batch.start.lines) >= batch_lines_ || batch.text.size() >= kImportBatchBytes;
}

bool LineFeed::IsKnownTail(const InputLine& line) const {
  return !from_.tail.empty() && line.number == from_.applied.lines + 1 && Sha256Hex(line.text) == from_.tail;
}

// Nothing is warned of twice, also not by the run that goes on.
void LineFeed::Observe(const ImportLine& line) {
  if (!line.action) return;
  const bool is_new = line.number > from_.events.lines;
  if (line.action->at < latest_at_ && !std::exchange(warned_of_order_, true) && is_new) {
    Warn(line, "is dated before a line above it (there may be more of them): the order of the lines decides");
  }
  latest_at_ = std::max(latest_at_, line.action->at);
  for (const std::string& name : line.action->ignored_fields) ObserveIgnored(line, name, is_new);
  if (is_new) TallyUnlikely(line);
}

void LineFeed::TallyUnlikely(const ImportLine& line) {
  if (line.action->at < kUnlikelyBefore) early_.Add(line);
  if (line.action->at + from_.shift > now_ + kMsPerDay) late_.Add(line);
  if (line.action->has_ext_id) ext_ids_.Add(line);
}

void LineFeed::Tally::Add(const ImportLine& line) {
  if (count++ == 0) first = line.number;
}

std::vector<std::string> LineFeed::Warnings() const {
  std::vector<std::string> warnings = warnings_;
  const auto tell = [&warnings](const Tally& tally, const std::string& text) {
    if (tally.count == 0) return;
    const std::string more = tally.count == 1 ? "" : " and " + std::to_string(tally.count - 1) + " more";
    warnings.push_back("line " + std::to_string(tally.first) + more + ": " + text);
  };
  tell(early_, "dated before 2000-01-01; a number in \"at\" is milliseconds since 1970, not seconds");
  tell(late_, "dated more than a day ahead; posts show in no feed before their time has come");
  tell(ext_ids_,
       "an id begins with \"ext:\", and that is a part of it here: ids in files are the plain strings that other "
       "places name as ext:<string>");
  return warnings;
}

void LineFeed::ObserveIgnored(const ImportLine& line, const std::string& name, bool is_new) {
  if (ignored_names_.contains(name)) return;
  if (ignored_names_.size() == kMaxIgnoredNames) {
    if (!std::exchange(has_more_ignored_names_, true) && is_new) {
      Warn(line, "has a field \"" + name + "\", and there may be others: no more names of ignored fields are told");
    }
    return;
  }
  ignored_names_.insert(name);
  if (!is_new) return;
  Warn(line, "has a field \"" + name + "\" that " + std::string(ActionTypeName(TypeOf(*line.action))) +
                 " does not have: such fields are ignored");
}

void LineFeed::Warn(const ImportLine& line, const std::string& text) {
  warnings_.push_back("line " + std::to_string(line.number) + " " + text);
}

}  // namespace novafeed
