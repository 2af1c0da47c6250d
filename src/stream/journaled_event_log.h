// The event log of the cluster: what is appended goes to a topic that all processes share, and what is read comes from
// a journal of this process's own, into which a thread copies the topic.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "capture/pseudonyms.h"
#include "capture/purged_names.h"
#include "stream/event_journal.h"
#include "stream/event_log.h"
#include "stream/event_topic.h"
#include "stream/topic_copier.h"

namespace novafeed {

struct JournaledEventLogOptions {
  TopicCopierOptions copier;
  std::chrono::milliseconds first_pause{100};  // after a failure; doubles up to max_pause
  std::chrono::milliseconds max_pause{5000};
  // A journal that has not held everything of the topic for so long is behind. Who reads what is not there then is told
  // so after `read_patience`, and not that there is nothing.
  std::chrono::milliseconds current_within{5000};
  std::chrono::milliseconds read_patience{5000};
  std::vector<PurgedUser> purged;  // whom the topic may still name
};

// As EventLog, and:
// - What an Append was answered is durable in the topic, and read a little later. `duplicate` says what the journal
// held
//   by then; an event that it holds is not sent again.
// - Read and HowFarForgotten throw kUnavailable "log_unavailable" while the journal is behind and holds nothing more,
// and
//   kConflict "journal_ahead" where the topic ends before it.
// - End asks the topic.
// - Where the topic has lost what the journal had not copied, it counts as forgotten.
// - Forget keeps everything that can still come again.
class JournaledEventLog final : public EventLog {
 public:
  // Starts copying. `clock` and `metrics` outlive it.
  JournaledEventLog(const Clock* clock, std::unique_ptr<EventTopic> topic, std::unique_ptr<EventJournal> journal,
                    Metrics* metrics, JournaledEventLogOptions options = {});
  ~JournaledEventLog() override;
  JournaledEventLog(const JournaledEventLog&) = delete;
  JournaledEventLog& operator=(const JournaledEventLog&) = delete;

  void Append(std::vector<Event> events, Done done) override;
  std::vector<LoggedEvent> Read(const EventPoints& after, std::size_t limit) override;
  EventPoints QuietThrough(const EventPoints& after) override;
  EventPoints End() override;
  EventPoints ReadForgotten(const TakeTotals& take_totals, const TakeInteractions& take_interactions) override;
  Forgotten HowFarForgotten() override;
  std::int64_t Forget(TimeMs before, const EventPoints& applied) override;
  void Hide(std::span<const Erasure> erased) override;
  std::int64_t Scrub() override;
  void OnCommit(std::function<void()> notify) override;

  // From now on nothing that is read or appended names them. Blocking; reads the whole journal, whose files do not name
  // them any more when it returns. May be repeated; throws StoreError.
  void HidePurged(std::span<const PurgedUser> purged);

  // When the journal last held everything that the topic held at that moment: what it gives is at least this fresh. 0
  // before the first time. Thread-safe.
  TimeMs CompleteAsOf();

 private:
  using SteadyClock = std::chrono::steady_clock;

  // How the copying goes.
  struct Copying {
    bool has_begun = false;
    TopicCopier::Moment complete;
    std::uint64_t steps = 0;
    bool is_stepping = false;
    std::optional<Error> failure;  // of the last step
  };
  struct Appending;

  TopicCopierOptions CopierOptions() const;
  void Run();
  bool Step();
  void NoteStepBegun();
  void Publish(std::optional<Error> failure);
  bool Pause(std::chrono::milliseconds length);
  Copying copying();
  bool IsCurrent(const Copying& copying) const;
  void AwaitStep(const Copying& seen, SteadyClock::time_point deadline);
  void AwaitRunningStep();
  void Send(std::shared_ptr<Appending> appending, const EventJournal::Held& held);

  const Clock* clock_;
  PurgedNames purged_;
  const JournaledEventLogOptions options_;
  Counter failures_;
  LogGate failure_log_{10'000};
  std::mutex hide_mutex_;
  Pseudonyms pseudonyms_;  // guarded by hide_mutex_; of the users erased while this process runs

  std::unique_ptr<EventTopic> topic_;
  std::unique_ptr<EventJournal> journal_;
  TopicCopier copier_;  // its thread's

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  Copying copying_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace novafeed
