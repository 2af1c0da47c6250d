// An event log in memory: the simplest thing that passes the contract suite. For tests; not for product code.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "base/time.h"
#include "capture/pseudonyms.h"
#include "capture/retention.h"
#include "stream/event_log.h"

namespace novafeed {

// What a MemoryEventLog holds; may be shared by one after the other, as a directory is.
struct MemoryEventLogState {
  std::vector<LoggedEvent> events;
  std::set<Uuid> identities;
  std::map<PostId, ForgottenTotals> forgotten;
  std::map<std::tuple<std::int64_t, UserId, UserId>, std::int64_t> forgotten_interactions;  // by day, user, author
  EventLog::Forgotten how_far;
  std::int64_t end = 0;
};

// Appends and answers on the calling thread.
class MemoryEventLog final : public EventLog {
 public:
  // The clock outlives it.
  explicit MemoryEventLog(const Clock* clock, std::shared_ptr<MemoryEventLogState> state = nullptr)
      : clock_(clock), state_(state ? std::move(state) : std::make_shared<MemoryEventLogState>()) {}

  // From now on every Append is refused with this; nullopt: no more.
  void Refuse(std::optional<Error> error) {
    const std::lock_guard lock(mutex_);
    refusal_ = std::move(error);
  }

  void Append(std::vector<Event> events, Done done) override {
    Result<Appended> result = Appended{};
    std::function<void()> notify;
    {
      const std::lock_guard lock(mutex_);
      if (refusal_) {
        result = tl::unexpected(*refusal_);
      } else {
        result = Keep(events);
        notify = notify_;
      }
    }
    done(std::move(result));
    if (notify) notify();
  }

  std::vector<LoggedEvent> Read(std::int64_t after, std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    RequireKept(after, state_->how_far.through);
    std::vector<LoggedEvent> found;
    for (const LoggedEvent& logged : state_->events) {
      if (logged.sequence > after && found.size() < limit) found.push_back(logged);
    }
    return found;
  }

  std::int64_t End() override {
    const std::lock_guard lock(mutex_);
    return state_->end;
  }

  std::int64_t ReadForgotten(const TakeTotals& take_totals, const TakeInteractions& take_interactions) override {
    std::vector<ForgottenTotals> totals;
    std::vector<InteractionCount> interactions;
    std::int64_t up_to = 0;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [post, sums] : state_->forgotten) totals.push_back(sums);
      for (const auto& [key, count] : state_->forgotten_interactions) {
        interactions.push_back({std::get<1>(key), std::get<2>(key), std::get<0>(key), count});
      }
      up_to = state_->how_far.through;
    }
    if (!totals.empty()) take_totals(totals);
    if (!interactions.empty()) take_interactions(interactions);
    return up_to;
  }

  Forgotten HowFarForgotten() override {
    const std::lock_guard lock(mutex_);
    return state_->how_far;
  }

  std::int64_t Forget(TimeMs before, std::int64_t applied) override {
    const std::lock_guard lock(mutex_);
    auto& events = state_->events;
    std::size_t count = 0;
    while (count < events.size() && events[count].LatestTime() < before && events[count].sequence <= applied) {
      Fold(events[count]);
      ++count;
    }
    events.erase(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(count));
    std::erase_if(state_->forgotten_interactions,
                  [&](const auto& entry) { return std::get<0>(entry.first) < OldestForgottenDay(before); });
    return static_cast<std::int64_t>(count);
  }

  void Hide(std::span<const Erasure> erased) override {
    const std::lock_guard lock(mutex_);
    pseudonyms_.Add(erased);
    for (LoggedEvent& logged : state_->events) HideIn(&logged);
    for (auto& [post, totals] : state_->forgotten) pseudonyms_.Hide(&totals.post_author);
    for (const auto& [key, count] : std::exchange(state_->forgotten_interactions, {})) {
      auto [day, user, author] = key;
      pseudonyms_.Hide(&user);
      pseudonyms_.Hide(&author);
      state_->forgotten_interactions[{day, user, author}] += count;
    }
  }
  std::int64_t Scrub() override { return 0; }

  void OnCommit(std::function<void()> notify) override {
    const std::lock_guard lock(mutex_);
    notify_ = std::move(notify);
  }

 private:
  Appended Keep(const std::vector<Event>& events) {
    Appended appended;
    for (const Event& event : events) {
      const bool is_new = state_->identities.insert(EventIdentity(event)).second;
      appended.duplicate.push_back(!is_new);
      if (!is_new) continue;
      state_->events.push_back({++state_->end, clock_->Now(), event});
      HideIn(&state_->events.back());
    }
    appended.end = state_->end;
    return appended;
  }

  void HideIn(LoggedEvent* logged) {
    const Uuid identity = logged->Identity();
    if (pseudonyms_.Hide(&logged->event)) logged->identity = identity;
  }

  void Fold(const LoggedEvent& logged) {
    const Event& event = logged.event;
    state_->identities.erase(logged.Identity());
    state_->how_far = {logged.sequence, std::max(state_->how_far.latest, event.at)};
    if (IsInteraction(event)) {
      ++state_->forgotten_interactions[{DayOf(event.at), event.user, event.post_author}];
    }
    if (event.type == EventType::kLike || event.type == EventType::kUnlike) return;
    ForgottenTotals& totals = state_->forgotten[event.post];
    totals.post = event.post;
    totals.post_author = event.post_author;
    totals.post_created_at = event.post_created_at;
    totals.shares += event.type == EventType::kShare ? 1 : 0;
    totals.impressions += event.type == EventType::kImpression ? 1 : 0;
    totals.views += event.type == EventType::kView ? 1 : 0;
  }

  const Clock* clock_;
  std::mutex mutex_;
  std::shared_ptr<MemoryEventLogState> state_;  // guarded by mutex_
  std::function<void()> notify_;                // guarded by mutex_
  std::optional<Error> refusal_;                // guarded by mutex_
  Pseudonyms pseudonyms_;                       // guarded by mutex_
};

}  // namespace novafeed
