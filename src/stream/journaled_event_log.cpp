#include "stream/journaled_event_log.h"

#include <algorithm>
#include <exception>
#include <set>
#include <string>
#include <utility>

#include "base/log.h"

namespace novafeed {

JournaledEventLog::JournaledEventLog(const Clock* clock, std::unique_ptr<EventTopic> topic,
                                     std::unique_ptr<EventJournal> journal, Metrics* metrics,
                                     JournaledEventLogOptions options)
    : clock_(clock),
      purged_(options.purged),
      options_(std::move(options)),
      failures_(metrics->AddCounter("novafeed_journal_failures_total",
                                    "Times the topic could not be copied into the journal and it was tried again.")),
      topic_(std::move(topic)),
      journal_(std::move(journal)),
      copier_(clock, topic_.get(), journal_.get(), metrics, CopierOptions()),
      thread_([this] { Run(); }) {}

JournaledEventLog::~JournaledEventLog() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
  journal_.reset();  // what was looked up there goes to the topic, which then answers everything
  topic_.reset();
}

TopicCopierOptions JournaledEventLog::CopierOptions() const {
  TopicCopierOptions options = options_.copier;
  options.purged = &purged_;
  return options;
}

// ------------------------------------------------------------------------------------------------------------ copying

void JournaledEventLog::Run() {
  std::chrono::milliseconds pause = options_.first_pause;
  while (true) {
    const bool stepped = Step();
    if (!Pause(stepped ? std::chrono::milliseconds(0) : pause)) return;
    pause = stepped ? options_.first_pause : std::min(pause * 2, options_.max_pause);
  }
}

bool JournaledEventLog::Step() {
  NoteStepBegun();
  std::optional<Error> failure;
  try {
    copier_.Step();
  } catch (const StoreError& error) {
    failure = error.error();
  } catch (const std::exception& error) {
    // A bug somewhere below must not end the process, nor the copying of what comes later.
    failure = Error{Failure::kInternal, "journal_failed", std::string("Events were not copied: ") + error.what(), 0};
  }
  if (failure) {
    failures_.Add();
    if (failure_log_.Open()) {
      Log(failure->failure == Failure::kUnavailable ? LogLevel::kWarn : LogLevel::kError, "journal_not_filled",
          {{"code", failure->code}, {"detail", failure->detail}});
    }
  }
  const bool stepped = !failure;
  Publish(std::move(failure));
  return stepped;
}

void JournaledEventLog::NoteStepBegun() {
  const std::scoped_lock lock(mutex_);
  copying_.is_stepping = true;
}

void JournaledEventLog::Publish(std::optional<Error> failure) {
  {
    const std::scoped_lock lock(mutex_);
    copying_.has_begun = copying_.has_begun || !failure;
    copying_.complete = copier_.complete();
    ++copying_.steps;
    copying_.is_stepping = false;
    copying_.failure = std::move(failure);
  }
  changed_.notify_all();
}

// False where the log is closed.
bool JournaledEventLog::Pause(std::chrono::milliseconds length) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, length, [this] { return stop_; });
}

JournaledEventLog::Copying JournaledEventLog::copying() {
  const std::scoped_lock lock(mutex_);
  return copying_;
}

bool JournaledEventLog::IsCurrent(const Copying& copying) const {
  const bool is_complete = copying.complete.steady != SteadyClock::time_point{};
  return is_complete && !copying.failure && SteadyClock::now() - copying.complete.steady <= options_.current_within;
}

// Waits for the step after the one that was seen. Throws where that one failed, or none comes in time.
void JournaledEventLog::AwaitStep(const Copying& seen, SteadyClock::time_point deadline) {
  if (seen.failure) throw StoreError(*seen.failure);
  std::unique_lock lock(mutex_);
  const bool stepped = changed_.wait_until(lock, deadline, [&] { return copying_.steps > seen.steps; });
  if (stepped && SteadyClock::now() < deadline) return;
  throw StoreError(Error{Failure::kUnavailable, "log_unavailable",
                         "The journal of events is behind the topic: it is being copied.", 1000});
}

// Until the step that runs now, if one does, is over.
void JournaledEventLog::AwaitRunningStep() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this, seen = copying_.steps] { return !copying_.is_stepping || copying_.steps > seen; });
}

TimeMs JournaledEventLog::CompleteAsOf() {
  return copying().complete.at;
}

// ---------------------------------------------------------------------------------------------------------- appending

