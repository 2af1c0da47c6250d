// A graph store in memory: the simplest thing that passes the contract suites. Each work runs on a copy of the whole
// state. For tests (of the rules, and of rooms that need a store without a disk); not for product code.
#pragma once

#include <algorithm>
#include <filesystem>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/time.h"
#include "capture/change.h"
#include "capture/pseudonyms.h"
#include "capture/retention.h"
#include "graph/retired.h"
#include "graph/store.h"

namespace novafeed {

// What a MemoryGraph holds; may be shared by one after the other, as a directory is.
struct MemoryGraphState {
  std::map<UserId, User> users;
  std::map<PostId, Post> posts;
  std::map<CommentId, Comment> comments;
  std::map<std::pair<UserId, PostId>, Like> likes;
  std::map<std::pair<UserId, UserId>, Follow> follows;
  std::map<std::pair<UserId, UserId>, Dismissal> dismissals;
  std::set<std::pair<RetiredKind, Uuid>> retired;  // digests
  std::map<UserId, Erasure> erasures;
  std::set<std::pair<TimeMs, Uuid>> events;  // of likes and unlikes that were applied: time, identity
  std::map<std::string, std::string, std::less<>> facts;
  std::vector<OutboxEntry> outbox;
  std::vector<Change> changes;
  std::int64_t last_outbox = 0;
  std::int64_t forgotten_through = 0;
  std::int64_t last_transaction = 0;
  Uuid generation = NewUuid(0);

  std::int64_t NextSequence() const { return (changes.empty() ? forgotten_through : changes.back().sequence) + 1; }
};

class MemoryGraphTransaction final : public GraphTransaction {
 public:
  MemoryGraphTransaction(TimeMs now, MemoryGraphState* state) : now_(now), state_(*state) { ++state_.last_transaction; }

  TimeMs Now() const override { return now_; }

  std::optional<User> FindUser(UserId id) override { return Find(state_.users, id); }
  std::optional<User> FindUserByHandle(std::string_view handle) override {
    for (const auto& [id, user] : state_.users) {
      if (user.handle == handle) return user;
    }
    return std::nullopt;
  }
  void InsertUser(const User& user) override { Put(state_.users, user.id, user); }
  void UpdateUser(const User& before, const User& after) override { Replace(state_.users, before.id, before, after); }
  void DeleteUser(const User& user) override { Remove(state_.users, user.id, user); }

  std::optional<Post> FindPost(PostId id) override { return Find(state_.posts, id); }
  void InsertPost(const Post& post) override { Put(state_.posts, post.id, post); }
  void UpdatePost(const Post& before, const Post& after) override { Replace(state_.posts, before.id, before, after); }
  std::vector<Post> LivePostsOf(UserId author, std::size_t limit) override {
    return Select(state_.posts, limit, [&](const Post& post) { return post.author == author && !post.deleted_at; });
  }

  std::optional<Comment> FindComment(CommentId id) override { return Find(state_.comments, id); }
  Comment InsertComment(Comment comment) override { return PutNewLife(state_.comments, comment.id, comment); }
  void DeleteComment(const Comment& comment) override { Remove(state_.comments, comment.id, comment); }
  std::vector<Comment> CommentsOf(UserId user, std::size_t limit) override {
    return Select(state_.comments, limit, [&](const Comment& comment) { return comment.user == user; });
  }

  std::optional<Like> FindLike(UserId user, PostId post) override { return Find(state_.likes, {user, post}); }
  Like InsertLike(Like like) override { return PutNewLife(state_.likes, {like.user, like.post}, like); }
  void DeleteLike(const Like& like) override { Remove(state_.likes, {like.user, like.post}, like); }
  std::vector<Like> LikesOf(UserId user, std::size_t limit) override {
    return Select(state_.likes, limit, [&](const Like& like) { return like.user == user; });
  }

