// For tests: a log in memory that grows by valid random history, and a text of everything an index holds.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "capture/change.h"
#include "index/feed_index.h"
#include "index/state.h"
#include "social/entities.h"
#include "stream/memory_event_log.h"

namespace novafeed::testing {

inline constexpr TimeMs kBase = 1'700'000'000'000;  // an ordinary instant

inline Uuid NumberedUuid(int kind, int number) {
  Uuid id;
  id.bytes[0] = static_cast<std::uint8_t>(kind);
  id.bytes[14] = static_cast<std::uint8_t>(number >> 8);
  id.bytes[15] = static_cast<std::uint8_t>(number);
  return id;
}
inline UserId TestUser(int number) {
  return UserId{NumberedUuid(1, number)};
}
inline PostId TestPost(int number) {
  return PostId{NumberedUuid(2, number)};
}

// The change log, the tables that it describes, and the event log beside it. Written by one thread, read by any.
class TestLog final : public ChangeFeed {
 private:
  ManualClock clock_{0};  // dates the arrival of events: so early that retention goes by what they are dated

 public:
  // `partitions` of the events.
  explicit TestLog(std::size_t partitions = 1) : events(&clock_, std::make_shared<MemoryEventLogState>(partitions)) {}

  MemoryEventLog events;

  // --- Writing: each makes one committed change.
  void AddUser(int user, TimeMs at = kBase) {
    const User row{TestUser(user), {}, "u" + std::to_string(user), "", at};
    users_[row.id] = row;
    Commit(ChangeOp::kCreate, {}, row);
  }
  void RemoveUser(int user) {
    users_.erase(TestUser(user));
    Commit(ChangeOp::kDelete, User{TestUser(user), {}, "u" + std::to_string(user), "", kBase}, {});
  }
  void AddPost(int post, int author, TimeMs at, std::string text = "text") {
    const Post row{TestPost(post), {}, TestUser(author), std::move(text), at, {}};
    posts_[row.id] = row;
    Commit(ChangeOp::kCreate, {}, row);
  }
  void EditPost(int post, std::string text) {
    Post& row = posts_.at(TestPost(post));
    const Post before = row;
    row.text = std::move(text);
    Commit(ChangeOp::kUpdate, before, row);
  }
  void DeletePost(int post, TimeMs at) {
    Post& row = posts_.at(TestPost(post));
    if (row.deleted_at) return;
    const Post before = row;
    row.text.clear();
    row.deleted_at = at;
    Commit(ChangeOp::kUpdate, before, row);
  }
  void AddFollow(int follower, int followee, TimeMs at = kBase) {
    const auto key = std::pair(TestUser(follower), TestUser(followee));
    if (follower == followee || follows_.contains(key)) return;
    follows_[key] = Follow{key.first, key.second, at, NextSequence()};
    Commit(ChangeOp::kCreate, {}, follows_[key]);
  }
  void RemoveFollow(int follower, int followee) {
    const auto found = follows_.find(std::pair(TestUser(follower), TestUser(followee)));
    if (found == follows_.end()) return;
    Commit(ChangeOp::kDelete, found->second, {});
    follows_.erase(found);
  }
  void AddLike(int user, int post, TimeMs at) {
    const auto key = std::pair(TestUser(user), TestPost(post));
    if (likes_.contains(key)) return;
    const Post& target = posts_.at(key.second);
    likes_[key] = Like{key.first, key.second, target.author, target.created_at, at, NextSequence()};
    Commit(ChangeOp::kCreate, {}, likes_[key]);
  }
  void RemoveLike(int user, int post) {
    const auto found = likes_.find(std::pair(TestUser(user), TestPost(post)));
    if (found == likes_.end()) return;
    Commit(ChangeOp::kDelete, found->second, {});
    likes_.erase(found);
  }
  void AddComment(int comment, int user, int post, TimeMs at) {
    const Post& target = posts_.at(TestPost(post));
    const Comment row{CommentId{NumberedUuid(3, comment)},
                      {},
                      target.id,
                      TestUser(user),
                      target.author,
                      target.created_at,
                      "c",
                      at,
                      NextSequence()};
    comments_[comment] = row;
    Commit(ChangeOp::kCreate, {}, row);
  }
  void RemoveComment(int comment) {
    const auto found = comments_.find(comment);
    if (found == comments_.end()) return;
    Commit(ChangeOp::kDelete, found->second, {});
    comments_.erase(found);
  }
  void AddEvent(EventType type, int user, int post, TimeMs at) {
    const Post& target = posts_.at(TestPost(post));
    Event event;
    event.user = TestUser(user);
    event.type = type;
    event.post = target.id;
    event.at = at;
    event.event_id = EventId{NumberedUuid(4, next_event_++)};
    event.post_author = target.author;
    event.post_created_at = target.created_at;
    events.Append({event}, [](Result<EventLog::Appended>) {});
  }

