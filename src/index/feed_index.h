// The index: everything that serving a feed needs, in memory, exact, fed from the log by one writer.
//
// It is an exact fold of the log: users, follows, posts with totals, clock-hour counters of the last 26 hours,
// interactions by UTC day of the last 91 days, newest posts. Windows carry slack because a walk's as_of may be an hour
// old. Taking in the same part of the log again changes nothing (watermarks, one for each stream; for the events one
// for each partition), nor does the order in which partitions come.
//
// Threads: Apply* by one writer at a time, Rename and TakeOver by any thread beside it; everything const by any thread,
// each call over one consistent state.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "capture/change.h"
#include "index/read_gate.h"
#include "social/entities.h"
#include "stream/event_log.h"
#include "stream/position.h"

namespace novafeed {

// All counters of a post. Views are kept and count in no score.
struct PostTotals {
  std::int64_t likes = 0;
  std::int64_t comments = 0;
  std::int64_t shares = 0;
  std::int64_t impressions = 0;
  std::int64_t views = 0;
  friend bool operator==(const PostTotals&, const PostTotals&) = default;
};

// What is held of a post, for answers and for accepting events.
struct IndexedPost {
  PostId id;
  UserId author;
  TimeMs created_at = 0;
  bool deleted = false;
  PostTotals totals;
};

// A post as an answer shows it. The index holds the content of the last 30 days; an older post comes with
// held = false, and its content is read from the graph.
struct PostContent {
  PostId id;
  std::optional<std::string> external_id;
  std::string text;
  bool held = true;
};

struct UserCounts {
  std::int64_t followers = 0;
  std::int64_t following = 0;
};

struct IndexSizes {
  std::size_t users = 0, posts = 0, follows = 0, interactions = 0, hour_entries = 0, content_bytes = 0;
};

struct IndexState;  // index/state.h: the data itself

class FeedIndex {
 public:
  // Windows are kept for an as_of of `anchor` (and up to an hour before it); AdvanceTo moves them on.
  FeedIndex(std::string generation, TimeMs anchor);
  ~FeedIndex();
  FeedIndex(const FeedIndex&) = delete;
  FeedIndex& operator=(const FeedIndex&) = delete;

  // --- The writer.
  // Those at or below the watermark are skipped. A commit is applied whole: changes that share a sequence come in one
  // call, and readers see all of them or none.
  void ApplyChanges(std::span<const Change> changes);
  void ApplyEvents(std::span<const LoggedEvent> events);
  // Nothing lies between what is applied and there (QuietThrough of ChangeFeed and EventLog): the position moves on,
  // and never back.
  void MoveOn(std::int64_t changes, const EventPoints& events);
  void ApplyState(std::span<const Change> rows);                 // boot: kRead rows, before any log
  void ApplyForgotten(std::span<const ForgottenTotals> totals);  // boot
  void ApplyForgotten(std::span<const InteractionCount> interactions);
  void SetPosition(const Position& position);  // boot: where the state was cut; ends its reading
  // Moves the windows to `now` (never back) and lets go of a bounded amount of what fell out of them.
  void AdvanceTo(TimeMs now);

  // Puts another id in the place of an erased user's. What names the user must be applied before.
  void Rename(UserId from, UserId to);

  // Puts the state of `fresh`, of the same data set, in the place of this one's, and the old one there; nothing where
  // `fresh` has applied less than this has (false). From any thread, beside the writer.
  bool TakeOver(FeedIndex* fresh);

  // --- Readers.
  Position position() const;
  TimeMs anchor() const;
  bool KnowsUser(UserId user) const;
  UserCounts CountsOf(UserId user) const;
  std::optional<IndexedPost> FindPost(PostId post) const;
  // In the order asked; empty for posts that are unknown or deleted.
  std::vector<std::optional<PostContent>> ContentOf(std::span<const PostId> posts) const;
  IndexSizes Sizes() const;

  // Gives one consistent state to `read` (const IndexState&; see index/state.h); only the writer waits for it.
  template <class F>
  auto Read(F&& read) const {
    return gate_.Read([&] { return read(std::as_const(*state_)); });
  }

  // Like Read, for a scan that may take milliseconds (the snapshot, the trending list): the writer waits it out.
  template <class F>
  auto ReadLong(F&& read) const {
    return gate_.ReadLong([&] { return read(std::as_const(*state_)); });
  }

  // For loading a snapshot, before readers exist.
  IndexState& StateForBoot() { return *state_; }

 private:
  std::unique_ptr<IndexState> state_;
  mutable ReadGate gate_;
};

}  // namespace novafeed
