// A topic of events in memory: the simplest thing that passes the contract suite. For tests; not for product code.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "capture/retention.h"
#include "stream/event_topic.h"

namespace novafeed {

// What a topic holds: shared by all processes that use it.
struct MemoryEventTopicState {
  explicit MemoryEventTopicState(std::size_t partition_count = 1) : partitions(partition_count) {}

  // Puts an event there, as any process may. Whether it is there already is not looked at.
  void Put(LoggedEvent logged) {
    const std::scoped_lock lock(mutex);
    PutEvent(std::move(logged));
  }
  // Puts a message there that cannot be read.
  void PutPoison(std::size_t partition) {
    const std::scoped_lock lock(mutex);
    PutMessage(partition, std::nullopt);
  }
  // From now on what lies within is gone.
  void Lose(const EventPoints& points) {
    const std::scoped_lock lock(mutex);
    begin = Union(begin, points);
  }
  // From now on every call fails with this; nullopt: no more.
  void Break(std::optional<Error> error) {
    const std::scoped_lock lock(mutex);
    broken = std::move(error);
    changed.notify_all();
  }

  // Both: mutex is held.
  void PutEvent(LoggedEvent logged) {
    const std::size_t partition = std::hash<std::string>{}(logged.event.post.ToString()) % partitions.size();
    logged.partition = partition;
    logged.sequence = end[partition] + 1;
    PutMessage(partition, std::move(logged));
  }
  void PutMessage(std::size_t partition, std::optional<LoggedEvent> logged) {
    partitions[partition].push_back(std::move(logged));
    ++end[partition];
    changed.notify_all();
  }

  std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  std::vector<std::vector<std::optional<LoggedEvent>>> partitions;  // all that ever came, also where it is gone
  EventPoints begin;
  EventPoints end;
  std::optional<Error> broken;
};

// Appends and answers on the calling thread. Each Read begins with another partition: readers see many an order.
class MemoryEventTopic final : public EventTopic {
 public:
  explicit MemoryEventTopic(std::shared_ptr<MemoryEventTopicState> state) : state_(std::move(state)) {}

  void Append(std::vector<LoggedEvent> events, Done done) override {
    Result<EventPoints> end = EventPoints();
    {
      const std::scoped_lock lock(state_->mutex);
      for (LoggedEvent& logged : events) {
        if (!state_->broken) state_->PutEvent(std::move(logged));
      }
      if (!events.empty()) end = state_->end;
      if (state_->broken) end = tl::unexpected<Error>(*state_->broken);
    }
    done(std::move(end));
  }

  Batch Read(const EventPoints& after, std::size_t limit, std::chrono::milliseconds patience) override {
    std::unique_lock lock(state_->mutex);
    state_->changed.wait_for(lock, patience, [&] { return state_->broken || state_->end != after; });
    ThrowIfBroken();
    RequireKept(after);
    Batch batch{{}, after};
    const std::size_t count = state_->partitions.size();
    const std::size_t first = reads_++ % count;
    for (std::size_t i = 0; i < count; ++i) ReadPartition((first + i) % count, limit, &batch);
    return batch;
  }

  EventPoints Begin() override {
    const std::scoped_lock lock(state_->mutex);
    ThrowIfBroken();
    return state_->begin;
  }
  EventPoints End() override {
    const std::scoped_lock lock(state_->mutex);
    ThrowIfBroken();
    return state_->end;
  }
  EventPoints PointsAt(TimeMs received_at) override {
    const std::scoped_lock lock(state_->mutex);
    ThrowIfBroken();
    EventPoints points = state_->end;
    for (std::size_t partition = 0; partition < state_->partitions.size(); ++partition) {
      const auto& messages = state_->partitions[partition];
      for (std::int64_t at = state_->begin[partition]; at < std::ssize(messages); ++at) {
        const std::optional<LoggedEvent>& logged = messages[static_cast<std::size_t>(at)];
        if (!logged || logged->received_at < received_at) continue;
        points[partition] = at;
        break;
      }
    }
    return points;
  }

 private:
  std::optional<Error> Broken() {
    const std::scoped_lock lock(state_->mutex);
    return state_->broken;
  }
  void ThrowIfBroken() const {
    if (state_->broken) throw StoreError(*state_->broken);
  }
  void RequireKept(const EventPoints& after) const {
    for (std::size_t i = 0; i < kMaxEventPartitions; ++i) novafeed::RequireKept(after[i], state_->begin[i]);
    if (!Reached(after, state_->end)) {
      throw StoreError(Error{Failure::kConflict, "log_forgotten", "The topic ends before this place.", 0});
    }
  }
  void ReadPartition(std::size_t partition, std::size_t limit, Batch* batch) const {
    const auto& messages = state_->partitions[partition];
    for (std::int64_t& at = batch->through[partition]; at < std::ssize(messages); ++at) {
      if (batch->events.size() == limit) return;
      const std::optional<LoggedEvent>& logged = messages[static_cast<std::size_t>(at)];
      if (logged) batch->events.push_back(*logged);
    }
  }

  std::shared_ptr<MemoryEventTopicState> state_;
  std::size_t reads_ = 0;  // guarded by the state's mutex
};

}  // namespace novafeed
