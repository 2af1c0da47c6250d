#include "warehouse/loader.h"

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <optional>
#include <span>
#include <stdexcept>

#include "base/log.h"
#include "graph/store.h"
#include "warehouse/refresh.h"
#include "warehouse/schema.h"
#include "warehouse/sql.h"
#include "warehouse/state_landing.h"

namespace novafeed {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Read at once from the log; a batch is cut within it.
constexpr std::size_t kChunk = 1000;
constexpr std::size_t kForgottenAtOnce = 500;
constexpr std::string_view kStopTtlMerges = "SYSTEM STOP TTL MERGES";
constexpr std::string_view kLandingFormat = "LineAsString";

const OlapCall kShortCall{std::chrono::seconds(10)};
// One block for each view, whatever days and months it reaches over; answered once it is in the tables.
const OlapCall kInsertCall{std::chrono::seconds(60), {{"async_insert", "0"}, {"max_partitions_per_insert_block", "0"}}};

// Carries an error out of a callback of the log.
struct LandingFailed {
  Error error;
};

double SecondsSince(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

tl::unexpected<Error> Stopping() {
  return Fail(Failure::kUnavailable, "stopping", "The warehouse is being closed.");
}

constexpr std::string_view kRebuild =
    " Nothing is written to it. Stop, remove the folder olap of the data directory, and start: the warehouse is made "
    "anew "
    "from the tables and the log.";

tl::unexpected<Error> Refuse(std::string code, const std::string& why) {
  return Fail(Failure::kConflict, std::move(code), why + std::string(kRebuild));
}

std::string Describe(const Position& position) {
  return std::to_string(position.changes) + " changes and " + Describe(position.events) + " events";
}

void Raise(Position* position, const Position& to) {
  position->changes = std::max(position->changes, to.changes);
  position->events = Union(position->events, to.events);
}

// ClickHouse's text of a tuple of two ids and some numbers.
std::string RenderTuple(const Uuid& first, const Uuid& second, std::initializer_list<std::int64_t> numbers) {
  std::string tuple = "('" + first.ToString() + "','" + second.ToString() + "'";
  for (const std::int64_t number : numbers) tuple.append(",").append(std::to_string(number));
  return tuple + ")";
}

std::string Render(const ForgottenTotals& totals) {
  return RenderTuple(totals.post.value, totals.post_author.value,
                     {totals.post_created_at, totals.shares, totals.impressions, totals.views});
}

std::string Render(const InteractionCount& interactions) {
  return RenderTuple(interactions.user.value, interactions.author.value, {interactions.day, interactions.count});
}

std::vector<Counter> RowCounters(Metrics* metrics) {
  std::vector<Counter> counters;
  counters.reserve(kLandingTables.size());
  for (const std::string_view table : kLandingTables) {
    counters.push_back(metrics->AddCounter("novafeed_warehouse_rows_total", "Messages landed in the warehouse.",
                                           {{"table", std::string(table.substr(table.find('.') + 1))}}));
  }
  return counters;
}

const std::vector<double> kSeconds = {0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60};

}  // namespace

WarehouseLoader::WarehouseLoader(Olap* olap, ChangeFeed* changes, EventLog* events, std::string generation,
                                 Metrics* metrics, LoaderOptions options)
    : olap_(olap),
      changes_(changes),
      events_(events),
      generation_(std::move(generation)),
      options_(std::move(options)),
      batch_rows_(options_.batch_rows),
      rows_(RowCounters(metrics)),
      applied_changes_(metrics->AddCounter("novafeed_warehouse_applied_total",
                                           "Log entries that the warehouse has applied.", {{"stream", "changes"}})),
      applied_events_(metrics->AddCounter("novafeed_warehouse_applied_total",
                                          "Log entries that the warehouse has applied.", {{"stream", "events"}})),
      batch_seconds_(
          metrics->AddHistogram("novafeed_warehouse_batch_seconds", "Landing one batch, through all views.", kSeconds)),
      refresh_seconds_(metrics->AddHistogram("novafeed_warehouse_refresh_seconds",
                                             "Refreshing the counters that batches have touched.", kSeconds)) {}

// ------------------------------------------------------------------------------------------------------------- attach

Status WarehouseLoader::Attach() {
  if (Status applied = ApplySchema(olap_, WarehouseSchema()); !applied) return applied;
  if (options_.stop_ttl_merges) {
    if (Status stopped = olap_->Execute(kStopTtlMerges, {}, kShortCall); !stopped) return stopped;
  }
  const Result<LogPositions> positions = ReadLogPositions(olap_, kShortCall);
  if (!positions) return tl::unexpected<Error>(positions.error());
  if (positions->HasOther(generation_)) {
    return Refuse("warehouse_other_generation", "The warehouse was made from another data set.");
  }
  if (Status read = ReadVersion(); !read) return read;

  const Position stored = positions->Applied();
  if (stored == Position{}) {
    if (Status begun = Begin(*positions); !begun) return begun;
  } else {
    applied_ = stored;
    landed_ = positions->Landed();
    if (Status continues = CheckContinues(); !continues) return continues;
    // A batch that was interrupted is read again; so is what was being landed again.
    if (reading_ == Position{}) reading_ = landed_;
    Rewind(landed_.changes, landed_.events);
  }
  may_hold_ = {generation_, changes_->End(), events_->End()};
  settled_ = false;  // what was touched before may wait to be refreshed
  attached_ = true;
  Log(LogLevel::kInfo, "warehouse_attached", {{"changes", applied_.changes}, {"events", applied_.events.Total()}});
  return {};
}

Status WarehouseLoader::CheckContinues() const {
  const Position end{generation_, changes_->End(), events_->End()};
  if (Reached(landed_, end)) return {};
  return Refuse("warehouse_ahead", "The warehouse holds " + Describe(landed_) + ", and the log ends at " +
                                       Describe(end) + ": the data was restored without it.");
}

Status WarehouseLoader::ReadVersion() {
  Result<OlapRows> rows = olap_->Query(WarehouseSql("greatest_version"), {}, kShortCall);
  if (!rows) return tl::unexpected<Error>(std::move(rows.error()));
  version_ = std::max(version_, rows->UInt64());
  return {};
}

// The first filling. Where it begins to read the log is written down before anything else, so that it can be
// interrupted and begun again: what the log says after that point is never missed.
Status WarehouseLoader::Begin(const LogPositions& positions) {
  const std::optional<EventPoints> begun_changes = positions.Find(kChangesFromStream);
  const std::optional<EventPoints> begun_events = positions.Find(kEventsFromStream);
  const std::int64_t changes_from = begun_changes ? (*begun_changes)[0] : HasForgottenChanges() ? changes_->End() : 0;
  const EventPoints events_from = events_->HowFarForgotten().through;
  if (begun_events && *begun_events != events_from) {
    return Refuse("warehouse_behind", "The warehouse was left half filled, and the log has forgotten events since.");
  }
  if (Status written = WriteBeginning(changes_from, events_from); !written) return written;
  if (changes_from > 0) {
    if (Status landed = LandState(); !landed) return landed;
  }
  if (events_from != EventPoints()) {
    if (Status landed = LandForgotten(events_from); !landed) return landed;
  }
  may_hold_ = reading_ = landed_ = {generation_, changes_from, events_from};
  return Settle();
}

Status WarehouseLoader::WriteBeginning(std::int64_t changes_from, const EventPoints& events_from) {
  return WritePoints({{kChangesFromStream, {changes_from}}, {kEventsFromStream, events_from}});
}

// Of each stream at least one point, so that it is known that there is none above it.
Status WarehouseLoader::WritePoints(const std::vector<std::pair<std::string_view, EventPoints>>& named) {
  std::vector<StreamPoint> points;
  for (const auto& [stream, of_partitions] : named) {
    const std::size_t count = std::max<std::size_t>(1, of_partitions.List().size());
    for (std::size_t i = 0; i < count; ++i) {
      points.push_back({std::string(stream), i, generation_, of_partitions[i]});
    }
  }
  return WriteLogPositions(olap_, points, ++version_, kShortCall);
}

bool WarehouseLoader::HasForgottenChanges() const try {
  changes_->Read(0, 1);
  return false;
} catch (const StoreError& error) {
  if (error.error().code != "log_forgotten") throw;
  return true;
}

Status WarehouseLoader::LandState() {
  const auto send = [this](const LandingBatch& batch) {
    return options_.stopping() ? Status(Stopping()) : Send(batch);
  };
  const Result<std::int64_t> cut = SendState(changes_, batch_rows_, options_.batch_bytes, send);
  if (!cut) return tl::unexpected<Error>(cut.error());
  Raise(&may_hold_, {generation_, *cut, {}});
  settled_ = false;
  return {};
}

template <class T>
Status WarehouseLoader::LandKept(std::string_view statement, const std::vector<T>& kept) {
  for (std::size_t begin = 0; begin < kept.size(); begin += kForgottenAtOnce) {
    if (options_.stopping()) return Stopping();
    const std::span part = std::span(kept).subspan(begin, std::min(kForgottenAtOnce, kept.size() - begin));
    std::string rows;
    for (const T& entry : part) rows.append(rows.empty() ? "[" : ",").append(Render(entry));
    const OlapParams params{{"rows", rows + "]"}};
    if (Status landed = olap_->Execute(WarehouseSql(statement), params, kInsertCall); !landed) return landed;
  }
  return {};
}

Status WarehouseLoader::LandForgotten(const EventPoints& events_from) try {
  const auto land = [this](std::string_view statement, const auto& kept) {
    if (const Status landed = LandKept(statement, kept); !landed) {
      throw LandingFailed{landed.error()};
    }
  };
  const EventPoints end =
      events_->ReadForgotten([&](const auto& totals) { land("land_forgotten_totals", totals); },
                             [&](const auto& counts) { land("land_forgotten_interactions", counts); });
  if (end == events_from) return {};
  return Refuse("warehouse_behind", "The log has forgotten events while the warehouse was being filled.");
} catch (const LandingFailed& failed) {
  return tl::unexpected<Error>(failed.error);
}

// --------------------------------------------------------------------------------------------------------------- land

Result<bool> WarehouseLoader::Land() {
  batch_.Clear();
  Position read = reading_;
  FillBatch(&read);
  if (batch_.rows() == 0) return false;
  Raise(&may_hold_, read);
  const bool was_full = IsFull();
  if (Status sent = Send(batch_); !sent) {
    batch_rows_ = std::max<std::size_t>(1, batch_.rows() / 2);  // it may have been too much at once
    return tl::unexpected<Error>(std::move(sent.error()));
  }
  batch_rows_ = std::min(batch_rows_ * 2, options_.batch_rows);
  NoteLanded(read);
  return was_full;
}

bool WarehouseLoader::IsFull() const {
  return batch_.rows() >= batch_rows_ || batch_.bytes() >= options_.batch_bytes;
}

// A chunk of each stream in turn, so that a long one does not hold up the other.
void WarehouseLoader::FillBatch(Position* read) {
  bool more_changes = true;
  bool more_events = true;
  while ((more_changes || more_events) && !IsFull()) {
    more_changes = more_changes && AddChanges(read);
    more_events = more_events && !IsFull() && AddEvents(read);
  }
}

bool WarehouseLoader::AddChanges(Position* read) {
  const std::size_t wanted = std::min(kChunk, batch_rows_ - batch_.rows());
  const std::vector<Change> changes = changes_->Read(read->changes, wanted);
  for (const Change& change : changes) {
    if (IsFull()) break;
    batch_.Add(LandingLineOf(change));
    read->changes = change.sequence;
  }
  return changes.size() == wanted;
}

bool WarehouseLoader::AddEvents(Position* read) {
  const std::size_t wanted = std::min(kChunk, batch_rows_ - batch_.rows());
  const std::vector<LoggedEvent> events = events_->Read(read->events, wanted);
  for (const LoggedEvent& event : events) {
    if (IsFull()) break;
    batch_.Add(LandingLineOf(event));
    Advance(&read->events, event);
  }
  return events.size() == wanted;
}

Status WarehouseLoader::Send(const LandingBatch& batch) {
  const SteadyClock::time_point start = SteadyClock::now();
  for (std::size_t table = 0; table < kLandingTables.size(); ++table) {
    if (batch.RowsOf(table) == 0) continue;
    const Status landed = olap_->Insert(LandingLinesOf(table), kLandingFormat, batch.LinesOf(table), kInsertCall);
    if (!landed) return landed;
    rows_[table].Add(static_cast<double>(batch.RowsOf(table)));
  }
  batch_seconds_.Observe(SecondsSince(start));
  return {};
}

void WarehouseLoader::NoteLanded(const Position& read) {
  reading_ = read;
  Raise(&landed_, read);
  settled_ = false;
  entries_landed_ += batch_.rows();
}

void WarehouseLoader::Rewind(std::int64_t changes, const EventPoints& events) {
  reading_.changes = std::min(reading_.changes, changes);
  reading_.events = Least(reading_.events, events);
}

std::int64_t WarehouseLoader::EntriesLeft() {
  return changes_->End() - reading_.changes + events_->End().Total() - reading_.events.Total();
}

// ------------------------------------------------------------------------------------------------------------- settle

Status WarehouseLoader::Remember() {
  return WritePoints({{kChangesLandedStream, {landed_.changes}}, {kEventsLandedStream, landed_.events}});
}

Status WarehouseLoader::Settle() {
  const SteadyClock::time_point start = SteadyClock::now();
  if (Status settled = SettleTouched(olap_, ++version_); !settled) return settled;
  refresh_seconds_.Observe(SecondsSince(start));

  if (Status written = WritePoints({{kChangesStream, {landed_.changes}},
                                    {kEventsStream, landed_.events},
                                    {kChangesLandedStream, {landed_.changes}},
                                    {kEventsLandedStream, landed_.events}});
      !written) {
    return written;
  }
  applied_changes_.Add(static_cast<double>(std::max<std::int64_t>(0, landed_.changes - applied_.changes)));
  const std::int64_t events = landed_.events.Total() - applied_.events.Total();
  applied_events_.Add(static_cast<double>(std::max<std::int64_t>(0, events)));
  applied_ = landed_;
  settled_ = true;
  return {};
}

}  // namespace novafeed
