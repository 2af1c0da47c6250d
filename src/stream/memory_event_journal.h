// A journal of events in memory: the simplest thing that passes the contract suite. For tests; not for product code.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "capture/pseudonyms.h"
#include "capture/retention.h"
#include "stream/event_journal.h"

namespace novafeed {

// What a MemoryEventJournal holds; may be shared by one after the other, as a directory is.
struct MemoryEventJournalState {
  std::map<std::size_t, std::map<std::int64_t, LoggedEvent>> partitions;  // by sequence
  std::set<EventKey> identities;
  std::optional<EventPoints> copied;
  EventLog::Forgotten how_far;
};

// Runs and answers everything on the calling thread. Each Read begins with another partition.
class MemoryEventJournal final : public EventJournal {
 public:
  explicit MemoryEventJournal(std::shared_ptr<MemoryEventJournalState> state = nullptr)
      : state_(state ? std::move(state) : std::make_shared<MemoryEventJournalState>()) {}

  // From now on nothing can be written; nullopt: it can.
  void Refuse(std::optional<Error> error) {
    const std::scoped_lock lock(mutex_);
    refusal_ = std::move(error);
  }

  std::optional<EventPoints> Copied() override {
    const std::scoped_lock lock(mutex_);
    return state_->copied;
  }

  void Skip(const EventPoints& copied, const EventPoints& forgotten, TimeMs latest) override {
    const std::scoped_lock lock(mutex_);
    ThrowIfRefused();
    state_->copied = Union(state_->copied.value_or(EventPoints()), copied);
    state_->how_far.through = Union(state_->how_far.through, forgotten);
    state_->how_far.latest = std::max(state_->how_far.latest, latest);
  }

  std::size_t Add(const std::vector<LoggedEvent>& events, const EventPoints& through) override {
    std::size_t known = 0;
    std::function<void()> notify;
    {
      const std::scoped_lock lock(mutex_);
      ThrowIfRefused();
      for (const LoggedEvent& logged : events) known += Keep(logged) ? 0 : 1;
      state_->copied = through;
      notify = notify_;
    }
    if (notify) notify();
    return known;
  }

  void Find(std::vector<EventKey> keys, std::function<void(Held)> found) override {
    Held held;
    {
      const std::scoped_lock lock(mutex_);
      for (const EventKey& key : keys) held.is_held.push_back(state_->identities.contains(key));
      held.within = state_->copied.value_or(EventPoints());
    }
    found(std::move(held));
  }

  std::vector<LoggedEvent> Read(const EventPoints& after, std::size_t limit) override {
    const std::scoped_lock lock(mutex_);
    for (std::size_t i = 0; i < kMaxEventPartitions; ++i) RequireKept(after[i], state_->how_far.through[i]);
    std::vector<LoggedEvent> found;
    const std::size_t first = reads_++ % kMaxEventPartitions;
    for (std::size_t i = 0; i < kMaxEventPartitions; ++i) {
      const std::size_t partition = (first + i) % kMaxEventPartitions;
      const auto& events = state_->partitions[partition];
      for (auto next = events.upper_bound(after[partition]); next != events.end() && found.size() < limit; ++next) {
        found.push_back(next->second);
      }
    }
    return found;
  }

  EventPoints QuietThrough(const EventPoints& after) override {
    const std::scoped_lock lock(mutex_);
    EventPoints quiet = after;
    for (std::size_t i = 0; i < kMaxEventPartitions; ++i) {
      const auto& events = state_->partitions[i];
      const bool is_quiet = events.empty() || events.rbegin()->first <= after[i];
      if (!is_quiet || after[i] < state_->how_far.through[i]) continue;
      quiet[i] = std::max(after[i], state_->copied.value_or(EventPoints())[i]);
    }
    return quiet;
  }

  EventLog::Forgotten HowFarForgotten() override {
    const std::scoped_lock lock(mutex_);
    return state_->how_far;
  }

  std::int64_t Forget(TimeMs before, const EventPoints& applied) override {
    const std::scoped_lock lock(mutex_);
    std::int64_t count = 0;
    for (auto& [partition, events] : state_->partitions) {
      while (!events.empty()) {
        const LoggedEvent& oldest = events.begin()->second;
        if (oldest.LatestTime() >= before || !oldest.IsWithin(applied)) break;
        std::int64_t& through = state_->how_far.through[partition];
        through = std::max(through, oldest.sequence);
        state_->how_far.latest = std::max(state_->how_far.latest, oldest.event.at);
        state_->identities.erase({oldest.event.at, oldest.Identity()});
        events.erase(events.begin());
        ++count;
      }
    }
    return count;
  }

  void Hide(std::span<const Erasure> erased) override {
    const std::scoped_lock lock(mutex_);
    pseudonyms_.Add(erased);
    for (auto& [partition, events] : state_->partitions) {
      for (auto& [sequence, logged] : events) HideIn(&logged);
    }
  }
  std::vector<UserId> Users() override {
    const std::scoped_lock lock(mutex_);
    std::set<UserId> users;
    for (const auto& [partition, events] : state_->partitions) {
      for (const auto& [sequence, logged] : events) users.insert({logged.event.user, logged.event.post_author});
    }
    return {users.begin(), users.end()};
  }
  std::int64_t Scrub() override { return 0; }

  void OnCommit(std::function<void()> notify) override {
    const std::scoped_lock lock(mutex_);
    notify_ = std::move(notify);
  }

 private:
  void ThrowIfRefused() const {
    if (refusal_) throw StoreError(*refusal_);
  }
  bool Keep(LoggedEvent logged) {
    if (!state_->identities.insert({logged.event.at, logged.Identity()}).second) return false;
    HideIn(&logged);
    state_->partitions[logged.partition].emplace(logged.sequence, logged);
    return true;
  }
  void HideIn(LoggedEvent* logged) {
    const Uuid identity = logged->Identity();
    if (pseudonyms_.Hide(&logged->event)) logged->identity = identity;
  }

  std::mutex mutex_;
  std::shared_ptr<MemoryEventJournalState> state_;  // guarded by mutex_, as all that follows
  std::size_t reads_ = 0;
  std::function<void()> notify_;
  std::optional<Error> refusal_;
  Pseudonyms pseudonyms_;
};

}  // namespace novafeed
