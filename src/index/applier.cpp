#include "index/applier.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "base/log.h"

namespace novafeed {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kBatch = 1024;
// How often windows move and waiters' time-outs are looked at when nothing else happens.
constexpr std::chrono::milliseconds kTick{100};
constexpr std::chrono::milliseconds kRetryAfterFailure{200};
const std::vector<double> kLikeBuckets = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5};

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
        failures(metrics->AddCounter("novafeed_index_apply_failures_total",
                                     "Times the index could not read the log and tried again.")),
        applied(metrics->AddCounter("novafeed_index_applied_total", "Log entries applied to the index.")),
        lag_seconds(metrics->AddGauge("novafeed_index_lag_seconds", "Age of the index's counters.")),
        like_seconds(metrics->AddHistogram("novafeed_like_to_feed_seconds",
                                           "From the commit of a like or unlike until feeds count it.", kLikeBuckets)) {
  }

  void Run();
  // Applies what the log holds now; true where there was anything.
  bool ApplySome();
  void MoveWindows(TimeMs now);
  void NoteLikes(const std::vector<Change>& applied_now) const;
  void NoteCaughtUp(TimeMs before_reading, std::uint64_t commits_seen);
  void AnswerWaiters(bool stopping);

  const Clock* clock;
  FeedIndex* index;
  ChangeFeed* changes;
  EventLog* events;
  Counter failures;
  Counter applied;
  Gauge lag_seconds;
  Histogram like_seconds;
  TimeMs started_at = 0;

  std::mutex mutex;
  std::condition_variable wake;
  bool woken = false;
  bool stopping = false;
  std::vector<Waiter> waiters;
  std::thread thread;
  TimeMs windows_at = 0;                          // the applier's thread only
  std::atomic<TimeMs> fresh_at{0};                // every entry committed by then is applied
  std::atomic<std::uint64_t> commits{0};          // that were announced
  std::atomic<std::uint64_t> commits_applied{0};  // of those: surely applied
};

void IndexApplier::State::Run() {
  while (true) {
    bool progressed = false;
    try {
      progressed = ApplySome();
    } catch (const std::exception& error) {
      failures.Add();
      Log(LogLevel::kError, "index_apply_failed", {{"reason", std::string(error.what())}});
      std::unique_lock lock(mutex);
      wake.wait_for(lock, kRetryAfterFailure, [this] { return stopping; });
    }
    AnswerWaiters(false);
    std::unique_lock lock(mutex);
    if (!progressed) wake.wait_for(lock, kTick, [this] { return woken || stopping; });
    woken = false;
    if (stopping) break;
  }
  AnswerWaiters(true);
}

bool IndexApplier::State::ApplySome() {
  const std::uint64_t commits_seen = commits.load();
  const TimeMs before_reading = clock->Now();
  MoveWindows(before_reading);
  const Position position = index->position();
  const std::vector<Change> new_changes = changes->Read(position.changes, kBatch);
  index->ApplyChanges(new_changes);
  NoteLikes(new_changes);
  const std::vector<LoggedEvent> new_events = events->Read(position.events, kBatch);
  index->ApplyEvents(new_events);
  const std::size_t count = new_changes.size() + new_events.size();
  applied.Add(static_cast<double>(count));
  if (new_changes.size() < kBatch && new_events.size() < kBatch) NoteCaughtUp(before_reading, commits_seen);
  return count > 0;
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
  state_->thread.join();
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
  lock.unlock();
  state_->wake.notify_all();
}

TimeMs IndexApplier::CountersAsOf() const {
  const TimeMs now = state_->clock->Now();
  const bool nothing_open = state_->commits_applied.load() == state_->commits.load();
  return nothing_open ? now : state_->fresh_at.load();
}

void IndexApplier::ReportLag() const {
  state_->lag_seconds.Set(static_cast<double>(state_->clock->Now() - CountersAsOf()) / 1000.0);
}

void IndexApplier::Wake() {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->woken = true;
  }
  state_->wake.notify_all();
}

}  // namespace novafeed
