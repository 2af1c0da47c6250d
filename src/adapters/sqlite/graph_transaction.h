// The open write transaction of graph.db: rows, and for each changed row its change, numbered by the writer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/sqlite/database.h"
#include "adapters/sqlite/graph_reader.h"
#include "adapters/sqlite/group_writer.h"
#include "capture/change.h"
#include "graph/store.h"

namespace novafeed::sqlite {

// Lives as long as its connection; Start() makes it that of the next work. Writer thread only.
class SqliteGraphTransaction final : public GraphTransaction {
 public:
  explicit SqliteGraphTransaction(Database& database);

  // Changes from here on are at `now`, numbered by `sequence`, and belong together (Change::transaction).
  void Start(TimeMs now, Sequence* sequence);

  TimeMs Now() const override { return now_; }

  std::optional<User> FindUser(UserId id) override { return reader_.FindUser(id); }
  std::optional<User> FindUserByHandle(std::string_view handle) override { return reader_.FindUserByHandle(handle); }
  void InsertUser(const User& user) override;
  void UpdateUser(const User& before, const User& after) override;
  void DeleteUser(const User& user) override;

  std::optional<Post> FindPost(PostId id) override { return reader_.FindPost(id); }
  void InsertPost(const Post& post) override;
  void UpdatePost(const Post& before, const Post& after) override;
  std::vector<Post> LivePostsOf(UserId author, std::size_t limit) override {
    return reader_.LivePostsOf(author, limit);
  }

  std::optional<Comment> FindComment(CommentId id) override { return reader_.FindComment(id); }
  Comment InsertComment(Comment comment) override;
  void DeleteComment(const Comment& comment) override;
  std::vector<Comment> CommentsOf(UserId user, std::size_t limit) override { return reader_.CommentsOf(user, limit); }

  std::optional<Like> FindLike(UserId user, PostId post) override { return reader_.FindLike(user, post); }
  Like InsertLike(Like like) override;
  void DeleteLike(const Like& like) override;
  std::vector<Like> LikesOf(UserId user, std::size_t limit) override { return reader_.LikesOf(user, limit); }

  std::optional<Follow> FindFollow(UserId follower, UserId followee) override {
    return reader_.FindFollow(follower, followee);
  }
  Follow InsertFollow(Follow follow) override;
  void DeleteFollow(const Follow& follow) override;
  std::vector<Follow> FollowsOf(UserId user, std::size_t limit) override { return reader_.FollowsOf(user, limit); }

  void PutDismissal(const Dismissal& dismissal) override;
  void DeleteDismissal(const Dismissal& dismissal) override;
  std::vector<Dismissal> DismissalsOf(UserId user, std::size_t limit) override {
    return reader_.DismissalsOf(user, limit);
  }

  bool IsRetired(RetiredKind kind, Uuid id) override { return reader_.IsRetired(kind, id); }
  void Retire(RetiredKind kind, Uuid id) override;

  std::optional<Erasure> FindErasure(UserId user) override { return reader_.FindErasure(user); }
  void PutErasure(const Erasure& erasure) override;

  bool KnowsEvent(const Event& event) override { return reader_.KnowsEvent(event); }
  bool RememberEvent(const Event& event) override;
  void AddToOutbox(const Event& event) override;

  std::optional<std::string> GetFact(std::string_view key) override { return reader_.GetFact(key); }
  void SetFact(std::string_view key, std::string_view value) override;

  // For the store's own upkeep, not for commands.
  void ClearOutbox(std::int64_t up_to);
  // The oldest changes committed before `before`, up to `applied` and at most `limit`; returns how many went.
  std::int64_t ForgetChanges(TimeMs before, std::int64_t applied, std::int64_t limit);
  // Identities of events dated before `before`, at most `limit`; returns how many went.
  std::int64_t ForgetEvents(TimeMs before, std::int64_t limit);

 private:
  // Records the change that has `sequence`; a null image is "not there".
  template <class RowType>
  void Record(std::int64_t sequence, ChangeOp op, const RowType* before, const RowType* after);

  GraphReader reader_;
  Statement insert_user_;
  Statement update_user_;
  Statement delete_user_;
  Statement insert_post_;
  Statement update_post_;
  Statement insert_comment_;
  Statement delete_comment_;
  Statement insert_like_;
  Statement delete_like_;
  Statement insert_follow_;
  Statement delete_follow_;
  Statement put_dismissal_;
  Statement delete_dismissal_;
  Statement retire_;
  Statement put_erasure_;
  Statement remember_event_;
  Statement add_to_outbox_;
  Statement clear_outbox_;
  Statement set_fact_;
  Statement insert_change_;
  Statement oldest_changes_;
  Statement forget_changes_;
  Statement set_forgotten_;
  Statement forget_events_;

  TimeMs now_ = 0;
  Sequence* sequence_ = nullptr;
  std::int64_t first_of_work_ = 0;
  std::string before_bytes_;  // kept between changes: no allocation for each
  std::string after_bytes_;
};

}  // namespace novafeed::sqlite
