// An event log in memory, of any number of partitions: the simplest thing that passes the contract suite. For tests;
// not for product code.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
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
  explicit MemoryEventLogState(std::size_t partition_count = 1) : partitions(partition_count) {}

  std::vector<std::deque<LoggedEvent>> partitions;
  std::set<Uuid> identities;
  std::map<PostId, ForgottenTotals> forgotten;
  std::map<std::tuple<std::int64_t, UserId, UserId>, std::int64_t> forgotten_interactions;  // by day, user, author
  EventLog::Forgotten how_far;
  EventPoints end;
};

// Appends and answers on the calling thread. Each Read begins with another partition: readers see many an order.
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

  std::vector<LoggedEvent> Read(const EventPoints& after, std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    const std::size_t count = state_->partitions.size();
    for (std::size_t i = 0; i < count; ++i) RequireKept(after[i], state_->how_far.through[i]);
    const std::size_t first = reads_++ % count;
    std::vector<LoggedEvent> found;
    for (std::size_t i = 0; i < count; ++i) {
      for (const LoggedEvent& logged : state_->partitions[(first + i) % count]) {
        if (!logged.IsWithin(after) && found.size() < limit) found.push_back(logged);
      }
    }
    return found;
  }

  EventPoints End() override {
    const std::lock_guard lock(mutex_);
    return state_->end;
  }

  EventPoints ReadForgotten(const TakeTotals& take_totals, const TakeInteractions& take_interactions) override {
    std::vector<ForgottenTotals> totals;
    std::vector<InteractionCount> interactions;
    EventPoints up_to;
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

  std::int64_t Forget(TimeMs before, const EventPoints& applied) override {
    const std::lock_guard lock(mutex_);
    std::int64_t count = 0;
    for (std::deque<LoggedEvent>& events : state_->partitions) {
      while (!events.empty() && events.front().LatestTime() < before && events.front().IsWithin(applied)) {
        Fold(events.front());
        events.pop_front();
        ++count;
      }
    }
    std::erase_if(state_->forgotten_interactions,
                  [&](const auto& entry) { return std::get<0>(entry.first) < OldestForgottenDay(before); });
    return count;
  }

  void Hide(std::span<const Erasure> erased) override {
    const std::lock_guard lock(mutex_);
    pseudonyms_.Add(erased);
    for (std::deque<LoggedEvent>& events : state_->partitions) {
      for (LoggedEvent& logged : events) HideIn(&logged);
    }
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
      const std::size_t partition = std::hash<std::string>{}(event.post.ToString()) % state_->partitions.size();
      state_->partitions[partition].push_back({partition, ++state_->end[partition], clock_->Now(), event});
      HideIn(&state_->partitions[partition].back());
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
    Advance(&state_->how_far.through, logged);
    state_->how_far.latest = std::max(state_->how_far.latest, event.at);
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
  std::size_t reads_ = 0;                       // guarded by mutex_
  std::function<void()> notify_;                // guarded by mutex_
  std::optional<Error> refusal_;                // guarded by mutex_
  Pseudonyms pseudonyms_;                       // guarded by mutex_
};

}  // namespace novafeed
