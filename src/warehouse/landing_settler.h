// What makes ClickHouse's own landing count, step by step: attach, settle, cut. The thread that takes the steps is the
// follower's (follower.h).
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "capture/change.h"
#include "stream/event_log.h"
#include "stream/position.h"
#include "warehouse/kafka_landing.h"
#include "warehouse/landed_commits.h"
#include "warehouse/landing_topics.h"
#include "warehouse/log_positions.h"
#include "warehouse/olap.h"
#include "warehouse/touched_parts.h"

namespace novafeed {

struct LandingSettlerOptions {
  KafkaLanding landing;
  bool stop_ttl_merges = false;
  std::chrono::milliseconds cut_within{10'000};  // for what is on its way to come whole
  // Where the changes have to be begun anew, the rows of what was committed before a place that the log has passed are
  // on their topics after that long.
  std::chrono::milliseconds rest_before_anew{10'000};
};

// Whether this warehouse cannot be gone on with, which a step has given this error for: those of ApplySchema(),
// "warehouse_other_generation", "warehouse_ahead", "bad_topic". What Kafka has forgotten is none of them.
bool IsFinal(const Error& error);

// Used by one thread. Its steps block, within deadlines, throw what the topics throw (StoreError), and give errors of
// the port `Olap`, their own, and those of IsFinal(). After an error: Attach() again, unless it is said otherwise.
//
// One settles a warehouse at a time: `is_mine` is asked where another one would do harm. Where it says no, the step
// ends with kUnavailable "not_mine".
class LandingSettler {
 public:
  using IsMine = std::function<bool()>;

  // All outlive it. `graph` gives the state of what the topics tell the changes of, `events` what they hold of events;
  // both are asked only where the topics have lost something. `generation` is the data set's.
  LandingSettler(const Clock* clock, Olap* olap, LandingTopics* topics, ChangeFeed* graph, EventLog* events,
                 std::string generation, Metrics* metrics, LandingSettlerOptions options);

  // Makes the engine ready to land from where what is in it ends: schema, positions, groups. Nobody lands then.
  Status Attach(const IsMine& is_mine);
  bool attached() const { return attached_; }
  void Detach() { attached_ = false; }

  // Takes over how far it is settled, as it says itself: less than before where an engine came back with less.
  Status ReadApplied();

  // Looks where the topics end, and no more.
  void LookAtEnds() { offsets_ = topics_->Offsets(); }
  // Makes count what is landed: refreshes the counters that it touched, then writes the position.
  Status Settle(const IsMine& is_mine);

  // Ends landing, lands what is missing up to a place where every commit is there whole or not at all, and settles: the
  // tables then hold exactly what applied() says. kUnavailable "warehouse_busy" where a commit does not come whole;
  // landing then goes on.
  Status Cut(const IsMine& is_mine);
  // Lets the engine land again, where it does not.
  Status GoOn(const IsMine& is_mine);

  // Makes the engine land again what lies behind these points of the events; the changes as far back as they are kept.
  Status Rewind(const std::optional<EventPoints>& events, bool changes, const IsMine& is_mine);

  const Position& applied() const { return applied_; }
  // Up to where the groups have landed the events now: behind applied() after a rewind.
  Position landing() const;
  // Whether the log of commits can be followed from where it is known.
  bool knows_changes() const { return is_placed_; }
  // As of the last look.
  std::int64_t MessagesBehind() const;
  EventPoints EventsEnd() const;

 private:
  // Looks at the topics, so that what is lost is noticed.
  Status Look();
  Status TakePositions(const LogPositions& positions);
  Status CheckOffsets() const;
  void NoteLost();
  void NoteLost(std::size_t topic, std::size_t partition, std::int64_t first);
  Status LandLostEvents();
  Result<std::int64_t> LandKeptEvents(std::size_t partition, std::int64_t after, std::int64_t through);
  Status PlaceGroups();
  Status StopLanding(const IsMine& is_mine);
  // Forgets what an engine knew that has started again since; kUnavailable "warehouse_busy", and detached, where it
  // came back with other positions.
  Status NoteRestart();
  Result<std::vector<TouchedPart>> ListTouched();
  Status Drop(const std::vector<TouchedPart>& parts);
  Status ReadVersion();
  Status WritePositions();
  std::int64_t ReachedChanges();

  bool ReadCommits();
  void BeginAnew(const std::string& why);
  bool MayBePlaced();
  Status LandState(const IsMine& is_mine);
  Status SweepState();
  Status SendLines(const LandingBatch& batch);
  Status AwaitWholeCommits();
  Status LandMissing();
  Status LandMessages(std::size_t topic, std::size_t partition, std::int64_t from, std::int64_t until);

  // What stands in the place of a part of the log that is lost.
  struct Anew {
    std::int64_t cut = 0;  // of the state that was landed; 0: none was yet
    std::optional<std::chrono::steady_clock::time_point> log_passed_cut;
  };
  // Of the events: (after, through] of a partition are gone from the topic.
  struct LostEvents {
    std::size_t partition = 0;
    std::int64_t after = 0;
    std::int64_t through = 0;
  };

  const Clock* const clock_;
  Olap* const olap_;
  LandingTopics* const topics_;
  ChangeFeed* const graph_;
  EventLog* const events_;
  const std::string generation_;
  const LandingSettlerOptions options_;
  std::vector<Counter> lost_;  // by topic
  std::vector<Gauge> behind_;
  const Counter states_;
  const Counter ghosts_;
  const Counter applied_changes_;
  const Counter applied_events_;
  const Histogram refresh_seconds_;

  bool attached_ = false;
  std::uint64_t version_ = 0;
  Position applied_;
  // By topic and partition: everything before was landed once, and settled.
  std::array<EventPoints, kLandingTopics.size()> landed_;
  LandingOffsets offsets_;  // of the last look
  TouchedParts touched_;
  std::chrono::steady_clock::time_point engine_started_;
  std::vector<StreamPoint> written_;

  // What is known of the changes in the log.
  std::int64_t known_ = 0;         // commits were read up to here
  ChangeOffsets known_ends_ = {};  // what they need of the topics
  ChangeOffsets through_ = {};     // no row before belongs to a commit behind them
  bool is_placed_ = false;         // known_ends_ and through_ are those of known_
  std::optional<Anew> anew_;
  LandedCommits commits_;
  std::vector<LostEvents> lost_events_;  // that may be had elsewhere
};

}  // namespace novafeed
