#include "warehouse/sink.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/log.h"
#include "graph/store.h"
#include "warehouse/loader.h"
#include "warehouse/waiting_rewind.h"

namespace novafeed {
namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// While the sink is far behind, counters are refreshed rarely: each refresh reads all sets of what was touched.
constexpr std::chrono::seconds kSettleWhileBehind{60};
constexpr std::chrono::seconds kReportProgress{10};
constexpr std::int64_t kFailureLogMs = 10'000;
// An engine that starts, or starts again, is away for that long without a word.
constexpr std::chrono::seconds kSilence{5};

Error AsError(const std::exception& thrown) {
  return Error{Failure::kUnavailable, "log_unreadable", thrown.what(), 0};
}

Error Forgotten(const Error& error) {
  return Error{Failure::kConflict, "warehouse_behind",
               error.detail +
                   " Nothing is written to the warehouse. Stop, remove the folder olap of the data directory, "
                   "and start: it is made anew from the tables and the log.",
               0};
}

}  // namespace

struct WarehouseSink::State {
  State(FillerDesk* desk_in, const Clock* clock_in, Olap* olap, ChangeFeed* changes_in, EventLog* events_in,
        std::string generation, Metrics* metrics, const WarehouseSinkOptions& options_in)
      : desk(desk_in),
        clock(clock_in),
        changes(changes_in),
        events(events_in),
        options(options_in),
        loader(olap, changes_in, events_in, std::move(generation), metrics, LoaderOptionsOf(options_in)),
        failures(metrics->AddCounter("novafeed_warehouse_failures_total",
                                     "Times the warehouse could not be filled and it was tried again.")),
        lag_seconds(metrics->AddGauge("novafeed_warehouse_lag_seconds", "Age of the warehouse's counters.")),
        refused(metrics->AddGauge("novafeed_warehouse_refused", "1 where this warehouse cannot be gone on with.")),
        failure_log(kFailureLogMs) {}

  LoaderOptions LoaderOptionsOf(const WarehouseSinkOptions& given) {
    return {given.batch_rows, given.batch_bytes, given.stop_ttl_merges, [this] { return desk->stopping(); }};
  }

  void Run();
  // One batch, and what is due with it. True where the log holds more.
  Result<bool> Round();
  Result<bool> GuardedRound();
  Status Rewind(const SinkRewind& wanted);
  bool SettleIsDue(bool more);
  void NoteFailure(const Error& error);
  void NoteProgress(bool more);
  void Publish(SinkPhase phase, const std::string& reason);
  bool IsAtEnd() const;
  bool HoldStill();

  FillerDesk* desk;
  const Clock* clock;
  ChangeFeed* changes;
  EventLog* events;
  const WarehouseSinkOptions options;
  WarehouseLoader loader;  // the sink's thread only, as the next ones
  Counter failures;
  Gauge lag_seconds;
  Gauge refused;
  LogGate failure_log;
  milliseconds pause{0};
  bool has_refused = false;
  SteadyClock::time_point failing_since{};
  SteadyClock::time_point settled_at{};
  SteadyClock::time_point behind_since{};
  SteadyClock::time_point progress_at{};
  std::uint64_t landed_before = 0;  // of loader.entries_landed(), when it fell behind

  std::atomic<TimeMs> fresh_at{0};      // every entry committed by then is applied; or when it was started
  std::atomic<TimeMs> caught_up_at{0};  // the same; 0 where it never was at the end

  WaitingRewind rewind;
};

// -------------------------------------------------------------------------------------------------- the sink's thread