  std::optional<Follow> FindFollow(UserId follower, UserId followee) override {
    return Find(state_.follows, {follower, followee});
  }
  Follow InsertFollow(Follow follow) override {
    return PutNewLife(state_.follows, {follow.follower, follow.followee}, follow);
  }
  void DeleteFollow(const Follow& follow) override {
    Remove(state_.follows, {follow.follower, follow.followee}, follow);
  }
  std::vector<Follow> FollowsOf(UserId user, std::size_t limit) override {
    return Select(state_.follows, limit, [&](const Follow& f) { return f.follower == user || f.followee == user; });
  }

  void PutDismissal(const Dismissal& dismissal) override {
    state_.dismissals.emplace(std::pair(dismissal.user, dismissal.dismissed), dismissal);
  }
  void DeleteDismissal(const Dismissal& dismissal) override {
    state_.dismissals.erase({dismissal.user, dismissal.dismissed});
  }
  std::vector<Dismissal> DismissalsOf(UserId user, std::size_t limit) override {
    return Select(state_.dismissals, limit, [&](const Dismissal& d) { return d.user == user || d.dismissed == user; });
  }

  bool IsRetired(RetiredKind kind, Uuid id) override {
    return state_.retired.contains({kind, RetiredDigest(kind, id)});
  }
  void Retire(RetiredKind kind, Uuid id) override { state_.retired.insert({kind, RetiredDigest(kind, id)}); }

  std::optional<Erasure> FindErasure(UserId user) override { return Find(state_.erasures, user); }
  void PutErasure(const Erasure& erasure) override { state_.erasures.insert_or_assign(erasure.user, erasure); }

  bool KnowsEvent(const Event& event) override { return state_.events.contains({event.at, EventIdentity(event)}); }
  bool RememberEvent(const Event& event) override {
    return state_.events.insert({event.at, EventIdentity(event)}).second;
  }
  void AddToOutbox(const Event& event) override { state_.outbox.push_back({++state_.last_outbox, event}); }

  std::optional<std::string> GetFact(std::string_view key) override {
    const auto at = state_.facts.find(key);
    return at == state_.facts.end() ? std::nullopt : std::optional(at->second);
  }
  void SetFact(std::string_view key, std::string_view value) override {
    state_.facts.insert_or_assign(std::string(key), std::string(value));
  }

 private:
  template <class Key, class Value>
  static std::optional<Value> Find(const std::map<Key, Value>& table, const Key& key) {
    const auto at = table.find(key);
    return at == table.end() ? std::nullopt : std::optional(at->second);
  }

  template <class Key, class Value, class Predicate>
  static std::vector<Value> Select(const std::map<Key, Value>& table, std::size_t limit, Predicate wanted) {
    std::vector<Value> found;
    for (const auto& [key, value] : table) {
      if (found.size() < limit && wanted(value)) found.push_back(value);
    }
    return found;
  }

  template <class Key, class Value>
  void Put(std::map<Key, Value>& table, const Key& key, const Value& value) {
    table.insert_or_assign(key, value);
    Record(ChangeOp::kCreate, std::nullopt, value);
  }

  template <class Key, class Value>
  Value PutNewLife(std::map<Key, Value>& table, const Key& key, Value value) {
    value.incarnation = state_.NextSequence();
    Put(table, key, value);
    return value;
  }

  template <class Key, class Value>
  void Replace(std::map<Key, Value>& table, const Key& key, const Value& before, const Value& after) {
    table.insert_or_assign(key, after);
    Record(ChangeOp::kUpdate, before, after);
  }

  template <class Key, class Value>
  void Remove(std::map<Key, Value>& table, const Key& key, const Value& value) {
    table.erase(key);
    Record(ChangeOp::kDelete, value, std::nullopt);
  }

  void Record(ChangeOp op, std::optional<Row> before, std::optional<Row> after) {
    Change change;
    change.sequence = state_.NextSequence();
    change.transaction = state_.last_transaction;
    change.committed_at = now_;
    change.op = op;
    change.before = std::move(before);
    change.after = std::move(after);
    state_.changes.push_back(std::move(change));
  }

