#include "warehouse/sink.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "graph/store.h"
#include "warehouse/loader.h"

namespace novafeed {
namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Between two looks at the log while somebody waits for a position.
constexpr milliseconds kHurry{20};
// How often time-outs of waiters are looked at.
constexpr milliseconds kTick{50};
// While the sink is far behind, counters are refreshed rarely: each refresh reads all sets of what was touched.
constexpr std::chrono::seconds kSettleWhileBehind{60};
constexpr std::chrono::seconds kReportProgress{10};
constexpr std::int64_t kFailureLogMs = 10'000;
// An engine that starts, or starts again, is away for that long without a word.
constexpr std::chrono::seconds kSilence{5};

struct Waiter {
  Position wanted;
  SteadyClock::time_point give_up;
  std::function<void(bool)> done;
};

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

// Of two optional points the one further back.
std::optional<std::int64_t> Earlier(std::optional<std::int64_t> a, std::optional<std::int64_t> b) {
  return a && b ? std::min(*a, *b) : (a ? a : b);
}

// One rewind that does what both do: none that was accepted is lost.
SinkRewind Both(const std::optional<SinkRewind>& waiting, SinkRewind wanted) {
  if (!waiting) return wanted;
  wanted.changes = Earlier(waiting->changes, wanted.changes);
  wanted.events = Earlier(waiting->events, wanted.events);
  wanted.state = waiting->state || wanted.state;
  return wanted;
}

}  // namespace

std::string_view SinkPhaseName(SinkPhase phase) {
  switch (phase) {
    case SinkPhase::kWaiting:
      return "waiting";
    case SinkPhase::kCatchingUp:
      return "catching_up";
    case SinkPhase::kFollowing:
      return "following";
    case SinkPhase::kPaused:
      return "paused";
    case SinkPhase::kRefused:
      return "refused";
  }
  return "unknown";
}

struct WarehouseSink::State {
  State(const Clock* clock_in, Olap* olap, ChangeFeed* changes_in, EventLog* events_in, std::string generation,
        Metrics* metrics, const WarehouseSinkOptions& options_in)
      : clock(clock_in),
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
    return {given.batch_rows, given.batch_bytes, given.stop_ttl_merges, [this] { return stopping.load(); }};
  }

  void Run();
  // One batch, and what is due with it. True where the log holds more.
  Result<bool> Round();
  Result<bool> GuardedRound();
  Status TakeRewind();
  bool SettleIsDue(bool more);
  void NoteFailure(const Error& error);
  void NoteProgress(bool more);
  void Publish(SinkPhase phase, const std::string& reason);
  void AnswerWaiters(bool ending);
  template <class Ends>
  void Idle(SteadyClock::time_point until, const Ends& ends);
  void WaitForWork(SteadyClock::time_point next_look);
  bool SomebodyIsInAHurry() const;
  bool IsAtEnd() const;
  bool HoldStill();

  const Clock* clock;
  ChangeFeed* changes;
  EventLog* events;
  const WarehouseSinkOptions options;
  std::atomic<bool> stopping{false};
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

  mutable std::mutex mutex;  // guards what follows
  std::condition_variable wake;
  std::condition_variable held;
  SinkStatus published;
  std::vector<Waiter> waiters;
  std::optional<SinkRewind> rewind;
  int pauses = 0;
  bool holding = false;
  bool has_ended = false;
  std::thread thread;
};

// -------------------------------------------------------------------------------------------------- the sink's thread

