#include "index/applier.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "base/log.h"
#include "graph/store.h"

namespace novafeed {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kBatch = 1024;
// How often windows move and waiters' time-outs are looked at when nothing else happens.
constexpr std::chrono::milliseconds kTick{100};
constexpr std::chrono::milliseconds kRetryAfterFailure{200};
constexpr std::int64_t kSayFailuresEveryMs = 5000;
// From when on the log says that nothing comes in.
constexpr TimeMs kBehindAfter = 5000;
constexpr std::int64_t kSayBehindEveryMs = 10'000;
const std::vector<double> kLikeBuckets = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5};

// Where the events ended at some time: who has applied them up to there has all that were accepted by then.
struct EventsMark {
  TimeMs at = 0;
  EventPoints end;
};

constexpr SteadyClock::time_point kNever = SteadyClock::time_point::max();

struct Waiter {
  Position wanted;
  SteadyClock::time_point give_up;
  std::function<void(bool)> done;
};

}  // namespace

struct IndexApplier::State {
  State(const Clock* clock_in, FeedIndex* index_in, ChangeFeed* changes_in, EventLog* events_in, Metrics* metrics)
      : clock(clock_in),
        index(index_in),
        changes(changes_in),
        events(events_in),
        is_shared(changes->CompleteAsOf(0).has_value()),
        failures(metrics->AddCounter("novafeed_index_apply_failures_total",
                                     "Times the index could not read the log and tried again.")),
        applied(metrics->AddCounter("novafeed_index_applied_total", "Log entries applied to the index.")),
        lag_seconds(metrics->AddGauge("novafeed_index_lag_seconds", "Age of the index's counters.")),
        like_seconds(metrics->AddHistogram("novafeed_like_to_feed_seconds",
                                           "From the commit of a like or unlike until feeds count it.", kLikeBuckets)) {
  }

  void Run();
  // ApplySome; where it fails, that is noted, and waited a little.
  bool TryApplySome();
  void NoteFailure(const std::exception& error);
  // Applies what the log holds now; true where there was anything.
  bool ApplySome();
  // Each applies the next batch of its stream, and moves on where nothing is left: waiters may want points behind which
  // there was nothing to apply. How many there were.
  std::size_t ApplyChanges();
  std::size_t ApplyEvents();
  void MoveWindows(TimeMs now);
  void NoteLikes(const std::vector<Change>& applied_now) const;
  void NoteCaughtUp(TimeMs before_reading, std::uint64_t commits_seen);
  void NoteComplete(TimeMs before_reading);
  // The age of what is complete as of then; of the start where that is later, or nothing is known yet.
  double SecondsSince(TimeMs complete_at) const;
  // Says in the log that nothing comes in, now and then while it lasts, and that it does again.
  void SayWhetherBehind(TimeMs as_of);
  void AnswerWaiters(bool stopping);
  // Gives waiters up in time, also while the log is read, which takes as long as its deadlines allow.
  void WatchTime();

  const Clock* clock;
  FeedIndex* index;
  ChangeFeed* changes;
  EventLog* events;
  const bool is_shared;  // others write the log, too, and announce nothing here
  Counter failures;
  Counter applied;
  Gauge lag_seconds;
  Histogram like_seconds;
  TimeMs started_at = 0;
  LogGate failure_log{kSayFailuresEveryMs};
  LogGate behind_log{kSayBehindEveryMs};
  std::atomic<TimeMs> behind_since{0};  // as the log was told; 0: it is not behind

  std::mutex mutex;
  std::condition_variable wake;
  bool woken = false;
  bool stopping = false;
  std::vector<Waiter> waiters;
  std::condition_variable waiting;             // of WatchTime
  SteadyClock::time_point next_look = kNever;  // of WatchTime: when it looks at the waiters again
  std::thread thread;
  std::thread watch;
  std::atomic<bool> is_cut_off{false};
  std::atomic<TimeMs> fresh_at{0};                // every entry committed by then is applied
  std::atomic<std::uint64_t> commits{0};          // that were announced
  std::atomic<std::uint64_t> commits_applied{0};  // of those: surely applied
  std::atomic<TimeMs> changes_complete_at{0};     // in a shared log: as of when what is applied is complete
  std::atomic<TimeMs> events_complete_at{0};
  // Of the applier's thread only:
  TimeMs windows_at = 0;
  std::optional<EventsMark> events_mark;  // on the way to it
};