  TimeMs now_;
  MemoryGraphState& state_;
};

// Runs and answers each write on the calling thread.
class MemoryGraph : public GraphStore, public ChangeLog {
 public:
  // The clock outlives it.
  explicit MemoryGraph(const Clock* clock, std::shared_ptr<MemoryGraphState> state = nullptr)
      : clock_(clock), state_(state ? std::move(state) : std::make_shared<MemoryGraphState>()) {}

  void Write(Work work, Done done) override {
    Result<std::int64_t> result = 0;
    std::function<void()> notify;
    {
      const std::lock_guard lock(mutex_);
      result = RunOnCopy(work);
      if (result) notify = notify_;
    }
    done(std::move(result));
    if (notify) notify();
  }

  std::optional<User> GetUser(UserId id) override {
    return Peek([&](MemoryGraphTransaction& tx) { return tx.FindUser(id); });
  }
  std::optional<Post> GetPost(PostId id) override {
    return Peek([&](MemoryGraphTransaction& tx) { return tx.FindPost(id); });
  }
  std::optional<Comment> GetComment(CommentId id) override {
    return Peek([&](MemoryGraphTransaction& tx) { return tx.FindComment(id); });
  }
  std::vector<PostId> LikedAmong(UserId user, std::span<const PostId> posts) override {
    const std::lock_guard lock(mutex_);
    std::set<PostId> liked;
    for (const PostId& post : posts) {
      const auto at = state_->posts.find(post);
      const bool live = at != state_->posts.end() && !at->second.deleted_at;
      if (live && state_->likes.contains({user, post})) liked.insert(post);
    }
    return {liked.begin(), liked.end()};
  }
  std::vector<UserId> DismissedBy(UserId user) override {
    const std::lock_guard lock(mutex_);
    std::vector<UserId> dismissed;
    for (const auto& [key, dismissal] : state_->dismissals) {
      if (key.first == user) dismissed.push_back(key.second);
    }
    return dismissed;
  }
  bool IsRetired(RetiredKind kind, Uuid id) override {
    return Peek([&](MemoryGraphTransaction& tx) { return tx.IsRetired(kind, id); });
  }
  std::optional<std::string> GetFact(std::string_view key) override {
    return Peek([&](MemoryGraphTransaction& tx) { return tx.GetFact(key); });
  }

  std::vector<User> ListUsers(std::string_view handle_prefix, std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    std::vector<User> found;
    for (const auto& [id, user] : state_->users) {
      if (user.handle.starts_with(handle_prefix)) found.push_back(user);
    }
    std::sort(found.begin(), found.end(), [](const User& a, const User& b) { return a.handle < b.handle; });
    if (found.size() > limit) found.resize(limit);
    return found;
  }

  ListPage<User> Followers(UserId user, std::size_t limit, std::optional<ListCursor> after) override {
    return ListFollows(limit, after, [user](const Follow& follow) {
      return follow.followee == user ? std::optional(follow.follower) : std::nullopt;
    });
  }
  ListPage<User> Following(UserId user, std::size_t limit, std::optional<ListCursor> after) override {
    return ListFollows(limit, after, [user](const Follow& follow) {
      return follow.follower == user ? std::optional(follow.followee) : std::nullopt;
    });
  }
  ListPage<Post> PostsOf(UserId author, std::size_t limit, std::optional<ListCursor> after) override {
    const std::lock_guard lock(mutex_);
    std::vector<Listed<Post>> found;
    for (const auto& [id, post] : state_->posts) {
      if (post.author == author && !post.deleted_at) found.push_back({{post.created_at, id.value}, post});
    }
    return Page(std::move(found), limit, after);
  }
  ListPage<Comment> CommentsOn(PostId post, std::size_t limit, std::optional<ListCursor> after) override {
    const std::lock_guard lock(mutex_);
    std::vector<Listed<Comment>> found;
    for (const auto& [id, comment] : state_->comments) {
      if (comment.post == post) found.push_back({{comment.created_at, id.value}, comment});
    }
    return Page(std::move(found), limit, after);
  }

