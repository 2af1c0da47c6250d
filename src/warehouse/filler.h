// What fills the warehouse, as others see it: the sink, which lands the log itself (sink.h), or the follower, which
// goes after ClickHouse's own landing (follower.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "stream/log_progress.h"
#include "stream/position.h"

namespace novafeed {

enum class SinkPhase {
  kWaiting,     // for the engine, or for it to get well
  kCatchingUp,  // behind the log by more than a batch
  kFollowing,   // at the log's end
  kPaused,      // holding still for a reader
  kRefused,     // this warehouse cannot be gone on with: `reason` says why, and what to do
};
std::string_view SinkPhaseName(SinkPhase phase);  // "waiting", ...

struct SinkStatus {
  SinkPhase phase = SinkPhase::kWaiting;
  std::string reason;  // of kWaiting and kRefused
  Position applied;    // Position{} until the engine has told it
  Position reading;    // behind `applied` while a part of the log is landed again
  std::int64_t entries_left = 0;
  double entries_per_second = 0;  // while catching up
};

// What is to be landed again; see Rewind().
struct SinkRewind {
  std::optional<std::int64_t> changes;  // the log behind this sequence
  std::optional<EventPoints> events;    // of each partition what is behind its point
  bool state = false;                   // the whole state of the graph, as a snapshot
};

// Port. Thread-safe.
class WarehouseFiller : public LogProgress {
 public:
  // Once.
  virtual void Start() = 0;
  // Does not begin anything new.
  virtual void RequestStop() = 0;
  // And waits a while for what is on its way to the engine; true where nothing is any more.
  virtual bool StopWithin(std::chrono::milliseconds timeout) = 0;
  // And waits until it is there, refused, or lost with the engine.
  virtual void Stop() = 0;

  // Every entry of the log up to there is in the tables, and counted. Position{} until the engine has told it. Never
  // falls: also not where the engine comes back with less than it had, and is filled again.
  virtual Position position() const = 0;
  Position Applied() const final { return position(); }
  virtual SinkStatus status() const = 0;

  // A consistent cut for readers: when this returns, the tables hold exactly the log up to the position that it gives,
  // and stay so until Resume(). Several may hold it. kUnavailable "warehouse_busy" where that takes longer than
  // `timeout`, kConflict "warehouse_refused"; then there is nothing to resume.
  virtual Result<Position> Pause(std::chrono::milliseconds timeout) = 0;
  virtual void Resume() = 0;
  // Rises when pauses are broken: who fills the warehouse may have gone on before their Resume(). See WarehousePause.
  virtual std::uint64_t BrokenPauses() const = 0;

  // Lands entries again, while position() stays: nothing changes where the warehouse is right, and what was lost comes
  // back. Begins soon; a crash forgets it. kConflict "log_forgotten" where the log does not reach back that far,
  // kInvalid "bad_rewind" beyond what was applied; throws StoreError.
  virtual Status Rewind(const SinkRewind& rewind) = 0;

  // Sets the metric of the lag from what it is now; called now and then by the wiring, so that it also grows while the
  // engine is away.
  virtual void ReportLag() const = 0;
  // How old the oldest entry of the log is that does not count yet; 0 where there is none.
  virtual double LagSeconds() const = 0;
};

// A pause that ends with its scope.
class WarehousePause {
 public:
  // As WarehouseFiller::Pause.
  static Result<WarehousePause> Take(WarehouseFiller* filler, std::chrono::milliseconds timeout) {
    const std::uint64_t broken = filler->BrokenPauses();  // before: one that breaks meanwhile may be this one
    Result<Position> position = filler->Pause(timeout);
    if (!position) return tl::unexpected<Error>(std::move(position.error()));
    return WarehousePause(filler, broken, *std::move(position));
  }
  WarehousePause(WarehousePause&& other) noexcept
      : filler_(std::exchange(other.filler_, nullptr)),
        broken_before_(other.broken_before_),
        position_(std::move(other.position_)) {}
  WarehousePause& operator=(WarehousePause&&) = delete;
  ~WarehousePause() {
    if (filler_ != nullptr) filler_->Resume();
  }

  const Position& position() const { return position_; }
  // Whether the tables surely held that position until now: asked before what was read is believed, and before anything
  // is deleted. kUnavailable "warehouse_busy" where they may have gone on.
  Status StillHeld() const {
    if (filler_->BrokenPauses() == broken_before_) return {};
    return Fail(Failure::kUnavailable, "warehouse_busy", "The warehouse did not stay at rest: try again.", 1000);
  }

 private:
  WarehousePause(WarehouseFiller* filler, std::uint64_t broken_before, Position position)
      : filler_(filler), broken_before_(broken_before), position_(std::move(position)) {}

  WarehouseFiller* filler_;
  std::uint64_t broken_before_;
  Position position_;
};

}  // namespace novafeed