void IndexApplier::State::Run() {
  while (true) {
    const bool progressed = TryApplySome();
    AnswerWaiters(false);
    std::unique_lock lock(mutex);
    if (!progressed) wake.wait_for(lock, kTick, [this] { return woken || stopping; });
    woken = false;
    if (stopping) break;
  }
  AnswerWaiters(true);
}

bool IndexApplier::State::TryApplySome() {
  try {
    const bool progressed = ApplySome();
    is_cut_off.store(false);
    return progressed;
  } catch (const StoreError& error) {
    if (error.error().code == "log_forgotten") is_cut_off.store(true);
    NoteFailure(error);
  } catch (const std::exception& error) {
    NoteFailure(error);
  }
  return false;
}

void IndexApplier::State::NoteFailure(const std::exception& error) {
  failures.Add();
  if (failure_log.Open()) Log(LogLevel::kError, "index_apply_failed", {{"reason", std::string(error.what())}});
  std::unique_lock lock(mutex);
  wake.wait_for(lock, kRetryAfterFailure, [this] { return stopping; });
}

bool IndexApplier::State::ApplySome() {
  const std::uint64_t commits_seen = commits.load();
  const TimeMs before_reading = clock->Now();
  MoveWindows(before_reading);
  const std::size_t new_changes = ApplyChanges();
  const std::size_t new_events = ApplyEvents();
  if (is_shared) {
    NoteComplete(before_reading);
  } else if (new_changes < kBatch && new_events < kBatch) {
    NoteCaughtUp(before_reading, commits_seen);
  }
  return new_changes + new_events > 0;
}

std::size_t IndexApplier::State::ApplyChanges() {
  const Position at = index->position();
  const std::vector<Change> found = changes->Read(at.changes, kBatch);
  index->ApplyChanges(found);
  applied.Add(static_cast<double>(found.size()));
  NoteLikes(found);
  const std::int64_t quiet = found.empty() ? changes->QuietThrough(at.changes) : at.changes;
  if (quiet > at.changes) index->MoveOn(quiet, at.events);
  return found.size();
}

std::size_t IndexApplier::State::ApplyEvents() {
  const std::vector<LoggedEvent> found = events->Read(index->position().events, kBatch);
  index->ApplyEvents(found);
  applied.Add(static_cast<double>(found.size()));
  const Position at = index->position();
  const EventPoints quiet = found.size() < kBatch ? events->QuietThrough(at.events) : at.events;
  if (quiet != at.events) index->MoveOn(at.changes, quiet);
  return found.size();
}

void IndexApplier::State::MoveWindows(TimeMs now) {
  if (now - windows_at < kTick.count()) return;
  windows_at = now;
  index->AdvanceTo(now);
}

void IndexApplier::State::NoteLikes(const std::vector<Change>& applied_now) const {
  const TimeMs now = clock->Now();
  for (const Change& change : applied_now) {
    // What a start has to catch up with waited for the start, not for the log.
    if (!std::holds_alternative<Like>(change.Latest()) || change.committed_at < started_at) continue;
    like_seconds.Observe(static_cast<double>(std::max<TimeMs>(0, now - change.committed_at)) / 1000.0);
  }
}

void IndexApplier::State::NoteCaughtUp(TimeMs before_reading, std::uint64_t commits_seen) {
  fresh_at.store(before_reading);
  commits_applied.store(commits_seen);
}

// What others write is not announced; how much of it is applied is known from the log itself.
void IndexApplier::State::NoteComplete(TimeMs before_reading) {
  const TimeMs complete = changes->CompleteAsOf(index->position().changes).value_or(0);
  changes_complete_at = std::max(changes_complete_at.load(), complete);
  if (!events_mark && before_reading - events_complete_at >= kTick.count()) {
    events_mark = EventsMark{clock->Now(), events->End()};
  }
  if (events_mark && Reached(events_mark->end, index->position().events)) {
    events_complete_at = events_mark->at;
    events_mark.reset();
  }
  fresh_at.store(std::min(changes_complete_at.load(), events_complete_at.load()));
}

double IndexApplier::State::SecondsSince(TimeMs complete_at) const {
  return static_cast<double>(clock->Now() - std::max(complete_at, started_at)) / 1000.0;
}

