#include "adapters/postgres/graph_reader.h"

#include <cstdint>
#include <stdexcept>
#include <utility>

#include "adapters/postgres/columns.h"
#include "graph/retired.h"

namespace novafeed::postgres {
namespace {

constexpr Statement kFindUser = {"finding a user", "SELECT " NOVAFEED_USER_COLUMNS " FROM users WHERE id = $1"};
constexpr Statement kFindUserByHandle = {"finding a handle",
                                         "SELECT " NOVAFEED_USER_COLUMNS " FROM users WHERE handle = $1"};
constexpr Statement kFindPost = {"finding a post", "SELECT " NOVAFEED_POST_COLUMNS " FROM posts WHERE id = $1"};
constexpr Statement kFindComment = {"finding a comment",
                                    "SELECT " NOVAFEED_COMMENT_COLUMNS " FROM comments WHERE id = $1"};
constexpr Statement kFindLike = {"finding a like",
                                 "SELECT " NOVAFEED_LIKE_COLUMNS " FROM likes WHERE user_id = $1 AND post_id = $2"};
constexpr Statement kFindFollow = {
    "finding a follow", "SELECT " NOVAFEED_FOLLOW_COLUMNS " FROM follows WHERE follower_id = $1 AND following_id = $2"};
constexpr Statement kLivePostsOf = {"reading a user's posts",
                                    "SELECT " NOVAFEED_POST_COLUMNS
                                    " FROM posts WHERE author_id = $1 AND deleted_at IS NULL LIMIT $2"};
constexpr Statement kCommentsOf = {"reading a user's comments",
                                   "SELECT " NOVAFEED_COMMENT_COLUMNS " FROM comments WHERE user_id = $1 LIMIT $2"};
constexpr Statement kLikesOf = {"reading a user's likes",
                                "SELECT " NOVAFEED_LIKE_COLUMNS " FROM likes WHERE user_id = $1 LIMIT $2"};
constexpr Statement kLikedAmong = {"looking up a user's likes",
                                   "SELECT likes.post_id FROM likes JOIN posts ON posts.id = likes.post_id "
                                   "WHERE likes.user_id = $1 AND likes.post_id = ANY ($2::text::uuid[]) "
                                   "AND posts.deleted_at IS NULL"};
constexpr Statement kFollowsFrom = {"reading whom a user follows",
                                    "SELECT " NOVAFEED_FOLLOW_COLUMNS " FROM follows WHERE follower_id = $1 LIMIT $2"};
constexpr Statement kFollowsTo = {"reading who follows a user",
                                  "SELECT " NOVAFEED_FOLLOW_COLUMNS " FROM follows WHERE following_id = $1 LIMIT $2"};
constexpr Statement kDismissalsBy = {"reading whom a user has dismissed",
                                     "SELECT " NOVAFEED_DISMISSAL_COLUMNS
                                     " FROM dismissals WHERE user_id = $1 LIMIT $2"};
constexpr Statement kDismissalsOf = {"reading who has dismissed a user",
                                     "SELECT " NOVAFEED_DISMISSAL_COLUMNS
                                     " FROM dismissals WHERE dismissed_id = $1 LIMIT $2"};
constexpr Statement kDismissedBy = {"reading whom a user has dismissed",
                                    "SELECT dismissed_id FROM dismissals WHERE user_id = $1"};
constexpr Statement kIsRetired = {"looking up an erased id",
                                  "SELECT 1 FROM retired_ids WHERE kind = $1 AND digest = $2"};
constexpr Statement kFindErasure = {"looking up an erasure",
                                    "SELECT " NOVAFEED_ERASURE_COLUMNS " FROM erasures WHERE user_id = $1"};
constexpr Statement kReadErasures = {"reading the erasures", "SELECT " NOVAFEED_ERASURE_COLUMNS " FROM erasures"};
constexpr Statement kKnowsEvent = {"looking up an event",
                                   "SELECT 1 FROM event_identities WHERE at = $1 AND digest = $2"};
constexpr Statement kGetFact = {"reading a fact", "SELECT value FROM facts WHERE key = $1"};
constexpr Statement kListUsers = {
    "listing users", "SELECT " NOVAFEED_USER_COLUMNS " FROM users WHERE handle >= $1 ORDER BY handle LIMIT $2"};
constexpr Statement kReadOutbox = {
    "reading the outbox", "SELECT sequence, " NOVAFEED_EVENT_COLUMNS " FROM outbox ORDER BY sequence LIMIT $1"};

// The row names the data set, and the other two where its positions count: a place in the log of one cluster.
constexpr Statement kGeneration = {
    "reading the name of the data set",
    "SELECT generation || '-' || (SELECT to_hex(system_identifier) FROM pg_control_system()) FROM data_set"};

// Of a list, everything strictly after ($2, $3) in the order created_at descending, id ascending.
#define AFTER_CURSOR(created_at, id) \
  " AND " created_at " <= $2 AND (" created_at " < $2 OR " id " > $3) ORDER BY " created_at " DESC, " id " LIMIT $4"

constexpr Statement kLists[] = {
    {"listing followers",
     "SELECT " NOVAFEED_USER_COLUMNS
     ", follows.created_at, follows.follower_id FROM follows JOIN users ON users.id = follows.follower_id "
     "WHERE follows.following_id = $1" AFTER_CURSOR("follows.created_at", "follows.follower_id")},
    {"listing whom a user follows",
     "SELECT " NOVAFEED_USER_COLUMNS
     ", follows.created_at, follows.following_id FROM follows JOIN users ON users.id = follows.following_id "
     "WHERE follows.follower_id = $1" AFTER_CURSOR("follows.created_at", "follows.following_id")},
    {"listing a user's posts", "SELECT " NOVAFEED_POST_COLUMNS ", created_at, id FROM posts WHERE author_id = $1 "
                               "AND deleted_at IS NULL" AFTER_CURSOR("created_at", "id")},
    {"listing a post's comments", "SELECT " NOVAFEED_COMMENT_COLUMNS
                                  ", created_at, id FROM comments WHERE post_id = $1" AFTER_CURSOR("created_at", "id")},
};
constexpr const Statement& kFollowers = kLists[0];
constexpr const Statement& kFollowing = kLists[1];
constexpr const Statement& kPostsOf = kLists[2];
constexpr const Statement& kCommentsOn = kLists[3];

Dismissal ReadDismissal(const Rows& rows) {
  return {UserId{rows.Id(0)}, UserId{rows.Id(1)}, rows.Time(2)};
}

Erasure ReadErasure(const Rows& rows) {
  return {UserId{rows.Id(0)}, UserId{rows.Id(1)}, rows.Time(2), rows.Bool(3)};
}

OutboxEntry ReadOutboxEntry(const Rows& rows) {
  return {rows.Int(0),
          {UserId{rows.Id(1)}, static_cast<EventType>(rows.Int(2)), PostId{rows.Id(3)}, rows.Time(4),
           EventId{rows.Id(5)}, UserId{rows.Id(6)}, rows.Time(7)}};
}

UserId ReadUserId(const Rows& rows) {
  return UserId{rows.Id(0)};
}

PostId ReadPostId(const Rows& rows) {
  return PostId{rows.Id(0)};
}

std::int64_t AsLimit(std::size_t limit) {
  return static_cast<std::int64_t>(limit);
}

std::int16_t NumberOf(RetiredKind kind) {
  return static_cast<std::int16_t>(kind);
}

template <class T>
std::optional<T> One(Rows rows, T (*read)(const Rows&)) {
  return rows.Next() ? std::optional<T>(read(rows)) : std::nullopt;
}

template <class T>
void AppendAll(Rows rows, T (*read)(const Rows&), std::vector<T>* items) {
  while (rows.Next()) items->push_back(read(rows));
}

template <class T>
std::vector<T> All(Rows rows, T (*read)(const Rows&)) {
  std::vector<T> items;
  items.reserve(static_cast<std::size_t>(rows.count()));
  AppendAll(std::move(rows), read, &items);
  return items;
}

// A keyset page. The statement's parameters: whose list, created_at and id to read after, and how many rows; its last
// columns, from `order_column` on, are created_at and id of the list's order. One row more than `limit` tells whether
// there is a next page.
template <class T, class Owner>
ListPage<T> Page(Connection* connection, const Statement& statement, T (*read)(const Rows&), int order_column,
                 const Owner& owner, std::size_t limit, const std::optional<ListCursor>& after) {
  const Instant created_at = {after ? after->created_at : kInfinity};
  const Uuid id = after ? after->id : Uuid{};
  Rows rows = connection->Execute(statement, owner, created_at, id, AsLimit(limit + 1));
  ListPage<T> page;
  ListCursor last;
  while (rows.Next()) {
    if (page.items.size() == limit) {
      page.next = last;
      break;
    }
    last = {rows.Time(order_column), rows.Id(order_column + 1)};
    page.items.push_back(read(rows));
  }
  return page;
}

}  // namespace

std::span<const Statement> ListStatements() {
  return kLists;
}

User ReadUser(const Rows& rows) {
  return {UserId{rows.Id(0)}, rows.OptionalText(1), rows.Text(2), rows.Text(3), rows.Time(4)};
}

Post ReadPost(const Rows& rows) {
  return {PostId{rows.Id(0)}, rows.OptionalText(1), UserId{rows.Id(2)},
          rows.Text(3),       rows.Time(4),         rows.OptionalTime(5)};
}

Comment ReadComment(const Rows& rows) {
  return {CommentId{rows.Id(0)}, rows.OptionalText(1), PostId{rows.Id(2)}, UserId{rows.Id(3)}, UserId{rows.Id(4)},
          rows.Time(5),          rows.Text(6),         rows.Time(7),       rows.Int(8)};
}

Like ReadLike(const Rows& rows) {
  return {UserId{rows.Id(0)}, PostId{rows.Id(1)}, UserId{rows.Id(2)}, rows.Time(3), rows.Time(4), rows.Int(5)};
}

Follow ReadFollow(const Rows& rows) {
  return {UserId{rows.Id(0)}, UserId{rows.Id(1)}, rows.Time(2), rows.Int(3)};
}

std::optional<User> GraphReader::FindUser(UserId id) {
  return One(connection_->Execute(kFindUser, id), ReadUser);
}

std::optional<User> GraphReader::FindUserByHandle(std::string_view handle) {
  return One(connection_->Execute(kFindUserByHandle, handle), ReadUser);
}

std::optional<Post> GraphReader::FindPost(PostId id) {
  return One(connection_->Execute(kFindPost, id), ReadPost);
}

std::optional<Comment> GraphReader::FindComment(CommentId id) {
  return One(connection_->Execute(kFindComment, id), ReadComment);
}

std::optional<Like> GraphReader::FindLike(UserId user, PostId post) {
  return One(connection_->Execute(kFindLike, user, post), ReadLike);
}

std::optional<Follow> GraphReader::FindFollow(UserId follower, UserId followee) {
  return One(connection_->Execute(kFindFollow, follower, followee), ReadFollow);
}

std::vector<Post> GraphReader::LivePostsOf(UserId author, std::size_t limit) {
  return All(connection_->Execute(kLivePostsOf, author, AsLimit(limit)), ReadPost);
}

std::vector<Comment> GraphReader::CommentsOf(UserId user, std::size_t limit) {
  return All(connection_->Execute(kCommentsOf, user, AsLimit(limit)), ReadComment);
}

std::vector<Like> GraphReader::LikesOf(UserId user, std::size_t limit) {
  return All(connection_->Execute(kLikesOf, user, AsLimit(limit)), ReadLike);
}

std::vector<Follow> GraphReader::FollowsOf(UserId user, std::size_t limit) {
  std::vector<Follow> found = All(connection_->Execute(kFollowsFrom, user, AsLimit(limit)), ReadFollow);
  AppendAll(connection_->Execute(kFollowsTo, user, AsLimit(limit - found.size())), ReadFollow, &found);
  return found;
}

// Nobody dismisses themselves, so no row is read twice.
std::vector<Dismissal> GraphReader::DismissalsOf(UserId user, std::size_t limit) {
  std::vector<Dismissal> found = All(connection_->Execute(kDismissalsBy, user, AsLimit(limit)), ReadDismissal);
  AppendAll(connection_->Execute(kDismissalsOf, user, AsLimit(limit - found.size())), ReadDismissal, &found);
  return found;
}

std::vector<PostId> GraphReader::LikedAmong(UserId user, std::span<const PostId> posts) {
  const std::string ids = UuidArray(posts, [](const PostId& post) { return post.value; });
  return All(connection_->Execute(kLikedAmong, user, ids), ReadPostId);
}

std::vector<UserId> GraphReader::DismissedBy(UserId user) {
  return All(connection_->Execute(kDismissedBy, user), ReadUserId);
}

bool GraphReader::IsRetired(RetiredKind kind, const Uuid& id) {
  return connection_->Execute(kIsRetired, NumberOf(kind), RetiredDigest(kind, id)).Next();
}

std::optional<Erasure> GraphReader::FindErasure(UserId user) {
  return One(connection_->Execute(kFindErasure, user), ReadErasure);
}

std::vector<Erasure> GraphReader::ReadErasures() {
  return All(connection_->Execute(kReadErasures), ReadErasure);
}

bool GraphReader::KnowsEvent(const Event& event) {
  return connection_->Execute(kKnowsEvent, Instant{event.at}, EventIdentity(event)).Next();
}

std::optional<std::string> GraphReader::GetFact(std::string_view key) {
  Rows rows = connection_->Execute(kGetFact, key);
  return rows.Next() ? std::optional(rows.Text(0)) : std::nullopt;
}

std::vector<User> GraphReader::ListUsers(std::string_view handle_prefix, std::size_t limit) {
  std::vector<User> users;
  Rows rows = connection_->Execute(kListUsers, handle_prefix, AsLimit(limit));
  while (rows.Next()) {
    User user = ReadUser(rows);
    if (!user.handle.starts_with(handle_prefix)) break;
    users.push_back(std::move(user));
  }
  return users;
}

ListPage<User> GraphReader::Followers(UserId user, std::size_t limit, const std::optional<ListCursor>& after) {
  return Page(connection_, kFollowers, ReadUser, 5, user, limit, after);
}

ListPage<User> GraphReader::Following(UserId user, std::size_t limit, const std::optional<ListCursor>& after) {
  return Page(connection_, kFollowing, ReadUser, 5, user, limit, after);
}

ListPage<Post> GraphReader::PostsOf(UserId author, std::size_t limit, const std::optional<ListCursor>& after) {
  return Page(connection_, kPostsOf, ReadPost, 6, author, limit, after);
}

ListPage<Comment> GraphReader::CommentsOn(PostId post, std::size_t limit, const std::optional<ListCursor>& after) {
  return Page(connection_, kCommentsOn, ReadComment, 9, post, limit, after);
}

std::vector<OutboxEntry> GraphReader::ReadOutbox(std::size_t limit) {
  return All(connection_->Execute(kReadOutbox, AsLimit(limit)), ReadOutboxEntry);
}

std::string GraphReader::Generation() {
  Rows rows = connection_->Execute(kGeneration);
  if (!rows.Next()) throw std::logic_error("the data set has no name");
  return rows.Text(0);
}

}  // namespace novafeed::postgres