  // A random step of history around `now`; times sit on and around the edges of hours, days and windows.
  void RandomStep(std::mt19937_64* random, TimeMs now) {
    const auto pick = [&](int count) { return static_cast<int>((*random)() % static_cast<unsigned>(count)); };
    constexpr int kUsers = 12;
    const auto at = [&] {
      static constexpr TimeMs kAges[] = {0,
                                         1,
                                         kMsPerHour,
                                         23 * kMsPerHour,
                                         24 * kMsPerHour,
                                         72 * kMsPerHour,
                                         30 * kMsPerDay,
                                         89 * kMsPerDay,
                                         90 * kMsPerDay,
                                         100 * kMsPerDay};
      return now - kAges[pick(10)] + pick(3) - 1;
    };
    const int post_count = static_cast<int>(posts_.size());
    const int action = post_count == 0 ? 0 : pick(12);
    const int post = post_count == 0 ? 0 : pick(post_count);
    switch (action) {
      case 0:
      case 1:
        AddPost(post_count, pick(kUsers), at(), "text " + std::to_string(post_count));
        break;
      case 2:
        AddFollow(pick(kUsers), pick(kUsers), at());
        break;
      case 3:
        RemoveFollow(pick(kUsers), pick(kUsers));
        break;
      case 4:
      case 5:
        AddLike(pick(kUsers), post, at());
        break;
      case 6:
        RemoveLike(pick(kUsers), post);
        break;
      case 7:
        AddComment(next_comment_++, pick(kUsers), post, at());
        break;
      case 8:
        if (next_comment_ > 0) RemoveComment(pick(next_comment_));
        break;
      case 9:
        AddEvent(EventType::kShare, pick(kUsers), post, at());
        break;
      case 10:
        AddEvent(pick(2) == 0 ? EventType::kImpression : EventType::kView, pick(kUsers), post, at());
        break;
      default:
        if (pick(4) == 0) {
          DeletePost(post, now);
        } else if (!posts_.at(TestPost(post)).deleted_at) {
          EditPost(post, "edited");
        }
    }
  }

  // --- ChangeFeed.
  std::vector<Change> Read(std::int64_t after, std::size_t limit) override {
    const std::scoped_lock lock(mutex_);
    const auto from = changes_.begin() + std::min<std::ptrdiff_t>(after, std::ssize(changes_));
    return {from, from + std::min<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(limit), changes_.end() - from)};
  }
  std::int64_t End() override {
    const std::scoped_lock lock(mutex_);
    return changes_.empty() ? 0 : changes_.back().sequence;
  }
  std::int64_t ReadState(const std::function<void(const std::vector<Change>&)>& take) override {
    std::vector<Change> rows;
    const auto add = [&rows](const auto& row) {
      rows.push_back(Change{0, 0, 0, ChangeOp::kRead, std::nullopt, Row(row)});
    };
    for (const auto& [id, user] : users_) add(user);
    for (const auto& [id, post] : posts_) add(post);
    for (const auto& [key, follow] : follows_) add(follow);
    for (const auto& [key, like] : likes_) add(like);
    for (const auto& [key, comment] : comments_) add(comment);
    take(rows);
    return End();
  }
  void OnCommit(std::function<void()> notify) override {
    const std::scoped_lock lock(mutex_);
    notify_ = std::move(notify);
  }

 private:
  std::int64_t NextSequence() const { return static_cast<std::int64_t>(changes_.size()) + 1; }

  void Commit(ChangeOp op, std::optional<Row> before, std::optional<Row> after) {
    std::function<void()> notify;
    {
      const std::scoped_lock lock(mutex_);
      const std::int64_t sequence = NextSequence();
      changes_.push_back(Change{sequence, sequence, kBase, op, std::move(before), std::move(after)});
      notify = notify_;
    }
    if (notify) notify();
  }