  std::vector<OutboxEntry> ReadOutbox(std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    const auto& outbox = state_->outbox;
    return {outbox.begin(), outbox.begin() + static_cast<std::ptrdiff_t>(std::min(limit, outbox.size()))};
  }
  void ClearOutbox(std::int64_t up_to) override {
    const std::lock_guard lock(mutex_);
    std::erase_if(state_->outbox, [&](const OutboxEntry& entry) { return entry.sequence <= up_to; });
  }

  std::int64_t ForgetOldEvents() override {
    const std::lock_guard lock(mutex_);
    const TimeMs before = clock_->Now() - kEventMemory;
    return static_cast<std::int64_t>(
        std::erase_if(state_->events, [before](const auto& known) { return known.first < before; }));
  }
  void SetBulkMode(bool) override {}

  std::vector<Erasure> ReadErasures() override {
    const std::lock_guard lock(mutex_);
    std::vector<Erasure> erasures;
    for (const auto& [user, erasure] : state_->erasures) erasures.push_back(erasure);
    return erasures;
  }
  void HideInRows(std::span<const Erasure> erased) override {
    const std::lock_guard lock(mutex_);
    const Pseudonyms pseudonyms(erased);
    HideIn(&state_->posts, pseudonyms);
    HideIn(&state_->comments, pseudonyms);
    HideIn(&state_->likes, pseudonyms);
    std::erase_if(state_->outbox, [&](const OutboxEntry& entry) { return pseudonyms.Names(entry.event.user); });
    for (OutboxEntry& entry : state_->outbox) pseudonyms.Hide(&entry.event);
    std::erase_if(state_->facts, [&](const auto& fact) {
      return std::any_of(erased.begin(), erased.end(), [&](const Erasure& erasure) {
        return fact.first.find(erasure.user.ToString()) != std::string::npos;
      });
    });
  }
  void HideInChanges(std::span<const Erasure> erased, std::int64_t through) override {
    const std::lock_guard lock(mutex_);
    const Pseudonyms pseudonyms(erased);
    for (Change& change : state_->changes) {
      if (change.sequence > through) break;
      if (change.before) pseudonyms.Hide(&*change.before);
      if (change.after) pseudonyms.Hide(&*change.after);
    }
  }
  void CloseErasures(std::span<const Erasure> erased) override {
    const std::lock_guard lock(mutex_);
    for (const Erasure& erasure : erased) state_->erasures.erase(erasure.user);
  }
  std::int64_t Scrub() override { return 0; }

  std::vector<Uuid> RetiredUsers() override {
    const std::lock_guard lock(mutex_);
    std::vector<Uuid> digests;
    for (const auto& [kind, digest] : state_->retired) {
      if (kind == RetiredKind::kUser) digests.push_back(digest);
    }
    return digests;
  }
  std::vector<UserId> FindUsers(std::span<const Uuid> digests) override {
    const std::lock_guard lock(mutex_);
    std::vector<UserId> found;
    for (const auto& [id, user] : state_->users) {
      const Uuid digest = RetiredDigest(RetiredKind::kUser, id.value);
      if (std::find(digests.begin(), digests.end(), digest) != digests.end()) found.push_back(id);
    }
    return found;
  }
  void RetireUsers(std::span<const Uuid> digests) override {
    const std::lock_guard lock(mutex_);
    for (const Uuid& digest : digests) state_->retired.emplace(RetiredKind::kUser, digest);
  }

  std::string Generation() override { return state_->generation.ToString(); }

  std::vector<Change> Read(std::int64_t after, std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    RequireKept(after, state_->forgotten_through);
    std::vector<Change> found;
    for (const Change& change : state_->changes) {
      if (change.sequence > after && found.size() < limit) found.push_back(change);
    }
    return found;
  }
  std::int64_t End() override {
    const std::lock_guard lock(mutex_);
    return state_->NextSequence() - 1;
  }
  std::int64_t ReadState(const std::function<void(const std::vector<Change>&)>& take) override {
    std::vector<Change> rows;
    std::int64_t cut = 0;
    {
      const std::lock_guard lock(mutex_);
      cut = state_->NextSequence() - 1;
      const auto add_all = [&](const auto& table) {
        for (const auto& [key, row] : table) rows.push_back(ReadChange(cut, row));
      };
      add_all(state_->users);
      add_all(state_->posts);
      add_all(state_->comments);
      add_all(state_->likes);
      add_all(state_->follows);
    }
    if (!rows.empty()) take(rows);
    return cut;
  }
  void OnCommit(std::function<void()> notify) override {
    const std::lock_guard lock(mutex_);
    notify_ = std::move(notify);
  }

