// For tests: an event log that hands everything on to another one, to be derived from by one that differs in something.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "stream/event_log.h"

namespace novafeed {

class ForwardingEventLog : public EventLog {
 public:
  // `log` outlives it.
  explicit ForwardingEventLog(EventLog* log) : log_(log) {}

  void Append(std::vector<Event> events, Done done) override { log_->Append(std::move(events), std::move(done)); }
  std::vector<LoggedEvent> Read(const EventPoints& after, std::size_t limit) override {
    return log_->Read(after, limit);
  }
  EventPoints QuietThrough(const EventPoints& after) override { return log_->QuietThrough(after); }
  EventPoints End() override { return log_->End(); }
  EventPoints ReadForgotten(const TakeTotals& take_totals, const TakeInteractions& take_interactions) override {
    return log_->ReadForgotten(take_totals, take_interactions);
  }
  Forgotten HowFarForgotten() override { return log_->HowFarForgotten(); }
  std::int64_t Forget(TimeMs before, const EventPoints& applied) override { return log_->Forget(before, applied); }
  void Hide(std::span<const Erasure> erased) override { log_->Hide(erased); }
  std::int64_t Scrub() override { return log_->Scrub(); }
  void OnCommit(std::function<void()> notify) override { log_->OnCommit(std::move(notify)); }

 private:
  EventLog* log_;
};

}  // namespace novafeed