void WarehouseSink::State::Run() {
  while (!desk->stopping()) {
    const SteadyClock::time_point started = SteadyClock::now();
    const Result<bool> more = GuardedRound();
    if (more) {
      pause = options.first_pause;
      failing_since = {};
      Publish(*more ? SinkPhase::kCatchingUp : SinkPhase::kFollowing, "");
      NoteProgress(*more);
    } else if (!desk->stopping()) {
      NoteFailure(more.error());
    }
    desk->AnswerWaiters(has_refused);
    if (HoldStill()) continue;
    if (has_refused) break;
    if (!more) {
      desk->Idle(SteadyClock::now() + pause, [] { return false; });
      pause = std::min(pause * 2, options.max_pause);
    } else if (!*more) {
      desk->WaitForWork(started + options.refresh_every);
    }
  }
  if (has_refused) desk->Idle(SteadyClock::time_point::max(), [] { return false; });
  desk->AnswerWaiters(true);
  desk->NoteEnd();
}

Result<bool> WarehouseSink::State::GuardedRound() try { return Round(); } catch (const StoreError& error) {
  if (error.error().code == "log_forgotten") return tl::unexpected<Error>(Forgotten(error.error()));
  return tl::unexpected<Error>(error.error());
} catch (const std::exception& error) {
  return tl::unexpected<Error>(AsError(error));
}

Result<bool> WarehouseSink::State::Round() {
  if (!loader.attached()) {
    if (const Status attached = loader.Attach(); !attached) return tl::unexpected<Error>(attached.error());
    settled_at = SteadyClock::now();
  }
  const bool wants_pause = desk->WantsPause();
  if (!wants_pause) {
    const Status rewound = rewind.Do([this](const SinkRewind& wanted) { return Rewind(wanted); });
    if (!rewound) return tl::unexpected<Error>(rewound.error());
  }
  bool more = false;
  const TimeMs before_reading = clock->Now();
  if (!wants_pause || !loader.exact()) {
    const Result<bool> landed = loader.Land();
    if (!landed) return landed;
    more = *landed;
  }
  if (!loader.settled()) {
    const bool is_due = wants_pause || SettleIsDue(more);
    const Status noted = is_due ? loader.Settle() : loader.Remember();
    if (!noted) return tl::unexpected<Error>(noted.error());
    if (is_due) settled_at = SteadyClock::now();
  }
  if (!more && loader.settled() && !wants_pause) fresh_at = caught_up_at = before_reading;
  return more;
}

Status WarehouseSink::State::Rewind(const SinkRewind& wanted) {
  if (wanted.state) {
    if (Status landed = loader.LandState(); !landed) return landed;
  }
  const Position reading = loader.reading();
  loader.Rewind(wanted.changes.value_or(reading.changes), wanted.events.value_or(reading.events));
  Publish(SinkPhase::kCatchingUp, "");
  return {};
}

bool WarehouseSink::State::SettleIsDue(bool more) {
  if (!more || SteadyClock::now() - settled_at >= kSettleWhileBehind) return true;
  return desk->SomebodyWaits([this](const Position& wanted) { return Reached(wanted, loader.landed()); });
}

void WarehouseSink::State::NoteFailure(const Error& error) {
  loader.Detach();
  const bool is_final = error.failure == Failure::kConflict;
  Publish(is_final ? SinkPhase::kRefused : SinkPhase::kWaiting, error.detail);
  if (is_final) {
    has_refused = true;
    refused.Set(1);
    Log(LogLevel::kError, "warehouse_refused", {{"code", error.code}, {"reason", error.detail}});
    return;
  }
  failures.Add();
  const SteadyClock::time_point now = SteadyClock::now();
  if (failing_since == SteadyClock::time_point{}) failing_since = now;
  if (now - failing_since < kSilence && error.code == "olap_unavailable") return;
  if (failure_log.Open()) {
    Log(LogLevel::kWarn, "warehouse_not_filled", {{"code", error.code}, {"reason", error.detail}});
  }
}

