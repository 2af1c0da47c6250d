// For tests: a TestLog as a node of a cluster reads it (adapters/kafka). Others write it, and announce nothing but that
// something has come; it holds neither the state of the graph nor the totals of what it has forgotten.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "capture/retention.h"
#include "graph/store.h"
#include "index/boot.h"
#include "index/test_log.h"

namespace novafeed::testing {

// The changes of one commit share a sequence, a place far behind that of the commit before.
class ClusterChanges final : public ChangeFeed {
 public:
  // The log outlives it. Nothing of it is committed yet.
  explicit ClusterChanges(TestLog* log) : log_(log) {}

  // Everything that was put into the log since the last commit is one; nothing: a heartbeat. Returns its place.
  std::int64_t Commit(TimeMs at = kBase) {
    std::function<void()> notify;
    std::int64_t place = 0;
    {
      const std::scoped_lock lock(mutex_);
      place = commits_.empty() ? 1000 : commits_.back().place + 100 + 40 * (std::ssize(commits_) % 3);
      std::vector<Change> changes = log_->Read(taken_, 1'000'000);
      taken_ += std::ssize(changes);
      for (Change& change : changes) change.sequence = place;
      commits_.push_back({place, at, std::move(changes)});
      if (!is_held_) readable_ = commits_.size();
      notify = notify_;
    }
    if (notify) notify();
    return place;
  }

  // What is committed from now on is on the log, and not readable until Release(): a topic is held back.
  void HoldBack() {
    const std::scoped_lock lock(mutex_);
    is_held_ = true;
  }
  void Release() {
    const std::scoped_lock lock(mutex_);
    is_held_ = false;
    readable_ = commits_.size();
  }

  // Retention takes everything that was committed.
  void Forget() {
    const std::scoped_lock lock(mutex_);
    forgotten_through_ = commits_.back().place;
  }

  // --- ChangeFeed.
  std::vector<Change> Read(std::int64_t after, std::size_t limit) override {
    const std::scoped_lock lock(mutex_);
    RequireKept(after, forgotten_through_);
    read_ = readable_;
    std::vector<Change> found;
    for (const CommitOf& commit : Known()) {
      if (commit.place <= after) continue;
      if (found.size() >= limit) break;
      found.insert(found.end(), commit.changes.begin(), commit.changes.end());
    }
    return found;
  }
  std::int64_t QuietThrough(std::int64_t after) override {
    const std::scoped_lock lock(mutex_);
    return QuietBehind(after);
  }
  std::optional<TimeMs> CompleteAsOf(std::int64_t after) override {
    const std::scoped_lock lock(mutex_);
    const std::int64_t through = QuietBehind(after);
    TimeMs latest = 0;
    for (const CommitOf& commit : Known()) {
      if (commit.place <= through) latest = std::max(latest, commit.at);
    }
    return latest;
  }
  std::int64_t End() override {
    const std::scoped_lock lock(mutex_);
    return commits_.empty() ? 0 : commits_.back().place;
  }
  std::int64_t ReadState(const std::function<void(const std::vector<Change>&)>& /*take*/) override {
    throw StoreError(Error{Failure::kInternal, kNoState, "It holds changes.", 0});
  }
  void OnCommit(std::function<void()> notify) override {
    const std::scoped_lock lock(mutex_);
    notify_ = std::move(notify);
  }

 private:
  struct CommitOf {
    std::int64_t place = 0;
    TimeMs at = 0;
    std::vector<Change> changes;
  };

  // What the last Read knew.
  std::span<const CommitOf> Known() const { return std::span(commits_).first(read_); }
  std::int64_t QuietBehind(std::int64_t after) const {
    std::int64_t through = after;
    for (const CommitOf& commit : Known()) {
      if (commit.place <= after) continue;
      if (!commit.changes.empty()) break;
      through = commit.place;
    }
    return through;
  }

  TestLog* log_;
  std::mutex mutex_;
  std::vector<CommitOf> commits_;
  std::int64_t taken_ = 0;  // changes of the log that are committed
  std::size_t readable_ = 0;
  std::size_t read_ = 0;
  bool is_held_ = false;
  std::int64_t forgotten_through_ = 0;
  std::function<void()> notify_;
};

// What the node took from the log of events; it may be behind that. Behind each event comes one that it knows already,
// which is none: so each has two places, and the points of this log are twice those of the other.
class ClusterEvents final : public EventLog {
 public:
  // The log outlives it.
  explicit ClusterEvents(EventLog* log) : log_(log) {}

  // What comes from now on (or lies behind points of the other log) is on the log, and not taken by the node until
  // Release().
  void HoldBack() { HoldBackFrom(log_->End()); }
  void HoldBackFrom(const EventPoints& points) {
    const std::scoped_lock lock(mutex_);
    held_at_ = points;
  }
  void Release() {
    const std::scoped_lock lock(mutex_);
    held_at_.reset();
  }

  void Append(std::vector<Event> events, Done done) override {
    log_->Append(std::move(events), [done = std::move(done)](Result<Appended> appended) {
      if (appended) appended->end = Twice(appended->end);
      done(std::move(appended));
    });
  }
  std::vector<LoggedEvent> Read(const EventPoints& after, std::size_t limit) override {
    std::vector<LoggedEvent> found = log_->Read(Half(after), limit);
    const EventPoints taken = Taken();
    std::erase_if(found, [&taken](const LoggedEvent& logged) { return !logged.IsWithin(taken); });
    for (LoggedEvent& logged : found) logged.sequence = 2 * logged.sequence - 1;
    return found;
  }
  EventPoints QuietThrough(const EventPoints& after) override { return Twice(Least(Half(after), Taken())); }
  EventPoints End() override { return Twice(log_->End()); }
  EventPoints ReadForgotten(const TakeTotals& /*take_totals*/, const TakeInteractions& /*take_interactions*/) override {
    throw StoreError(Error{Failure::kInternal, kNoTotals, "It does not know what it has forgotten.", 0});
  }
  Forgotten HowFarForgotten() override {
    Forgotten forgotten = log_->HowFarForgotten();
    forgotten.through = Twice(forgotten.through);
    return forgotten;
  }
  std::int64_t Forget(TimeMs before, const EventPoints& applied) override {
    return log_->Forget(before, Half(applied));
  }
  void Hide(std::span<const Erasure> erased) override { log_->Hide(erased); }
  std::int64_t Scrub() override { return log_->Scrub(); }
  void OnCommit(std::function<void()> notify) override { log_->OnCommit(std::move(notify)); }

 private:
  static EventPoints Twice(EventPoints points) {
    for (std::size_t i = 0; i < kMaxEventPartitions; ++i) points[i] *= 2;
    return points;
  }
  // Of the last event whose first place lies within.
  static EventPoints Half(EventPoints points) {
    for (std::size_t i = 0; i < kMaxEventPartitions; ++i) points[i] = (points[i] + 1) / 2;
    return points;
  }
  EventPoints Taken() {
    const std::scoped_lock lock(mutex_);
    return held_at_ ? *held_at_ : log_->End();
  }

  EventLog* log_;
  std::mutex mutex_;
  std::optional<EventPoints> held_at_;
};

}  // namespace novafeed::testing
