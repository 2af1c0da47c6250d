// One work's transaction: READ COMMITTED, with what else it takes for works that run side by side to do what they would
// do one after the other.
//
//   - FindUser keeps the user from being deleted until the commit (FOR KEY SHARE): nothing is ever written by or about
//     somebody who is gone. It stands in no other writer's way.
//   - A row is only changed or deleted as it was read (compare and set, or its incarnation), and an insert that meets
//   its
//     key fails: either is a Conflict, and the work is run again on what is there then.
//   - An id that was retired while its row was on the way in is a Conflict, too. So is an event that was unknown and is
//     remembered meanwhile.
//   - GetFact holds a lock on the key: a fact is what it was read as until it is set.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/postgres/connection.h"
#include "adapters/postgres/graph_reader.h"
#include "base/uuid.h"
#include "graph/store.h"

namespace novafeed::postgres {

// Begins with its construction; ends with Commit or RollBack, which the owner calls. What a primitive does not have to
// wait for is sent with the next that does, and its Conflict comes then, at the latest from Commit.
class PostgresTransaction final : public GraphTransaction {
 public:
  PostgresTransaction(Connection* connection, TimeMs now);

  // The place in the write-ahead log behind the commit. Throws Conflict where nothing was kept, and kUnavailable
  // "commit_unknown" where the connection was lost or slow while it committed: it may be kept or not.
  std::int64_t Commit();
  void RollBack() noexcept { connection_->RollBack(); }

  TimeMs Now() const override { return now_; }

  std::optional<User> FindUser(UserId id) override;
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

  bool KnowsEvent(const Event& event) override;
  bool RememberEvent(const Event& event) override;
  void AddToOutbox(const Event& event) override;

  std::optional<std::string> GetFact(std::string_view key) override;
  void SetFact(std::string_view key, std::string_view value) override;

 private:
  void RequireNotRetired(RetiredKind kind, const Uuid& id);

  Connection* connection_;
  GraphReader reader_;
  const TimeMs now_;
  std::set<Uuid> unknown_events_;  // identities that KnowsEvent did not find
};

}  // namespace novafeed::postgres
