// Everything that is read from graph.db, over one connection: shared by the write transaction and the read pool.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/sqlite/database.h"
#include "capture/change.h"
#include "graph/store.h"
#include "social/entities.h"

namespace novafeed::sqlite {

// Used by one thread at a time; throws StoreError. Each method reads one consistent state.
class GraphReader {
 public:
  explicit GraphReader(Database& database);  // which outlives this

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
  std::vector<Change> ReadChanges(std::int64_t after, std::size_t limit);
  std::int64_t ForgottenThrough();  // changes up to here are gone
  std::int64_t LastSequence();      // of the changes ever written, also where they are forgotten

 private:
  Statement find_user_;
  Statement find_user_by_handle_;
  Statement find_post_;
  Statement find_comment_;
  Statement find_like_;
  Statement find_follow_;
  Statement live_posts_of_;
  Statement comments_of_;
  Statement likes_of_;
  Statement liked_among_;
  Statement follows_from_;
  Statement follows_to_;
  Statement dismissals_by_;
  Statement dismissals_of_;
  Statement dismissed_by_;
  Statement is_retired_;
  Statement find_erasure_;
  Statement read_erasures_;
  Statement knows_event_;
  Statement get_fact_;
  Statement list_users_;
  Statement followers_;
  Statement following_;
  Statement posts_of_;
  Statement comments_on_;
  Statement read_outbox_;
  Statement read_changes_;
  Statement forgotten_through_;
  Statement last_sequence_;
};

// The query of LikedAmong: each like must be looked up by its key (a test has it explained).
const char* LikedAmongQuery();

// The queries of the paged lists: each must be answered from an index, in its order (a test has them explained).
std::span<const char* const> ListQueries();

// Every row of the five tables, as kRead changes in batches; the connection has a read transaction open.
// `cut` is the sequence and `now` the time that they carry.
void ReadAllRows(Database& database, std::int64_t cut, TimeMs now,
                 const std::function<void(const std::vector<Change>&)>& take);

}  // namespace novafeed::sqlite