  std::mutex mutex_;
  std::function<void()> notify_;
  std::vector<Change> changes_;
  std::map<UserId, User> users_;
  std::map<PostId, Post> posts_;
  std::map<std::pair<UserId, UserId>, Follow> follows_;
  std::map<std::pair<UserId, PostId>, Like> likes_;
  std::map<int, Comment> comments_;
  int next_comment_ = 0;
  int next_event_ = 0;
};

// The same events in another order: partitions in turns of chance, each in its order.
inline std::vector<LoggedEvent> Interleave(const std::vector<LoggedEvent>& events, std::mt19937_64* random) {
  std::map<std::size_t, std::deque<LoggedEvent>> partitions;
  for (const LoggedEvent& logged : events) partitions[logged.partition].push_back(logged);
  std::vector<LoggedEvent> interleaved;
  while (!partitions.empty()) {
    const auto next = std::next(partitions.begin(), static_cast<std::ptrdiff_t>((*random)() % partitions.size()));
    interleaved.push_back(next->second.front());
    next->second.pop_front();
    if (next->second.empty()) partitions.erase(next);
  }
  return interleaved;
}

// Everything that the index holds, in an order of its own: two indexes of the same state give the same text.
inline std::string Describe(const FeedIndex& index) {
  return index.Read([](const IndexState& state) {
    std::map<std::string, std::string> lines;
    const auto user_name = [&](UserRef ref) { return state.users[ref].id.ToString(); };
    for (const UserSlot& user : state.users) {
      std::map<std::string, std::int64_t> days;
      for (const DayInteractions& entry : user.interactions) {
        if (entry.day >= state.OldestDay())
          days[user_name(entry.author) + "@" + std::to_string(entry.day)] = entry.count;
      }
      std::string line = user.known ? "known" : "mentioned";
      line += " followers";
      for (const UserRef ref : user.followers) line += " " + user_name(ref);
      std::vector<std::string> following;
      for (std::size_t i = 0; i < user.following.size(); ++i) {
        following.push_back(user_name(user.following[i]) + "@" + std::to_string(user.followed_at[i]));
      }
      std::sort(following.begin(), following.end());
      line += " following";
      for (const std::string& name : following) line += " " + name;
      line += " posts";
      for (const PostRef ref : user.posts) line += " " + state.posts[ref].id.ToString();
      for (const auto& [day, count] : days) line += " " + day + "=" + std::to_string(count);
      if (line != "mentioned followers following posts") lines["user " + user.id.ToString()] = line;
    }
    for (const PostSlot& post : state.posts) {
      std::string line;
      for (const std::uint32_t total : {post.likes, post.comments, post.shares, post.impressions, post.views}) {
        line += std::to_string(total) + " ";
      }
      line += post.known ? user_name(post.author) + "@" + std::to_string(post.created_at) : "unknown";
      line += post.deleted ? " deleted" : "";
      line += " '" + std::string(post.content.text()) + "'";
      lines["post " + post.id.ToString()] = line;
    }
    for (const auto& [hour, table] : state.hours) {
      for (const auto& [ref, counts] : table) {
        lines["hour " + std::to_string(hour) + " " + state.posts[ref].id.ToString()] =
            std::to_string(counts.likes) + " " + std::to_string(counts.comments) + " " + std::to_string(counts.shares) +
            " " + std::to_string(counts.impressions);
      }
    }
    for (const auto& [hour, posts] : state.posts_by_hour) {
      for (const PostRef ref : posts) lines["created " + std::to_string(hour)] += " " + state.posts[ref].id.ToString();
    }
    std::size_t rank = 0;
    state.popularity.WalkGroups([&](std::span<const UserRef> group) {
      std::vector<std::string> names;
      for (const UserRef ref : group) {
        if (lines.contains("user " + user_name(ref))) names.push_back(user_name(ref));
      }
      if (names.empty()) return true;
      std::sort(names.begin(), names.end());
      std::string& line = lines["popularity " + std::to_string(rank++)];
      for (const std::string& name : names) line += " " + name;
      return true;
    });
    std::string text;
    for (const auto& [name, line] : lines) text += name + ": " + line + "\n";
    return text;
  });
}

}  // namespace novafeed::testing
