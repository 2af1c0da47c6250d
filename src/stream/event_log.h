// The log of behaviour events: append-only, durable before it answers, each identity once; in one partition or several.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "graph/store.h"
#include "social/entities.h"
#include "stream/event_points.h"

namespace novafeed {

struct LoggedEvent {
  std::size_t partition = 0;  // that of its post, always
  std::int64_t sequence = 0;  // in the partition
  TimeMs received_at = 0;
  Event event;
  std::optional<Uuid> identity{};  // what it came with, where a pseudonym has changed the event since

  // What tells it from every other event, for good.
  Uuid Identity() const { return identity ? *identity : EventIdentity(event); }
  // When it arrived or what it is dated, whichever is later: what retention goes by.
  TimeMs LatestTime() const { return std::max(received_at, event.at); }
  // Whether it lies at or before the point of its partition.
  bool IsWithin(const EventPoints& points) const { return sequence <= points[partition]; }
};

// Takes the point of its partition to an event that follows there.
inline void Advance(EventPoints* points, const LoggedEvent& next) {
  (*points)[next.partition] = next.sequence;
}

// Sums of the events of a post that the log has already forgotten (retention).
struct ForgottenTotals {
  PostId post;
  UserId post_author;
  TimeMs post_created_at = 0;
  std::int64_t shares = 0;
  std::int64_t impressions = 0;
  std::int64_t views = 0;
};

// Interactions that one user gave to one author's posts on one UTC day.
struct InteractionCount {
  UserId user;
  UserId author;
  std::int64_t day = 0;  // DayOf
  std::int64_t count = 0;
};

// How many days before the day from which a log still holds everything it keeps the interactions that it forgets: an
// index whose hours the log can still build then also has the 90 days of interactions (and a day for a late as_of).
inline constexpr std::int64_t kForgottenInteractionDays = 91;

// The first day whose interactions a log keeps when it forgets events that came before `before`.
constexpr std::int64_t OldestForgottenDay(TimeMs before) {
  return DayOf(before) - kForgottenInteractionDays;
}

// A share counts as an interaction on its day, unless it is of one's own post. (Likes and comments are state.)
inline bool IsInteraction(const Event& event) {
  return event.type == EventType::kShare && event.user != event.post_author;
}

// Port. Thread-safe. stream/event_log_contract.h holds the tests that every adapter passes.
class EventLog {
 public:
  struct Appended {
    EventPoints end;              // every event given, new or known, is durable within these points
    std::vector<bool> duplicate;  // for each event given: its identity was known already
  };
  using Done = std::function<void(Result<Appended>)>;

  virtual ~EventLog() = default;

  // Queues the batch; `done` is called exactly once, on a thread of the log, after the commit (group commit), or with
  // an error when nothing of the batch was kept: kStorageFull, or kUnavailable when the queue is full (then on the
  // caller's thread, before this returns). Where other processes share the log, an error means that not all of it may
  // be kept (sent again, it counts once), and `duplicate` knows what this process has read. Closing the log answers
  // what is still queued, in one of these ways.
  virtual void Append(std::vector<Event> events, Done done) = 0;

  // Up to `limit` events of any partitions behind `after`: of each partition the next ones, in order; fewer only where
  // no partition holds more. Blocking; throws StoreError. Where events behind `after` were forgotten: StoreError
  // kConflict "log_forgotten"; the reader starts again from ReadForgotten.
  virtual std::vector<LoggedEvent> Read(const EventPoints& after, std::size_t limit) = 0;
  // Of everything that is written. Blocking; throws StoreError.
  virtual EventPoints End() = 0;

  // The last points, `after` or behind it, so that no event lies between: who has taken in everything within `after`
  // has taken in everything within these, and goes on from there. A log whose partitions hold more than events (what
  // came twice, what cannot be read) moves on by it; it is asked after a Read, and knows no less than that Read.
  virtual EventPoints QuietThrough(const EventPoints& after) { return after; }

  using TakeTotals = std::function<void(const std::vector<ForgottenTotals>&)>;
  using TakeInteractions = std::function<void(const std::vector<InteractionCount>&)>;

  // What retention has removed, read in one cut with the points that it reaches up to. Totals + Read(after = returned
  // points) is everything ever accepted, and the interactions + that Read are all interactions of the days from
  // OldestForgottenDay on. (A Forget in between makes that Read throw "log_forgotten": read them again.) A log that
  // many processes share keeps no totals: StoreError kInternal "no_totals_in_log" where something is forgotten.
  virtual EventPoints ReadForgotten(const TakeTotals& take_totals, const TakeInteractions& take_interactions) = 0;

  // How far retention has come; zeros where it has removed nothing.
  struct Forgotten {
    EventPoints through;  // everything within is gone
    TimeMs latest = 0;    // no event that is gone is dated later
  };
  virtual Forgotten HowFarForgotten() = 0;

  // Forgets the oldest events of each partition, as long as they were received before `before` and are dated before it
  // as well: an imported event may be dated ahead, and counts by hour and day need it until then. Blocking, in small
  // transactions, folding their counts into the totals and the interactions of OldestForgottenDay(before) and later.
  // Returns how many. Never forgets beyond `applied` (what every consumer has taken).
  virtual std::int64_t Forget(TimeMs before, const EventPoints& applied) = 0;

  // For the purge (erasure/eraser.h): puts the pseudonyms into all events and totals, and into those that still come.
  // An event stays the same event: sent again as it was, it is known. Blocking, in small transactions; may be repeated.
  virtual void Hide(std::span<const Erasure> erased) = 0;
  // As GraphStore::Scrub.
  virtual std::int64_t Scrub() = 0;

  // `notify` is called, from any thread and soon, after each commit. One subscriber; called with nullptr to stop.
  virtual void OnCommit(std::function<void()> notify) = 0;
};

}  // namespace novafeed