// One Append on its way: to the journal, which knows what came before, and to the topic.
struct JournaledEventLog::Appending {
  std::vector<LoggedEvent> events;
  Done done;
  Appended answer;
};

void JournaledEventLog::Append(std::vector<Event> events, Done done) {
  const auto appending = std::make_shared<Appending>();
  appending->done = std::move(done);
  std::vector<EventKey> keys;
  std::set<Uuid> seen;
  for (const Event& event : events) {
    keys.push_back({event.at, EventIdentity(event)});
    appending->answer.duplicate.push_back(!seen.insert(keys.back().identity).second);
  }
  const TimeMs now = clock_->Now();
  {
    const std::scoped_lock lock(hide_mutex_);
    for (std::size_t i = 0; i < events.size(); ++i) {
      const bool is_hidden = pseudonyms_.Hide(&events[i]) || purged_.Hide(&events[i]);
      appending->events.push_back({0, 0, now, events[i], is_hidden ? std::optional(keys[i].identity) : std::nullopt});
    }
  }
  journal_->Find(std::move(keys), [this, appending](const EventJournal::Held& held) { Send(appending, held); });
}

void JournaledEventLog::Send(std::shared_ptr<Appending> appending, const EventJournal::Held& held) {
  std::vector<bool>& duplicate = appending->answer.duplicate;
  std::vector<LoggedEvent> unknown;
  for (std::size_t i = 0; i < duplicate.size(); ++i) {
    if (held.is_held[i]) appending->answer.end = held.within;
    duplicate[i] = duplicate[i] || held.is_held[i];
    if (!duplicate[i]) unknown.push_back(appending->events[i]);
  }
  topic_->Append(std::move(unknown), [appending = std::move(appending)](Result<EventPoints> written) {
    if (!written) return appending->done(tl::unexpected<Error>(std::move(written.error())));
    appending->answer.end = Union(appending->answer.end, *written);
    appending->done(std::move(appending->answer));
  });
}

// ------------------------------------------------------------------------------------------------------------ reading

std::vector<LoggedEvent> JournaledEventLog::Read(const EventPoints& after, std::size_t limit) {
  const SteadyClock::time_point deadline = SteadyClock::now() + options_.read_patience;
  while (true) {
    const Copying before = copying();
    if (before.has_begun) {
      std::vector<LoggedEvent> events = journal_->Read(after, limit);
      if (!events.empty() || IsCurrent(before)) return events;
    }
    AwaitStep(before, deadline);
  }
}

EventLog::Forgotten JournaledEventLog::HowFarForgotten() {
  const SteadyClock::time_point deadline = SteadyClock::now() + options_.read_patience;
  for (Copying seen = copying(); !seen.has_begun; seen = copying()) AwaitStep(seen, deadline);
  return journal_->HowFarForgotten();
}

EventPoints JournaledEventLog::QuietThrough(const EventPoints& after) {
  return copying().has_begun ? journal_->QuietThrough(after) : after;
}

EventPoints JournaledEventLog::End() {
  return topic_->End();
}

EventPoints JournaledEventLog::ReadForgotten(const TakeTotals& /*take_totals*/,
                                             const TakeInteractions& /*take_interactions*/) {
  if (HowFarForgotten().through == EventPoints()) return {};
  throw StoreError(Error{Failure::kInternal, "no_totals_in_log",
                         "The topic of events keeps no totals of what it has forgotten: the warehouse has them.", 0});
}

std::int64_t JournaledEventLog::Forget(TimeMs before, const EventPoints& applied) {
  const TimeMs known = CompleteAsOf() - options_.copier.reach;
  return journal_->Forget(std::min(before, known), applied);
}

void JournaledEventLog::Hide(std::span<const Erasure> erased) {
  {
    const std::scoped_lock lock(hide_mutex_);
    pseudonyms_.Add(erased);
  }
  journal_->Hide(erased);
}

// First, so that what is copied from now on names nobody; and what is being copied is there before it is read.
void JournaledEventLog::HidePurged(std::span<const PurgedUser> purged) {
  purged_.Add(purged);
  AwaitRunningStep();
  if (const std::vector<Erasure> named = purged_.Among(journal_->Users()); !named.empty()) {
    journal_->Hide(named);
    static_cast<void>(journal_->Scrub());
  }
}

std::int64_t JournaledEventLog::Scrub() {
  return journal_->Scrub();
}

void JournaledEventLog::OnCommit(std::function<void()> notify) {
  journal_->OnCommit(std::move(notify));
}

}  // namespace novafeed
