// The log of behaviour events: append-only, durable before it answers, each identity once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "graph/store.h"
#include "social/entities.h"

namespace novafeed {

struct LoggedEvent {
  std::int64_t sequence = 0;
  TimeMs received_at = 0;
  Event event;
  std::optional<Uuid> identity{};  // what it came with, where a pseudonym has changed the event since

  // What tells it from every other event, for good.
  Uuid Identity() const { return identity ? *identity : EventIdentity(event); }
  // When it arrived or what it is dated, whichever is later: what retention goes by.
  TimeMs LatestTime() const { return std::max(received_at, event.at); }
};

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
    std::int64_t end = 0;         // sequence of the last event that is durable with or before this batch
    std::vector<bool> duplicate;  // for each event given: its identity was known already
  };
  using Done = std::function<void(Result<Appended>)>;

  virtual ~EventLog() = default;

  // Queues the batch; `done` is called exactly once, on the log's writer thread, after the commit (group commit), or
  // with an error when nothing of the batch was kept: kStorageFull, or kUnavailable when the queue is full (then on the
  // caller's thread, before this returns). Closing the log answers what is still queued, in one of these ways.
  virtual void Append(std::vector<Event> events, Done done) = 0;

  // Up to `limit` events with sequence > after, in order. Blocking; throws StoreError. Where events behind `after` were
  // forgotten: StoreError kConflict "log_forgotten"; the reader starts again from ReadForgotten.
  virtual std::vector<LoggedEvent> Read(std::int64_t after, std::size_t limit) = 0;
  virtual std::int64_t End() = 0;

  using TakeTotals = std::function<void(const std::vector<ForgottenTotals>&)>;
  using TakeInteractions = std::function<void(const std::vector<InteractionCount>&)>;

  // What retention has removed, read in one cut with the sequence that it reaches up to. Totals + Read(after = returned
  // sequence) is everything ever accepted, and the interactions + that Read are all interactions of the days from
  // OldestForgottenDay on. (A Forget in between makes that Read throw "log_forgotten": read them again.)
  virtual std::int64_t ReadForgotten(const TakeTotals& take_totals, const TakeInteractions& take_interactions) = 0;

  // How far retention has come; zeros where it has removed nothing.
  struct Forgotten {
    std::int64_t through = 0;  // the last sequence that is gone
    TimeMs latest = 0;         // no event that is gone is dated later
  };
  virtual Forgotten HowFarForgotten() = 0;

  // Forgets the oldest events, as long as they were received before `before` and are dated before it as well: an
  // imported event may be dated ahead, and counts by hour and day need it until then. Blocking, in small transactions,
  // folding their counts into the totals and the interactions of OldestForgottenDay(before) and later. Returns how
  // many. Never forgets beyond `applied` (what every consumer has taken).
  virtual std::int64_t Forget(TimeMs before, std::int64_t applied) = 0;

  // For the purge (erasure/eraser.h): puts the pseudonyms into all events and totals, and into those that still come.
  // An event stays the same event: sent again as it was, it is known. Blocking, in small transactions; may be repeated.
  virtual void Hide(std::span<const Erasure> erased) = 0;
  // As GraphStore::Scrub.
  virtual std::int64_t Scrub() = 0;

  // `notify` is called, from any thread and soon, after each commit. One subscriber; called with nullptr to stop.
  virtual void OnCommit(std::function<void()> notify) = 0;
};

}  // namespace novafeed