void WarehouseSink::State::Run() {
  while (!stopping) {
    const SteadyClock::time_point started = SteadyClock::now();
    const Result<bool> more = GuardedRound();
    if (more) {
      pause = options.first_pause;
      failing_since = {};
      Publish(*more ? SinkPhase::kCatchingUp : SinkPhase::kFollowing, "");
      NoteProgress(*more);
    } else if (!stopping) {
      NoteFailure(more.error());
    }
    AnswerWaiters(has_refused);
    if (HoldStill()) continue;
    if (has_refused) break;
    if (!more) {
      Idle(SteadyClock::now() + pause, [] { return false; });
      pause = std::min(pause * 2, options.max_pause);
    } else if (!*more) {
      WaitForWork(started + options.refresh_every);
    }
  }
  if (has_refused) Idle(SteadyClock::time_point::max(), [] { return false; });
  AnswerWaiters(true);
  const std::scoped_lock lock(mutex);
  has_ended = true;
  held.notify_all();
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
  const bool wants_pause = [this] {
    const std::scoped_lock lock(mutex);
    return pauses > 0;
  }();
  if (!wants_pause) {
    if (const Status rewound = TakeRewind(); !rewound) return tl::unexpected<Error>(rewound.error());
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

Status WarehouseSink::State::TakeRewind() {
  std::optional<SinkRewind> wanted;
  {
    const std::scoped_lock lock(mutex);
    wanted = std::exchange(rewind, std::nullopt);
    if (!wanted) return {};
    published.phase = SinkPhase::kCatchingUp;
  }
  if (wanted->state) {
    if (const Status landed = loader.LandState(); !landed) {
      const std::scoped_lock lock(mutex);
      rewind = Both(rewind, *wanted);
      return landed;
    }
  }
  const Position reading = loader.reading();
  loader.Rewind(wanted->changes.value_or(reading.changes), wanted->events.value_or(reading.events));
  const std::scoped_lock lock(mutex);
  published.reading = loader.reading();
  return {};
}

bool WarehouseSink::State::SettleIsDue(bool more) {
  if (!more || SteadyClock::now() - settled_at >= kSettleWhileBehind) return true;
  const std::scoped_lock lock(mutex);
  return std::any_of(waiters.begin(), waiters.end(),
                     [this](const Waiter& waiter) { return Reached(waiter.wanted, loader.landed()); });
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
  {
    const std::scoped_lock lock(mutex);
    published.entries_left = left;
    published.entries_per_second = more ? rate : 0;
  }
  if (!more) behind_since = {};
  if (now - progress_at < kReportProgress) return;
  progress_at = now;
  Log(LogLevel::kInfo, more ? "warehouse_progress" : "warehouse_caught_up",
      {{"entries_left", left}, {"entries_per_second", rate}, {"seconds_left", static_cast<double>(left) / rate}});
}

void WarehouseSink::State::Publish(SinkPhase phase, const std::string& reason) {
  const std::scoped_lock lock(mutex);
  published.phase = phase;
  published.reason = reason;
  published.applied = loader.applied();
  published.reading = loader.reading();
  if (phase == SinkPhase::kRefused) held.notify_all();
}

void WarehouseSink::State::AnswerWaiters(bool ending) {
  const auto now = SteadyClock::now();
  std::vector<std::pair<std::function<void(bool)>, bool>> answers;
  {
    const std::scoped_lock lock(mutex);
    std::erase_if(waiters, [&](Waiter& waiter) {
      const bool reached = Reached(waiter.wanted, published.applied);
      if (!reached && !ending && now < waiter.give_up) return false;
      answers.emplace_back(std::move(waiter.done), reached);
      return true;
    });
  }
  for (auto& [done, reached] : answers) done(reached);
}

// mutex is held.
bool WarehouseSink::State::SomebodyIsInAHurry() const {
  return !waiters.empty() || pauses > 0 || rewind.has_value();
}

// Until `until`, or until `ends` holds (asked under mutex). Who waits for a position is answered when it gives up.
template <class Ends>
void WarehouseSink::State::Idle(SteadyClock::time_point until, const Ends& ends) {
  while (true) {
    const SteadyClock::time_point next = std::min(until, SteadyClock::now() + kTick);
    {
      std::unique_lock lock(mutex);
      if (wake.wait_until(lock, next, [&] { return stopping || ends(); }) || next == until) return;
    }
    AnswerWaiters(false);
  }
}

void WarehouseSink::State::WaitForWork(SteadyClock::time_point next_look) {
  Idle(SteadyClock::now() + kHurry, [] { return false; });
  Idle(next_look, [this] { return SomebodyIsInAHurry(); });
}

// While somebody reads, and the tables hold exactly what the position says. True where it did.
bool WarehouseSink::State::HoldStill() {
  if (!loader.attached() || !loader.settled() || !loader.exact()) return false;
  SinkPhase before{};
  {
    const std::scoped_lock lock(mutex);
    if (pauses == 0 || stopping) return false;
    before = std::exchange(published.phase, SinkPhase::kPaused);
    holding = true;
  }
  held.notify_all();
  Idle(SteadyClock::time_point::max(), [this] { return pauses == 0; });
  const std::scoped_lock lock(mutex);
  holding = false;
  published.phase = before;
  return true;
}

// Whether every entry of the log counts.
bool WarehouseSink::State::IsAtEnd() const {
  const Position applied = [this] {
    const std::scoped_lock lock(mutex);
    return published.applied;
  }();
  return !applied.generation.empty() && applied.changes >= changes->End() && applied.events >= events->End();
}

// ------------------------------------------------------------------------------------------------------- for everybody

WarehouseSink::WarehouseSink(const Clock* clock, Olap* olap, ChangeFeed* changes, EventLog* events,
                             std::string generation, Metrics* metrics, WarehouseSinkOptions options)
    : state_(std::make_unique<State>(clock, olap, changes, events, std::move(generation), metrics, options)) {}

WarehouseSink::~WarehouseSink() {
  Stop();
}

void WarehouseSink::Start() {
  state_->fresh_at = state_->clock->Now();  // nothing is known yet: the lag begins to grow
  state_->thread = std::thread([state = state_.get()] { state->Run(); });
}

void WarehouseSink::RequestStop() {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->stopping = true;
  }
  state_->wake.notify_all();
}

bool WarehouseSink::StopWithin(milliseconds timeout) {
  RequestStop();
  std::unique_lock lock(state_->mutex);
  return !state_->thread.joinable() || state_->held.wait_for(lock, timeout, [this] { return state_->has_ended; });
}

void WarehouseSink::Stop() {
  RequestStop();
  if (state_->thread.joinable()) state_->thread.join();
}

Position WarehouseSink::position() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->published.applied;
}

