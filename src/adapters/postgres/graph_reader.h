// Everything that is read of the graph, over one connection: shared by the write transaction and the pools.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/postgres/connection.h"
#include "graph/store.h"
#include "social/entities.h"

namespace novafeed::postgres {

// Of columns as in adapters/postgres/columns.h.
User ReadUser(const Rows& rows);
Post ReadPost(const Rows& rows);
Comment ReadComment(const Rows& rows);
Like ReadLike(const Rows& rows);
Follow ReadFollow(const Rows& rows);

// Lives for a borrowed connection; used by one thread at a time; throws StoreError. Each method reads one state.
class GraphReader {
 public:
  explicit GraphReader(Connection* connection) : connection_(connection) {}

  std::optional<User> FindUser(UserId id);
  std::optional<User> FindUserByHandle(std::string_view handle);
  std::optional<Post> FindPost(PostId id);
  std::optional<Comment> FindComment(CommentId id);
  std::optional<Like> FindLike(UserId user, PostId post);
  std::optional<Follow> FindFollow(UserId follower, UserId followee);
  std::vector<Post> LivePostsOf(UserId author, std::size_t limit);
  std::vector<Comment> CommentsOf(UserId user, std::size_t limit);
  std::vector<Like> LikesOf(UserId user, std::size_t limit);
  std::vector<Follow> FollowsOf(UserId user, std::size_t limit);
  std::vector<Dismissal> DismissalsOf(UserId user, std::size_t limit);
  std::vector<PostId> LikedAmong(UserId user, std::span<const PostId> posts);
  std::vector<UserId> DismissedBy(UserId user);
  bool IsRetired(RetiredKind kind, const Uuid& id);
  std::optional<Erasure> FindErasure(UserId user);
  std::vector<Erasure> ReadErasures();
  bool KnowsEvent(const Event& event);
  std::optional<std::string> GetFact(std::string_view key);

  std::vector<User> ListUsers(std::string_view handle_prefix, std::size_t limit);
  ListPage<User> Followers(UserId user, std::size_t limit, const std::optional<ListCursor>& after);
  ListPage<User> Following(UserId user, std::size_t limit, const std::optional<ListCursor>& after);
  ListPage<Post> PostsOf(UserId author, std::size_t limit, const std::optional<ListCursor>& after);
  ListPage<Comment> CommentsOn(PostId post, std::size_t limit, const std::optional<ListCursor>& after);

  std::vector<OutboxEntry> ReadOutbox(std::size_t limit);
  std::string Generation();

 private:
  Connection* connection_;
};

// The statements of the paged lists: each must be answered from an index, in its order (a test has them explained).
std::span<const Statement> ListStatements();

}  // namespace novafeed::postgres
