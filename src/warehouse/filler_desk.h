// What every filler has: one thread that fills the warehouse, and a desk between it and everybody who asks it for
// something: what it last said of itself, who waits for a position, who holds it still, whether it is to stop.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "stream/position.h"
#include "warehouse/filler.h"

namespace novafeed {

// The first part is for any thread, the second for the thread that fills.
class FillerDesk {
 public:
  using SteadyClock = std::chrono::steady_clock;

  void RequestStop();
  // Whether the thread has said that it ends, or does so within that time.
  bool AwaitEnd(std::chrono::milliseconds timeout);
  Position position() const;
  SinkStatus status() const;
  // As WarehouseFiller says; they hurry the thread.
  void WaitFor(const Position& wanted, std::int64_t timeout_ms, std::function<void(bool)> done);
  Result<Position> Pause(std::chrono::milliseconds timeout);
  void Resume();
  std::uint64_t BrokenPauses() const;
  // Makes the thread look for work at once.
  void Hurry();

  // ---- the thread that fills

  bool stopping() const { return stopping_; }
  bool WantsPause() const;
  // Whether somebody waits for a position that `wanted` says yes to.
  bool SomebodyWaits(const std::function<bool(const Position& wanted)>& wanted) const;
  // `applied` never falls here.
  void Publish(SinkPhase phase, const std::string& reason, const Position& applied, const Position& reading);
  void PublishProgress(std::int64_t entries_left, double entries_per_second);
  // Answers those whose position is reached or whose time is up; all of them where it is `ending`.
  void AnswerWaiters(bool ending);
  // Until `until`, or until `ends` holds (asked under a lock). Those who wait are answered when they give up.
  void Idle(SteadyClock::time_point until, const std::function<bool()>& ends);
  // Until `next_look`, or until somebody is in a hurry, but not for long after another call.
  void WaitForWork(SteadyClock::time_point next_look);
  // Lets readers in, who are told that the tables hold `at`, and holds still while any of them is there, as long as
  // `is_held`, asked every second, says that it does; else their pause is broken. False where nobody wants that.
  bool HoldStill(const Position& at, const std::function<bool()>& is_held = [] { return true; });
  // The last thing that it does.
  void NoteEnd();

 private:
  struct Waiter {
    Position wanted;
    SteadyClock::time_point give_up;
    std::function<void(bool)> done;
  };

  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::condition_variable held_;
  SinkStatus published_;
  std::vector<Waiter> waiters_;
  int pauses_ = 0;
  std::uint64_t broken_pauses_ = 0;
  bool holding_ = false;
  Position held_at_;  // while holding_
  bool hurry_ = false;
  bool has_ended_ = false;
};

// A filler with its desk and its thread. Whoever derives from it calls Stop() before what its thread uses is destroyed.
class DeskFiller : public WarehouseFiller {
 public:
  void RequestStop() final;
  bool StopWithin(std::chrono::milliseconds timeout) final;
  void Stop() final;

  Position position() const final;
  // As the port says; late by one look at the log at most: it makes the thread look at once.
  void WaitFor(const Position& wanted, std::int64_t timeout_ms, std::function<void(bool)> done) final;
  Result<Position> Pause(std::chrono::milliseconds timeout) final;
  void Resume() final;
  std::uint64_t BrokenPauses() const final;

 protected:
  // `run` is all that the thread does; it ends with desk()->NoteEnd() soon after desk()->stopping().
  void StartThread(std::function<void()> run);
  FillerDesk* desk() { return &desk_; }
  const FillerDesk& desk() const { return desk_; }

 private:
  FillerDesk desk_;
  std::thread thread_;
};

}  // namespace novafeed
