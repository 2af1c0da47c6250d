// Copies the topic of events into a journal, step by step: where it begins, what it does where the topic has lost what
// comes next, and how far behind it is.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "capture/purged_names.h"
#include "stream/event_journal.h"
#include "stream/event_points.h"
#include "stream/event_topic.h"

namespace novafeed {

// How long after its arrival an event may come again: it is accepted from five minutes before to 24 hours after its
// time, and clocks and deliveries differ by what is added. (Likes that wait in an outbox and imports may come later;
// likes count nowhere in the log, and for imports see docs/decisions/0024.)
inline constexpr TimeMs kEventRepeats = kMsPerDay + kMsPerHour / 2;

// How far back a new journal begins, and how long it keeps an event at least: who comes again is known.
inline constexpr TimeMs kJournalReach = kMsPerDay + kMsPerHour;

struct TopicCopierOptions {
  const PurgedNames* purged = nullptr;  // whom the topic may name and the journal must not; null: nobody
  TimeMs reach = kJournalReach;
  std::size_t batch = 10'000;                  // events of one commit
  std::chrono::milliseconds patience{100};     // of one step, where nothing new comes
  std::chrono::milliseconds look_every{1000};  // how often the topic's end is asked for
};

// For one thread. All that it is given outlives it.
class TopicCopier {
 public:
  using SteadyClock = std::chrono::steady_clock;

  TopicCopier(const Clock* clock, EventTopic* topic, EventJournal* journal, Metrics* metrics,
              TopicCopierOptions options = {});

  // Begins the journal, or copies what comes next, waiting a little for it. Throws StoreError, as topic and journal do;
  // kConflict "journal_ahead" where the topic ends before the journal. May be called again after any error.
  void Step();

  // When the journal last held everything that the topic held at that moment; zeros before the first time.
  struct Moment {
    TimeMs at = 0;
    SteadyClock::time_point steady{};
  };
  Moment complete() const { return complete_; }

 private:
  // Where the topic ended at some moment.
  struct Look {
    EventPoints end;
    Moment taken;
  };

  void Begin();
  void LookIfDue();
  EventTopic::Batch ReadTopic();
  void SkipLost();
  EventPoints Jump(const EventPoints& begin, bool is_new);
  void Hide(std::vector<LoggedEvent>* events) const;
  void Add(const EventTopic::Batch& batch);
  void NoteComplete();
  void ReportLag(const Look& look);

  const Clock* clock_;
  EventTopic* topic_;
  EventJournal* journal_;
  const TopicCopierOptions options_;
  Counter added_;
  Counter repeats_;
  Counter losses_;
  Gauge lag_events_;
  Gauge lag_seconds_;

  std::optional<EventPoints> copied_;  // as in the journal; empty: to be read there
  std::optional<Look> look_;           // not reached yet
  SteadyClock::time_point next_look_{};
  Moment complete_;
  TimeMs behind_since_;
  bool is_behind_ = false;
  LogGate behind_log_{10'000};
  std::int64_t repeats_to_report_ = 0;
  LogGate repeats_log_{60'000};
};

}  // namespace novafeed