void WarehouseSink::State::NoteProgress(bool more) {
  const SteadyClock::time_point now = SteadyClock::now();
  const bool was_behind = behind_since != SteadyClock::time_point{};
  if (!more && !was_behind) return;
  if (!was_behind) {
    behind_since = progress_at = now;
    landed_before = loader.entries_landed();
    return;
  }
  const double seconds = std::chrono::duration<double>(now - behind_since).count();
  const double rate = static_cast<double>(loader.entries_landed() - landed_before) / std::max(seconds, 0.001) + 1e-9;
  const std::int64_t left = more ? loader.EntriesLeft() : 0;
  desk->PublishProgress(left, more ? rate : 0);
  if (!more) behind_since = {};
  if (now - progress_at < kReportProgress) return;
  progress_at = now;
  Log(LogLevel::kInfo, more ? "warehouse_progress" : "warehouse_caught_up",
      {{"entries_left", left}, {"entries_per_second", rate}, {"seconds_left", static_cast<double>(left) / rate}});
}

void WarehouseSink::State::Publish(SinkPhase phase, const std::string& reason) {
  desk->Publish(phase, reason, loader.applied(), loader.reading());
}

// While somebody reads, and the tables hold exactly what the position says. True where it did.
bool WarehouseSink::State::HoldStill() {
  return loader.attached() && loader.settled() && loader.exact() && desk->HoldStill(loader.applied());
}

// Whether every entry of the log counts.
bool WarehouseSink::State::IsAtEnd() const {
  const Position applied = desk->position();
  return !applied.generation.empty() && applied.changes >= changes->End() && Reached(events->End(), applied.events);
}

// ------------------------------------------------------------------------------------------------------- for everybody

WarehouseSink::WarehouseSink(const Clock* clock, Olap* olap, ChangeFeed* changes, EventLog* events,
                             std::string generation, Metrics* metrics, WarehouseSinkOptions options)
    : state_(std::make_unique<State>(desk(), clock, olap, changes, events, std::move(generation), metrics, options)) {}

WarehouseSink::~WarehouseSink() {
  Stop();
}

void WarehouseSink::Start() {
  state_->fresh_at = state_->clock->Now();  // nothing is known yet: the lag begins to grow
  StartThread([state = state_.get()] { state->Run(); });
}

SinkStatus WarehouseSink::status() const {
  const bool goes_back = state_->rewind.any();  // before: what is done meanwhile has published its phase
  SinkStatus status = desk().status();
  if (goes_back && status.phase == SinkPhase::kFollowing) status.phase = SinkPhase::kCatchingUp;
  return status;
}

Status WarehouseSink::Rewind(const SinkRewind& rewind) {
  const Position applied = position();
  const std::int64_t changes = rewind.changes.value_or(0);
  const EventPoints events = rewind.events.value_or(EventPoints());
  const bool is_below = changes < 0 || !Reached(EventPoints(), events);
  if (is_below || changes > applied.changes || !Reached(events, applied.events)) {
    return Fail(Failure::kInvalid, "bad_rewind",
                "The warehouse has applied " + std::to_string(applied.changes) + " changes and " +
                    Describe(applied.events) + " events: go back to a sequence of 0 up to those.");
  }
  try {
    if (rewind.changes) state_->changes->Read(*rewind.changes, 1);
    if (rewind.events) state_->events->Read(*rewind.events, 1);
  } catch (const StoreError& error) {
    if (error.error().code != "log_forgotten") throw;
    return tl::unexpected<Error>(error.error());
  }
  state_->rewind.Add(rewind);
  desk()->Hurry();
  return {};
}

TimeMs WarehouseSink::CountersAsOf() const {
  const TimeMs now = state_->clock->Now();  // before the log is asked: what is committed later may be missing
  return state_->IsAtEnd() ? now : state_->caught_up_at.load();
}

double WarehouseSink::LagSeconds() const {
  const TimeMs now = state_->clock->Now();
  const TimeMs fresh_at = state_->IsAtEnd() ? now : state_->fresh_at.load();
  return static_cast<double>(now - fresh_at) / 1000.0;
}

void WarehouseSink::ReportLag() const {
  state_->lag_seconds.Set(LagSeconds());
}

}  // namespace novafeed
