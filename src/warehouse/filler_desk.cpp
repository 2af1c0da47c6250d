#include "warehouse/filler_desk.h"

#include <algorithm>
#include <utility>

namespace novafeed {
namespace {

using std::chrono::milliseconds;

// Between two looks at the log while somebody waits for a position.
constexpr milliseconds kHurry{20};
// How often time-outs of waiters are looked at.
constexpr milliseconds kTick{50};
constexpr std::chrono::seconds kWhileHeld{1};

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

void FillerDesk::RequestStop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
}

bool FillerDesk::AwaitEnd(milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return held_.wait_for(lock, timeout, [this] { return has_ended_; });
}

Position FillerDesk::position() const {
  const std::scoped_lock lock(mutex_);
  return published_.applied;
}

SinkStatus FillerDesk::status() const {
  const std::scoped_lock lock(mutex_);
  return published_;
}

void FillerDesk::WaitFor(const Position& wanted, std::int64_t timeout_ms, std::function<void(bool)> done) {
  std::unique_lock lock(mutex_);
  const bool reached = Reached(wanted, published_.applied);
  if (reached || stopping_ || published_.phase == SinkPhase::kRefused) {
    lock.unlock();
    done(reached);
    return;
  }
  waiters_.push_back(Waiter{wanted, SteadyClock::now() + milliseconds(timeout_ms), std::move(done)});
  lock.unlock();
  wake_.notify_all();
}

Result<Position> FillerDesk::Pause(milliseconds timeout) {
  std::unique_lock lock(mutex_);
  ++pauses_;
  wake_.notify_all();
  const auto settled = [this] { return holding_ || stopping_ || published_.phase == SinkPhase::kRefused; };
  held_.wait_for(lock, timeout, settled);
  if (holding_) return held_at_;
  --pauses_;
  if (published_.phase == SinkPhase::kRefused) {
    return Fail(Failure::kConflict, "warehouse_refused", published_.reason);
  }
  return Fail(Failure::kUnavailable, "warehouse_busy", "The warehouse is not at rest: try again.", 1000);
}

void FillerDesk::Resume() {
  {
    const std::scoped_lock lock(mutex_);
    --pauses_;
  }
  wake_.notify_all();
}

void FillerDesk::Hurry() {
  {
    const std::scoped_lock lock(mutex_);
    hurry_ = true;
  }
  wake_.notify_all();
}

std::uint64_t FillerDesk::BrokenPauses() const {
  const std::scoped_lock lock(mutex_);
  return broken_pauses_;
}

bool FillerDesk::WantsPause() const {
  const std::scoped_lock lock(mutex_);
  return pauses_ > 0;
}

bool FillerDesk::SomebodyWaits(const std::function<bool(const Position& wanted)>& wanted) const {
  const std::scoped_lock lock(mutex_);
  return std::ranges::any_of(waiters_, [&](const Waiter& waiter) { return wanted(waiter.wanted); });
}

void FillerDesk::Publish(SinkPhase phase, const std::string& reason, const Position& applied, const Position& reading) {
  const std::scoped_lock lock(mutex_);
  published_.phase = phase;
  published_.reason = reason;
  published_.applied = Union(published_.applied, applied);
  published_.reading = reading;
  if (phase == SinkPhase::kRefused) held_.notify_all();
}

void FillerDesk::PublishProgress(std::int64_t entries_left, double entries_per_second) {
  const std::scoped_lock lock(mutex_);
  published_.entries_left = entries_left;
  published_.entries_per_second = entries_per_second;
}

void FillerDesk::AnswerWaiters(bool ending) {
  const auto now = SteadyClock::now();
  std::vector<std::pair<std::function<void(bool)>, bool>> answers;
  {
    const std::scoped_lock lock(mutex_);
    std::erase_if(waiters_, [&](Waiter& waiter) {
      const bool reached = Reached(waiter.wanted, published_.applied);
      if (!reached && !ending && now < waiter.give_up) return false;
      answers.emplace_back(std::move(waiter.done), reached);
      return true;
    });
  }
  for (auto& [done, reached] : answers) done(reached);
}

void FillerDesk::Idle(SteadyClock::time_point until, const std::function<bool()>& ends) {
  while (true) {
    const SteadyClock::time_point next = std::min(until, SteadyClock::now() + kTick);
    {
      std::unique_lock lock(mutex_);
      if (wake_.wait_until(lock, next, [&] { return stopping_ || ends(); }) || next == until) return;
    }
    AnswerWaiters(false);
  }
}

void FillerDesk::WaitForWork(SteadyClock::time_point next_look) {
  Idle(SteadyClock::now() + kHurry, [] { return false; });
  Idle(next_look, [this] { return !waiters_.empty() || pauses_ > 0 || hurry_; });
  const std::scoped_lock lock(mutex_);
  hurry_ = false;
}

bool FillerDesk::HoldStill(const Position& at, const std::function<bool()>& is_held) {
  SinkPhase before{};
  {
    const std::scoped_lock lock(mutex_);
    if (pauses_ == 0 || stopping_) return false;
    before = std::exchange(published_.phase, SinkPhase::kPaused);
    held_at_ = at;
    holding_ = true;
  }
  held_.notify_all();
  while (true) {
    Idle(SteadyClock::now() + kWhileHeld, [this] { return pauses_ == 0; });
    const bool was_stopping = stopping_;  // before it is asked: a stop may end what holds
    const bool is_broken = WantsPause() && !is_held();
    // Under one lock, so that nobody is let in whom this does not see.
    const std::scoped_lock lock(mutex_);
    if (pauses_ > 0 && !is_broken && !was_stopping) continue;
    if (is_broken) ++broken_pauses_;
    holding_ = false;
    published_.phase = before;
    return true;
  }
}

void FillerDesk::NoteEnd() {
  const std::scoped_lock lock(mutex_);
  has_ended_ = true;
  held_.notify_all();
}

// ------------------------------------------------------------------------------------------------------------- filler

void DeskFiller::StartThread(std::function<void()> run) {
  thread_ = std::thread(std::move(run));
}

void DeskFiller::RequestStop() {
  desk_.RequestStop();
}

bool DeskFiller::StopWithin(milliseconds timeout) {
  RequestStop();
  return !thread_.joinable() || desk_.AwaitEnd(timeout);
}

void DeskFiller::Stop() {
  RequestStop();
  if (thread_.joinable()) thread_.join();
}

Position DeskFiller::position() const {
  return desk_.position();
}

void DeskFiller::WaitFor(const Position& wanted, std::int64_t timeout_ms, std::function<void(bool)> done) {
  desk_.WaitFor(wanted, timeout_ms, std::move(done));
}

Result<Position> DeskFiller::Pause(milliseconds timeout) {
  return desk_.Pause(timeout);
}

void DeskFiller::Resume() {
  desk_.Resume();
}

std::uint64_t DeskFiller::BrokenPauses() const {
  return desk_.BrokenPauses();
}

}  // namespace novafeed