// Called now and then, also while the applier waits for a log that does not answer.
void IndexApplier::State::SayWhetherBehind(TimeMs as_of) {
  const TimeMs complete_at = std::max(as_of, started_at);
  if (clock->Now() - complete_at > kBehindAfter) {
    if (!behind_log.Open()) return;
    if (behind_since == 0) behind_since = complete_at;
    if (is_shared) {
      Log(LogLevel::kWarn, "index_behind",
          {{"changes_seconds", SecondsSince(changes_complete_at)},
           {"events_seconds", SecondsSince(events_complete_at)}});
    } else {
      Log(LogLevel::kWarn, "index_behind", {{"seconds", SecondsSince(as_of)}});
    }
  } else if (const TimeMs since = behind_since.exchange(0); since != 0) {
    Log(LogLevel::kInfo, "index_caught_up", {{"after_seconds", static_cast<double>(clock->Now() - since) / 1000.0}});
  }
}

void IndexApplier::State::AnswerWaiters(bool ending) {
  const Position position = index->position();
  const auto now = SteadyClock::now();
  std::vector<std::pair<std::function<void(bool)>, bool>> answers;
  {
    const std::scoped_lock lock(mutex);
    std::erase_if(waiters, [&](Waiter& waiter) {
      const bool reached = Reached(waiter.wanted, position);
      if (!reached && !ending && now < waiter.give_up) return false;
      answers.emplace_back(std::move(waiter.done), reached);
      return true;
    });
  }
  for (auto& [done, reached] : answers) done(reached);
}

void IndexApplier::State::WatchTime() {
  std::unique_lock lock(mutex);
  while (!stopping) {
    next_look = kNever;
    for (const Waiter& waiter : waiters) next_look = std::min(next_look, waiter.give_up);
    if (next_look == kNever) {
      waiting.wait(lock);
    } else {
      waiting.wait_until(lock, next_look);
    }
    lock.unlock();
    AnswerWaiters(false);
    lock.lock();
  }
}

IndexApplier::IndexApplier(const Clock* clock, FeedIndex* index, ChangeFeed* changes, EventLog* events,
                           Metrics* metrics)
    : state_(std::make_unique<State>(clock, index, changes, events, metrics)) {}

IndexApplier::~IndexApplier() {
  Stop();
}

void IndexApplier::Start() {
  State* state = state_.get();
  const auto announced = [this] {
    state_->commits.fetch_add(1);
    Wake();
  };
  state->changes->OnCommit(announced);
  state->events->OnCommit(announced);
  state->started_at = state->clock->Now();
  state->thread = std::thread([state] { state->Run(); });
  state->watch = std::thread([state] { state->WatchTime(); });
}

void IndexApplier::Stop() {
  if (!state_->thread.joinable()) return;
  state_->changes->OnCommit(nullptr);
  state_->events->OnCommit(nullptr);
  {
    const std::scoped_lock lock(state_->mutex);
    state_->stopping = true;
  }
  state_->wake.notify_all();
  state_->waiting.notify_all();
  state_->thread.join();
  state_->watch.join();
}

Position IndexApplier::Applied() const {
  return state_->index->position();
}

void IndexApplier::WaitFor(const Position& wanted, std::int64_t timeout_ms, std::function<void(bool)> done) {
  if (Reached(wanted, state_->index->position())) {
    done(true);
    return;
  }
  std::unique_lock lock(state_->mutex);
  if (state_->stopping) {
    lock.unlock();
    done(false);
    return;
  }
  const auto give_up = SteadyClock::now() + std::chrono::milliseconds(timeout_ms);
  state_->waiters.push_back(Waiter{wanted, give_up, std::move(done)});
  state_->woken = true;  // it may have been reached just now
  const bool is_next = give_up < state_->next_look;
  lock.unlock();
  state_->wake.notify_all();
  if (is_next) state_->waiting.notify_all();
}

TimeMs IndexApplier::CountersAsOf() const {
  const TimeMs now = state_->clock->Now();
  const bool nothing_open = !state_->is_shared && state_->commits_applied.load() == state_->commits.load();
  return nothing_open ? now : std::min(now, state_->fresh_at.load());
}

bool IndexApplier::IsCutOff() const {
  return state_->is_cut_off.load();
}

void IndexApplier::ReportLag() const {
  const TimeMs as_of = CountersAsOf();
  state_->lag_seconds.Set(static_cast<double>(state_->clock->Now() - as_of) / 1000.0);
  state_->SayWhetherBehind(as_of);
}

void IndexApplier::Wake() {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->woken = true;
  }
  state_->wake.notify_all();
}

}  // namespace novafeed
