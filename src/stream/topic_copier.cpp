#include "stream/topic_copier.h"

#include <algorithm>
#include <string>

namespace novafeed {
namespace {

constexpr double kBehindSeconds = 10;

}  // namespace

TopicCopier::TopicCopier(const Clock* clock, EventTopic* topic, EventJournal* journal, Metrics* metrics,
                         TopicCopierOptions options)
    : clock_(clock),
      topic_(topic),
      journal_(journal),
      options_(options),
      added_(metrics->AddCounter("novafeed_journal_events_total", "Events copied from the topic into the journal.")),
      repeats_(metrics->AddCounter("novafeed_journal_repeats_total",
                                   "Events of the topic that the journal knew already, and dropped.")),
      losses_(metrics->AddCounter("novafeed_journal_losses_total",
                                  "Times the topic had lost events that the journal had not copied yet.")),
      lag_events_(metrics->AddGauge("novafeed_journal_lag_events",
                                    "Messages of the topic that the journal has not copied yet.")),
      lag_seconds_(metrics->AddGauge("novafeed_journal_lag_seconds",
                                     "Time since the journal last held everything that the topic held.")),
      behind_since_(clock->Now()) {}

void TopicCopier::Step() try {
  if (!copied_) Begin();
  LookIfDue();
  EventTopic::Batch batch = ReadTopic();
  Hide(&batch.events);
  if (batch.through != *copied_) Add(batch);
  NoteComplete();
} catch (...) {
  copied_.reset();  // the journal knows what it holds
  throw;
}

void TopicCopier::Begin() {
  copied_ = journal_->Copied();
  if (copied_) return;
  const EventPoints forgotten = Jump(topic_->Begin(), true);
  Log(LogLevel::kInfo, "journal_begun", {{"copied", Describe(*copied_)}, {"forgotten", Describe(forgotten)}});
}

// The end is asked for again and again so that the lag is known; but the first look that was not reached stays: under
// load the newest one never is.
void TopicCopier::LookIfDue() {
  const SteadyClock::time_point now = SteadyClock::now();
  if (now < next_look_) return;
  const Moment taken = {clock_->Now(), now};
  const Look look = {topic_->End(), taken};
  next_look_ = now + options_.look_every;
  if (!look_) look_ = look;
  ReportLag(look);
}

EventTopic::Batch TopicCopier::ReadTopic() {
  try {
    return topic_->Read(*copied_, options_.batch, options_.patience);
  } catch (const StoreError& error) {
    if (error.error().code != "log_forgotten") throw;
  }
  SkipLost();
  return {{}, *copied_};
}

void TopicCopier::SkipLost() {
  const EventPoints end = topic_->End();
  if (!Reached(*copied_, end)) {
    throw StoreError(Error{Failure::kConflict, "journal_ahead",
                           "The journal of events has copied up to " + Describe(*copied_) + ", but the topic ends at " +
                               Describe(end) +
                               ": it was made anew, or restored. Stop this node and delete its journal.",
                           0});
  }
  const EventPoints begin = topic_->Begin();
  if (Reached(begin, *copied_)) {
    throw StoreError(Error{Failure::kUnavailable, "log_unavailable",
                           "The topic of events does not give what it holds behind " + Describe(*copied_) + ".", 1000});
  }
  const EventPoints before = *copied_;
  const EventPoints forgotten = Jump(begin, false);
  losses_.Add();
  Log(LogLevel::kError, "journal_lost_events",
      {{"copied", Describe(before)}, {"topic_begins", Describe(begin)}, {"forgotten", Describe(forgotten)}});
}

// To where a journal begins: in all partitions of a new one; in others, where what comes next is lost.
//
// It holds identities from `reach` ago on. What came shortly after that may come again and be new to it, so readers
// begin where everything that can still come again is known: later by the time in which it comes again.
EventPoints TopicCopier::Jump(const EventPoints& begin, bool is_new) {
  const TimeMs now = clock_->Now();
  const TimeMs since = now - options_.reach;
  const EventPoints first = Union(begin, topic_->PointsAt(since));
  const EventPoints known = Union(first, topic_->PointsAt(since + kEventRepeats));
  EventPoints copied = copied_.value_or(EventPoints());
  EventPoints forgotten;
  for (std::size_t partition = 0; partition < kMaxEventPartitions; ++partition) {
    if (!is_new && begin[partition] <= copied[partition]) continue;
    copied[partition] = first[partition];
    // A partition that is there from its first event on has nothing before it that could come again.
    if (first[partition] > 0) forgotten[partition] = known[partition];
  }
  journal_->Skip(copied, forgotten, forgotten == EventPoints() ? 0 : now);
  copied_ = copied;
  return forgotten;
}

// What is hidden stays the same event.
void TopicCopier::Hide(std::vector<LoggedEvent>* events) const {
  if (options_.purged == nullptr) return;
  for (LoggedEvent& logged : *events) {
    const Event named = logged.event;
    if (options_.purged->Hide(&logged.event) && !logged.identity) logged.identity = EventIdentity(named);
  }
}

void TopicCopier::Add(const EventTopic::Batch& batch) {
  const auto repeats = static_cast<std::int64_t>(journal_->Add(batch.events, batch.through));
  copied_ = batch.through;
  added_.Add(static_cast<double>(std::ssize(batch.events) - repeats));
  repeats_.Add(static_cast<double>(repeats));
  repeats_to_report_ += repeats;
  if (repeats_to_report_ == 0 || !repeats_log_.Open()) return;
  Log(LogLevel::kInfo, "journal_repeats", {{"dropped", repeats_to_report_}});
  repeats_to_report_ = 0;
}

void TopicCopier::NoteComplete() {
  if (!look_ || !Reached(look_->end, *copied_)) return;
  complete_ = look_->taken;
  behind_since_ = complete_.at;
  look_.reset();
}

void TopicCopier::ReportLag(const Look& look) {
  const std::int64_t events = std::max<std::int64_t>(0, look.end.Total() - copied_->Total());
  const double seconds = events == 0 ? 0 : static_cast<double>(look.taken.at - behind_since_) / kMsPerSecond;
  lag_events_.Set(static_cast<double>(events));
  lag_seconds_.Set(seconds);
  if (seconds > kBehindSeconds) {
    is_behind_ = true;
    if (behind_log_.Open()) Log(LogLevel::kWarn, "journal_behind", {{"events", events}, {"seconds", seconds}});
  } else if (is_behind_ && seconds < kBehindSeconds / 10) {
    is_behind_ = false;
    Log(LogLevel::kInfo, "journal_caught_up");
  }
}

}  // namespace novafeed