SinkStatus WarehouseSink::status() const {
  const std::scoped_lock lock(state_->mutex);
  SinkStatus status = state_->published;
  if (state_->rewind && status.phase == SinkPhase::kFollowing) status.phase = SinkPhase::kCatchingUp;
  return status;
}

void WarehouseSink::WaitFor(const Position& wanted, std::int64_t timeout_ms, std::function<void(bool)> done) {
  std::unique_lock lock(state_->mutex);
  const bool reached = Reached(wanted, state_->published.applied);
  if (reached || state_->stopping || state_->published.phase == SinkPhase::kRefused) {
    lock.unlock();
    done(reached);
    return;
  }
  state_->waiters.push_back(Waiter{wanted, SteadyClock::now() + milliseconds(timeout_ms), std::move(done)});
  lock.unlock();
  state_->wake.notify_all();
}

Result<Position> WarehouseSink::Pause(milliseconds timeout) {
  std::unique_lock lock(state_->mutex);
  ++state_->pauses;
  state_->wake.notify_all();
  const auto settled = [this] {
    return state_->holding || state_->stopping || state_->published.phase == SinkPhase::kRefused;
  };
  state_->held.wait_for(lock, timeout, settled);
  if (state_->holding) return state_->published.applied;
  --state_->pauses;
  if (state_->published.phase == SinkPhase::kRefused) {
    return Fail(Failure::kConflict, "warehouse_refused", state_->published.reason);
  }
  return Fail(Failure::kUnavailable, "warehouse_busy", "The warehouse is not at rest: try again.", 1000);
}

void WarehouseSink::Resume() {
  {
    const std::scoped_lock lock(state_->mutex);
    --state_->pauses;
  }
  state_->wake.notify_all();
}

Status WarehouseSink::Rewind(const SinkRewind& rewind) {
  const Position applied = position();
  const auto is_beyond = [](const std::optional<std::int64_t>& wanted, std::int64_t most) {
    return wanted && (*wanted < 0 || *wanted > most);
  };
  if (is_beyond(rewind.changes, applied.changes) || is_beyond(rewind.events, applied.events)) {
    return Fail(Failure::kInvalid, "bad_rewind",
                "The warehouse has applied " + std::to_string(applied.changes) + " changes and " +
                    std::to_string(applied.events) + " events: go back to a sequence of 0 up to those.");
  }
  try {
    if (rewind.changes) state_->changes->Read(*rewind.changes, 1);
    if (rewind.events) state_->events->Read(*rewind.events, 1);
  } catch (const StoreError& error) {
    if (error.error().code != "log_forgotten") throw;
    return tl::unexpected<Error>(error.error());
  }
  {
    const std::scoped_lock lock(state_->mutex);
    state_->rewind = Both(state_->rewind, rewind);
  }
  state_->wake.notify_all();
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
