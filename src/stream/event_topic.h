// The log of events that several processes share: everybody appends to it and reads it, and it keeps what it is given
// as it comes, also what comes twice.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "stream/event_log.h"
#include "stream/event_points.h"

namespace novafeed {

// Port. stream/event_topic_contract.h holds the tests that every adapter passes. Thread-safe, but for Read, which has
// one reader. Reading calls are blocking, each with a deadline, and throw StoreError: kUnavailable "log_unavailable"
// where the topic is away.
class EventTopic {
 public:
  using Done = std::function<void(Result<EventPoints>)>;

  virtual ~EventTopic() = default;

  // Queues the events; the topic gives them their places: all events of a post one partition, in this order. `done` is
  // called exactly once, on a thread of the topic's, with points within which all of them are durable; or with an error
  // where that is not sure: kUnavailable "log_unavailable"; "overloaded" where the queue is full (then on the caller's
  // thread, before this returns). Closing the topic answers what is still queued, in one of these ways.
  virtual void Append(std::vector<LoggedEvent> events, Done done) = 0;

  struct Batch {
    std::vector<LoggedEvent> events;  // of each partition in order
    EventPoints through;              // up to where the topic was read, what cannot be read passed over
  };

  // Up to `limit` events behind `after`, those that have come; where there are none it waits for some, but not longer
  // than `patience`. StoreError kConflict "log_forgotten" where the topic does not hold what follows `after`: it is
  // gone, or the topic ends before it.
  virtual Batch Read(const EventPoints& after, std::size_t limit, std::chrono::milliseconds patience) = 0;

  // What lies within is gone.
  virtual EventPoints Begin() = 0;
  virtual EventPoints End() = 0;
  // Behind these points each partition begins with an event that was received at that time or later, or it ends there.
  virtual EventPoints PointsAt(TimeMs received_at) = 0;
};

}  // namespace novafeed
