#include "import/local_target.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <set>
#include <stdexcept>
#include <utility>

namespace novafeed {
namespace {

ActionType TypeOfEvent(EventType type) {
  switch (type) {
    case EventType::kImpression:
      return ActionType::kImpression;
    case EventType::kView:
      return ActionType::kView;
    case EventType::kShare:
      return ActionType::kShare;
    case EventType::kLike:
    case EventType::kUnlike:
      break;
  }
  throw std::logic_error("no import line makes such an event");
}

bool IsEvent(const ImportLine& line) {
  return line.action && std::holds_alternative<EventLine>(line.action->body);
}

void Count(const ImportLine& line, Outcome outcome, ImportReport* report) {
  const ActionType type = line.action ? TypeOf(*line.action) : ActionType::kInvalid;
  ++report->counts.At(type, outcome);
}

// An event that was counted as applied turns out to be known.
void RecountAsDuplicate(EventType type, ImportReport* report) {
  --report->counts.At(TypeOfEvent(type), Outcome::kApplied);
  ++report->counts.At(TypeOfEvent(type), Outcome::kDuplicate);
}

void AddRemarks(const ImportLine& line, bool is_conflict, const LineApplier::SideEffects& effects,
                ImportReport* report) {
  report->users_by_mention += effects.users_by_mention;
  report->numbered_handles += std::ssize(effects.numbered_handles);
  for (const std::string& handle : effects.numbered_handles) report->Remark({line.number, handle});
  if (is_conflict) {
    report->Remark(
        {line.number, "is a conflict: its id is known with other content or as deleted, and what is there stays"});
  }
}

// Applies the lines; `without_event` gets the numbers of the lines of events that made none.
void ApplyLines(const ImportBatch& batch, LineApplier& applier, ImportReport* report,
                std::vector<std::int64_t>* without_event) {
  for (const ImportLine& line : batch.lines) {
    const Result<Outcome> outcome = applier.Apply(line);
    Count(line, outcome.value_or(Outcome::kBad), report);
    AddRemarks(line, outcome == Outcome::kConflict, applier.side_effects(), report);
    if (!outcome) report->rejected.push_back({line.number, outcome.error().code, outcome.error().detail});
    if (IsEvent(line) && outcome != Outcome::kApplied) without_event->push_back(line.number);
  }
}

// The rows are in the graph since the run before; its events are made again, and those that were durable are
// duplicates.
void ReplayLines(const ImportBatch& batch, const ImportPoint& point, LineApplier& applier) {
  const std::set<std::int64_t> without_event(point.without_event.begin(), point.without_event.end());
  for (const ImportLine& line : batch.lines) {
    if (IsEvent(line) && !without_event.contains(line.number)) applier.Replay(line);
  }
}

Result<std::vector<ImportPoint>> PointsOf(const std::optional<std::string>& fact) {
  if (!fact) return std::vector<ImportPoint>();
  return DecodePoints(*fact);
}

std::vector<std::int64_t> RejectedNumbers(const ImportBatch& batch, const ImportReport& report) {
  std::vector<std::int64_t> numbers = batch.rejected_before;
  for (const RejectedLine& line : report.rejected) numbers.push_back(line.number);
  return numbers;
}

// Whether the batch holds a line; not where it is known from a time when it had no line end.
bool Holds(const ImportBatch& batch, std::int64_t number) {
  const auto& unsent = batch.rejected_before;
  return std::any_of(batch.lines.begin(), batch.lines.end(), [&](const ImportLine& l) { return l.number == number; }) ||
         std::find(unsent.begin(), unsent.end(), number) != unsent.end();
}

void CountRejected(const ImportPoint& before, const ImportBatch& batch, const std::vector<std::int64_t>& rejected,
                   ImportPoint* after) {
  const auto whole = std::count_if(rejected.begin(), rejected.end(), [&](auto n) { return n <= batch.end.lines; });
  after->rejected = before.rejected + whole;
  after->tail_rejected = batch.complete ? before.tail_rejected : std::ssize(rejected) > whole;
  const std::int64_t tail = before.applied.lines + 1;
  const bool has_ended = before.complete && tail <= batch.end.lines && !Holds(batch, tail);
  if (before.tail_rejected && has_ended) ++after->rejected;
}

ImportPoint PointAfter(const ImportPoint& before, const ImportBatch& batch, const Mark& durable,
                       const std::vector<std::int64_t>& without_event) {
  ImportPoint after;
  after.applied = batch.end;
  after.events = durable;
  after.shift = batch.shift;
  after.complete = batch.complete;
  after.tail = batch.tail;
  for (const std::int64_t line : before.without_event) {
    if (line > durable.lines) after.without_event.push_back(line);
  }
  after.without_event.insert(after.without_event.end(), without_event.begin(), without_event.end());
  return after;
}

}  // namespace

Result<AppliedBatch> ApplyBatch(GraphTransaction& tx, const ImportBatch& batch, const KnownRows& known,
                                const Mark& durable) {
  const std::string key = JournalKey(batch.head);
  Result<std::vector<ImportPoint>> points = PointsOf(tx.GetFact(key));
  if (!points) return tl::unexpected<Error>(std::move(points.error()));
  const Result<BatchPlace> place = FindPlace(*points, batch.start, batch.end);
  if (!place) return tl::unexpected<Error>(place.error());

  AppliedBatch applied;
  LineApplier applier(&tx, &known, batch.shift);
  const bool is_new = place->point == BatchPlace::kNewFile;
  const ImportPoint before = is_new ? StartPoint(batch.shift) : (*points)[place->point];
  applied.is_replay = place->role == BatchRole::kReplayEvents;
  if (applied.is_replay) {
    ReplayLines(batch, before, applier);
  } else {
    std::vector<std::int64_t> without_event;
    ApplyLines(batch, applier, &applied.report, &without_event);
    ImportPoint after = PointAfter(before, batch, durable, without_event);
    CountRejected(before, batch, RejectedNumbers(batch, applied.report), &after);
    AdvancePoint(*points, *place, std::move(after));
    tx.SetFact(key, EncodePoints(*points));
  }
  applied.events = applier.TakeEvents();
  applied.learned = applier.TakeLearned();
  return applied;
}

Result<std::vector<ImportPoint>> TransactionTarget::Points(const std::string& head) {
  return PointsOf(tx_->GetFact(JournalKey(head)));
}

Status TransactionTarget::Apply(const ImportBatch& batch, ImportReport* report) {
  const Result<AppliedBatch> applied = ApplyBatch(*tx_, batch, KnownRows(), batch.start);
  if (!applied) return tl::unexpected<Error>(applied.error());
  report->Add(applied->report);
  for (const Event& event : applied->events) {
    const bool is_new = identities_.insert(EventIdentity(event)).second;
    if (!is_new && !applied->is_replay) RecountAsDuplicate(event.type, report);
  }
  return {};
}

LocalTarget::LocalTarget(GraphStore* graph, EventLog* events, bool sole_writer)
    : graph_(graph), events_(events), sole_writer_(sole_writer) {}

LocalTarget::~LocalTarget() {
  if (in_flight_) in_flight_->answer.wait();
}

Result<std::vector<ImportPoint>> LocalTarget::Points(const std::string& head) {
  return PointsOf(graph_->GetFact(JournalKey(head)));
}

Status LocalTarget::Apply(const ImportBatch& batch, ImportReport* report) {
  if (!in_flight_) durable_ = batch.start;
  Result<AppliedBatch> applied = WriteBatch(batch);
  if (!applied) return tl::unexpected<Error>(std::move(applied.error()));
  if (sole_writer_) known_.Add(applied->learned);
  report->Add(applied->report);

  // The events of the batch before were on their way while this one was written.
  if (Status settled = Settle(report); !settled) return settled;
  StartEvents(std::move(*applied), batch.end);
  return {};
}

Status LocalTarget::Settle(ImportReport* report) {
  if (!in_flight_) return {};
  InFlight done = *std::exchange(in_flight_, std::nullopt);
  const Result<EventLog::Appended> appended = done.answer.get();
  if (!appended) return tl::unexpected<Error>(appended.error());
  durable_ = std::move(done.end);
  for (std::size_t i = 0; i < done.types.size(); ++i) {
    if (appended->duplicate[i]) RecountAsDuplicate(done.types[i], report);
  }
  return {};
}

Result<AppliedBatch> LocalTarget::WriteBatch(const ImportBatch& batch) {
  Result<AppliedBatch> applied;
  std::promise<Result<std::int64_t>> committed;
  graph_->Write([&](GraphTransaction& tx) { applied = ApplyBatch(tx, batch, known_, durable_); },
                [&](Result<std::int64_t> result) { committed.set_value(std::move(result)); });
  const Result<std::int64_t> result = committed.get_future().get();
  if (!result) return tl::unexpected<Error>(result.error());
  return applied;
}

void LocalTarget::StartEvents(AppliedBatch applied, const Mark& end) {
  if (applied.events.empty()) {
    durable_ = end;
    return;
  }
  InFlight started;
  if (!applied.is_replay) {
    for (const Event& event : applied.events) started.types.push_back(event.type);
  }
  started.end = end;
  auto answer = std::make_shared<std::promise<Result<EventLog::Appended>>>();
  started.answer = answer->get_future();
  events_->Append(std::move(applied.events),
                  [answer](Result<EventLog::Appended> result) { answer->set_value(std::move(result)); });
  in_flight_ = std::move(started);
}

}  // namespace novafeed
