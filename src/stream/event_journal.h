// What one process has taken from the topic of events: on its own disk, each identity once.
//
// The topic has the truth. A journal that is lost is begun anew, and what a crash takes back of it is copied again.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/time.h"
#include "graph/store.h"
#include "social/ids.h"
#include "stream/event_log.h"
#include "stream/event_points.h"

namespace novafeed {

// An event's identity, and when it happened: identities are kept by time.
struct EventKey {
  TimeMs at = 0;
  Uuid identity;

  friend auto operator<=>(const EventKey&, const EventKey&) = default;
};

// Port. stream/event_journal_contract.h holds the tests that every adapter passes. Thread-safe; one writer (Skip, Add)
// at a time. Blocking, but for Find; throws StoreError. Functions that EventLog has, too, do what they do there.
class EventJournal {
 public:
  virtual ~EventJournal() = default;

  // Up to where the topic was copied; empty in a journal that was never begun.
  virtual std::optional<EventPoints> Copied() = 0;

  // Begins, or goes on, at `copied`: what lies between will not come. What lies within `forgotten` counts as forgotten,
  // with no event in it dated after `latest`. Points that lie before those there are change nothing.
  virtual void Skip(const EventPoints& copied, const EventPoints& forgotten, TimeMs latest) = 0;

  // Adds those of the events whose identity it does not hold, in their order and with their places, and notes that the
  // topic was copied up to `through`; all of it in one commit, or nothing. Returns how many it knew.
  virtual std::size_t Add(const std::vector<LoggedEvent>& events, const EventPoints& through) = 0;

  // Which it holds, and points that these lie within; `found` is called exactly once, on a thread of the journal, or on
  // the caller's before this returns. Where it cannot be found out, it holds none.
  struct Held {
    std::vector<bool> is_held;  // for each key
    EventPoints within;
  };
  virtual void Find(std::vector<EventKey> keys, std::function<void(Held)> found) = 0;

  virtual std::vector<LoggedEvent> Read(const EventPoints& after, std::size_t limit) = 0;
  virtual EventPoints QuietThrough(const EventPoints& after) = 0;
  virtual EventLog::Forgotten HowFarForgotten() = 0;
  // Also forgets identities, and keeps no totals.
  virtual std::int64_t Forget(TimeMs before, const EventPoints& applied) = 0;
  virtual void Hide(std::span<const Erasure> erased) = 0;
  // Everybody whom its events name, each once, in no order. Reads all of it.
  virtual std::vector<UserId> Users() = 0;
  virtual std::int64_t Scrub() = 0;
  virtual void OnCommit(std::function<void()> notify) = 0;
};

}  // namespace novafeed