  std::int64_t ForgetChanges(TimeMs before, std::int64_t applied) override {
    const std::lock_guard lock(mutex_);
    auto& changes = state_->changes;
    const auto first_kept = std::find_if(changes.begin(), changes.end(), [&](const Change& change) {
      return change.committed_at >= before || change.sequence > applied;
    });
    const std::int64_t count = first_kept - changes.begin();
    if (count > 0) state_->forgotten_through = std::prev(first_kept)->sequence;
    changes.erase(changes.begin(), first_kept);
    return count;
  }

 private:
  template <class T>
  struct Listed {
    ListCursor place;
    T item;
  };

  Result<std::int64_t> RunOnCopy(const Work& work) {
    MemoryGraphState copy = *state_;
    MemoryGraphTransaction tx(clock_->Now(), &copy);
    try {
      work(tx);
    } catch (const StoreError& error) {
      return tl::unexpected(error.error());
    } catch (const std::exception& error) {
      return Fail(Failure::kInternal, "internal", error.what());
    }
    *state_ = std::move(copy);
    return state_->NextSequence() - 1;
  }

  template <class F>
  std::invoke_result_t<F, MemoryGraphTransaction&> Peek(F read) {
    const std::lock_guard lock(mutex_);
    MemoryGraphState copy = *state_;
    MemoryGraphTransaction tx(clock_->Now(), &copy);
    return read(tx);
  }

  static auto OrderOf(const ListCursor& place) { return std::tuple(-place.created_at, place.id); }

  template <class T>
  static ListPage<T> Page(std::vector<Listed<T>> found, std::size_t limit, const std::optional<ListCursor>& after) {
    std::sort(found.begin(), found.end(),
              [](const Listed<T>& a, const Listed<T>& b) { return OrderOf(a.place) < OrderOf(b.place); });
    if (after) std::erase_if(found, [&](const Listed<T>& l) { return OrderOf(l.place) <= OrderOf(*after); });
    ListPage<T> page;
    if (found.size() > limit) {
      page.next = found[limit - 1].place;
      found.resize(limit);
    }
    for (Listed<T>& listed : found) page.items.push_back(std::move(listed.item));
    return page;
  }

  template <class Other>
  ListPage<User> ListFollows(std::size_t limit, const std::optional<ListCursor>& after, Other other) {
    const std::lock_guard lock(mutex_);
    std::vector<Listed<User>> found;
    for (const auto& [key, follow] : state_->follows) {
      if (const std::optional<UserId> id = other(follow)) {
        const auto user = state_->users.find(*id);  // not there: erased, with follows still to be removed
        if (user != state_->users.end()) found.push_back({{follow.created_at, id->value}, user->second});
      }
    }
    return Page(std::move(found), limit, after);
  }

  template <class Table>
  static void HideIn(Table* table, const Pseudonyms& pseudonyms) {
    for (auto& [key, fields] : *table) {
      Row row = fields;
      if (pseudonyms.Hide(&row)) fields = std::get<typename Table::mapped_type>(row);
    }
  }

  static Change ReadChange(std::int64_t cut, Row row) {
    Change change;
    change.sequence = cut;
    change.op = ChangeOp::kRead;
    change.after = std::move(row);
    return change;
  }

  const Clock* clock_;
  std::mutex mutex_;
  std::shared_ptr<MemoryGraphState> state_;  // guarded by mutex_
  std::function<void()> notify_;             // guarded by mutex_
};

}  // namespace novafeed
