#include "adapters/sqlite/graph_reader.h"

#include <limits>
#include <span>
#include <utility>

#include "adapters/sqlite/event_columns.h"
#include "adapters/sqlite/row_codec.h"
#include "graph/retired.h"

#define USER_COLUMNS "users.id, users.external_id, users.handle, users.name, users.created_at"
#define POST_COLUMNS "id, external_id, author, text, created_at, deleted_at"
#define COMMENT_COLUMNS "id, external_id, post, user, post_author, post_created_at, text, created_at, incarnation"
#define LIKE_COLUMNS "user, post, post_author, post_created_at, created_at, incarnation"
#define FOLLOW_COLUMNS "follower, followee, created_at, incarnation"
#define DISMISSAL_COLUMNS "user, dismissed, created_at"

namespace novafeed::sqlite {
namespace {

constexpr std::size_t kStateBatch = 1000;

// Of a list, everything strictly after (?2, ?3) in the order created_at descending, id ascending.
#define AFTER_CURSOR(created_at, id) \
  " AND " created_at " <= ?2 AND (" created_at " < ?2 OR " id " > ?3) ORDER BY " created_at " DESC, " id " LIMIT ?4"

// CROSS JOIN: SQLite walks the list in its order, then looks up each user.
constexpr char kFollowers[] =
    "SELECT " USER_COLUMNS
    ", follows.created_at, follows.follower FROM follows CROSS JOIN users "
    "ON users.id = follows.follower WHERE follows.followee = ?1" AFTER_CURSOR("follows.created_at", "follows.follower");
constexpr char kFollowing[] =
    "SELECT " USER_COLUMNS
    ", follows.created_at, follows.followee FROM follows CROSS JOIN users "
    "ON users.id = follows.followee WHERE follows.follower = ?1" AFTER_CURSOR("follows.created_at", "follows.followee");
constexpr char kPostsOf[] = "SELECT " POST_COLUMNS
                            ", created_at, id FROM posts "
                            "WHERE author = ?1 AND deleted_at IS NULL" AFTER_CURSOR("created_at", "id");
constexpr char kCommentsOn[] =
    "SELECT " COMMENT_COLUMNS ", created_at, id FROM comments WHERE post = ?1" AFTER_CURSOR("created_at", "id");
constexpr const char* kListQueries[] = {kFollowers, kFollowing, kPostsOf, kCommentsOn};

// ?2 holds the posts' ids, 16 bytes each, one behind the other. CROSS JOIN: SQLite looks up each like, then its post.
constexpr char kLikedAmong[] =
    "WITH RECURSIVE named (place) AS "
    "(SELECT 0 WHERE length(?2) > 0 UNION ALL SELECT place + 16 FROM named WHERE place + 16 < length(?2)) "
    "SELECT likes.post FROM likes CROSS JOIN posts ON posts.id = likes.post WHERE likes.user = ?1 "
    "AND likes.post IN (SELECT substr(?2, place + 1, 16) FROM named) AND posts.deleted_at IS NULL";

User ReadUser(const Rows& rows) {
  return {UserId{rows.Id(0)}, rows.OptionalText(1), rows.Text(2), rows.Text(3), rows.Int(4)};
}

Post ReadPost(const Rows& rows) {
  return {PostId{rows.Id(0)}, rows.OptionalText(1), UserId{rows.Id(2)}, rows.Text(3), rows.Int(4), rows.OptionalInt(5)};
}

Comment ReadComment(const Rows& rows) {
  return {CommentId{rows.Id(0)}, rows.OptionalText(1), PostId{rows.Id(2)}, UserId{rows.Id(3)}, UserId{rows.Id(4)},
          rows.Int(5),           rows.Text(6),         rows.Int(7),        rows.Int(8)};
}

Like ReadLike(const Rows& rows) {
  return {UserId{rows.Id(0)}, PostId{rows.Id(1)}, UserId{rows.Id(2)}, rows.Int(3), rows.Int(4), rows.Int(5)};
}

Follow ReadFollow(const Rows& rows) {
  return {UserId{rows.Id(0)}, UserId{rows.Id(1)}, rows.Int(2), rows.Int(3)};
}

Dismissal ReadDismissal(const Rows& rows) {
  return {UserId{rows.Id(0)}, UserId{rows.Id(1)}, rows.Int(2)};
}

Erasure ReadErasure(const Rows& rows) {
  return {UserId{rows.Id(0)}, UserId{rows.Id(1)}, rows.Int(2), rows.Int(3) != 0};
}

std::optional<Row> ReadImage(const Rows& rows, RowKind kind, int column) {
  if (rows.IsNull(column)) {
    return std::nullopt;
  }
  Result<Row> row = DecodeRow(kind, rows.Bytes(column));
  if (!row) {
    throw StoreError(row.error());
  }
  return *std::move(row);
}

Change ReadChange(const Rows& rows) {
  const auto kind = static_cast<RowKind>(rows.Int(3));
  return {rows.Int(0),
          rows.Int(1),
          rows.Int(2),
          static_cast<ChangeOp>(rows.Int(4)),
          ReadImage(rows, kind, 5),
          ReadImage(rows, kind, 6)};
}

OutboxEntry ReadOutboxEntry(const Rows& rows) {
  return {rows.Int(0), ReadEvent(rows, 1)};
}

template <class T>
std::optional<T> One(Rows rows, T (*read)(const Rows&)) {
  return rows.Next() ? std::optional<T>(read(rows)) : std::nullopt;
}

template <class T>
void AppendAll(Rows rows, T (*read)(const Rows&), std::vector<T>* items) {
  while (rows.Next()) {
    items->push_back(read(rows));
  }
}

template <class T>
std::vector<T> All(Rows rows, T (*read)(const Rows&)) {
  std::vector<T> items;
  while (rows.Next()) {
    items.push_back(read(rows));
  }
  return items;
}

// A keyset page. The statement's parameters: whose list, created_at and id to read after, and how many rows; its last
// columns are created_at and id of the list's order. One row more than `limit` tells whether there is a next page.
template <class T, class Owner>
ListPage<T> Page(Statement& statement, T (*read)(const Rows&), int order_column, const Owner& owner, std::size_t limit,
                 const std::optional<ListCursor>& after) {
  const TimeMs created_at = after ? after->created_at : std::numeric_limits<TimeMs>::max();
  const Uuid id = after ? after->id : Uuid{};
  Rows rows = statement.Query(owner, created_at, id, static_cast<std::int64_t>(limit) + 1);
  ListPage<T> page;
  ListCursor last;
  while (rows.Next()) {
    if (page.items.size() == limit) {
      page.next = last;
      break;
    }
    last = {rows.Int(order_column), rows.Id(order_column + 1)};
    page.items.push_back(read(rows));
  }
  return page;
}

template <class T>
void ReadTable(Database& database, const char* sql, T (*read)(const Rows&), const Change& form,
               const std::function<void(const std::vector<Change>&)>& take) {
  Statement statement(database, "reading the whole state", sql);
  std::vector<Change> batch;
  batch.reserve(kStateBatch);
  for (Rows rows = statement.Query(); rows.Next();) {
    batch.push_back(form);
    batch.back().after = read(rows);
    if (batch.size() == kStateBatch) {
      take(batch);
      batch.clear();
    }
  }
  if (!batch.empty()) {
    take(batch);
  }
}

}  // namespace

const char* LikedAmongQuery() {
  return kLikedAmong;
}

std::span<const char* const> ListQueries() {
  return kListQueries;
}

GraphReader::GraphReader(Database& database)
    : find_user_(database, "finding a user", "SELECT " USER_COLUMNS " FROM users WHERE id = ?1"),
      find_user_by_handle_(database, "finding a handle", "SELECT " USER_COLUMNS " FROM users WHERE handle = ?1"),
      find_post_(database, "finding a post", "SELECT " POST_COLUMNS " FROM posts WHERE id = ?1"),
      find_comment_(database, "finding a comment", "SELECT " COMMENT_COLUMNS " FROM comments WHERE id = ?1"),
      find_like_(database, "finding a like", "SELECT " LIKE_COLUMNS " FROM likes WHERE user = ?1 AND post = ?2"),
      find_follow_(database, "finding a follow",
                   "SELECT " FOLLOW_COLUMNS " FROM follows WHERE follower = ?1 AND followee = ?2"),
      live_posts_of_(database, "reading a user's posts",
                     "SELECT " POST_COLUMNS " FROM posts WHERE author = ?1 AND deleted_at IS NULL LIMIT ?2"),
      comments_of_(database, "reading a user's comments",
                   "SELECT " COMMENT_COLUMNS " FROM comments WHERE user = ?1 LIMIT ?2"),
      likes_of_(database, "reading a user's likes", "SELECT " LIKE_COLUMNS " FROM likes WHERE user = ?1 LIMIT ?2"),
      liked_among_(database, "looking up a user's likes", kLikedAmong),
      follows_from_(database, "reading whom a user follows",
                    "SELECT " FOLLOW_COLUMNS " FROM follows WHERE follower = ?1 LIMIT ?2"),
      follows_to_(database, "reading who follows a user",
                  "SELECT " FOLLOW_COLUMNS " FROM follows WHERE followee = ?1 LIMIT ?2"),
      dismissals_by_(database, "reading whom a user has dismissed",
                     "SELECT " DISMISSAL_COLUMNS " FROM dismissals WHERE user = ?1 LIMIT ?2"),
      dismissals_of_(database, "reading who has dismissed a user",
                     "SELECT " DISMISSAL_COLUMNS " FROM dismissals WHERE dismissed = ?1 LIMIT ?2"),
      dismissed_by_(database, "reading whom a user has dismissed", "SELECT dismissed FROM dismissals WHERE user = ?1"),
      is_retired_(database, "looking up an erased id", "SELECT 1 FROM retired_ids WHERE kind = ?1 AND digest = ?2"),
      find_erasure_(database, "looking up an erasure",
                    "SELECT user, pseudonym, erased_at, removed FROM erasures WHERE user = ?1"),
      read_erasures_(database, "reading the erasures", "SELECT user, pseudonym, erased_at, removed FROM erasures"),
      knows_event_(database, "looking up an event", "SELECT 1 FROM event_identities WHERE at = ?1 AND digest = ?2"),
      get_fact_(database, "reading a fact", "SELECT value FROM facts WHERE key = ?1"),
      list_users_(database, "listing users",
                  "SELECT " USER_COLUMNS " FROM users WHERE handle >= ?1 ORDER BY handle LIMIT ?2"),
      followers_(database, "listing followers", kFollowers),
      following_(database, "listing whom a user follows", kFollowing),
      posts_of_(database, "listing a user's posts", kPostsOf),
      comments_on_(database, "listing a post's comments", kCommentsOn),
      read_outbox_(database, "reading the outbox",
                   "SELECT sequence, " NOVAFEED_EVENT_COLUMNS " FROM outbox ORDER BY sequence LIMIT ?1"),
      read_changes_(database, "reading the change log",
                    "SELECT sequence, work, committed_at, kind, op, before, after FROM changes "
                    "WHERE sequence > ?1 ORDER BY sequence LIMIT ?2"),
      forgotten_through_(database, "reading how far changes were forgotten",
                         "SELECT forgotten_through FROM change_log"),
      last_sequence_(database, "reading the end of the change log",
                     "SELECT max((SELECT ifnull(max(sequence), 0) FROM changes), forgotten_through) FROM change_log") {}

std::optional<User> GraphReader::FindUser(UserId id) {
  return One(find_user_.Query(id), ReadUser);
}

std::optional<User> GraphReader::FindUserByHandle(std::string_view handle) {
  return One(find_user_by_handle_.Query(handle), ReadUser);
}

std::optional<Post> GraphReader::FindPost(PostId id) {
  return One(find_post_.Query(id), ReadPost);
}

std::optional<Comment> GraphReader::FindComment(CommentId id) {
  return One(find_comment_.Query(id), ReadComment);
}

std::optional<Like> GraphReader::FindLike(UserId user, PostId post) {
  return One(find_like_.Query(user, post), ReadLike);
}

std::optional<Follow> GraphReader::FindFollow(UserId follower, UserId followee) {
  return One(find_follow_.Query(follower, followee), ReadFollow);
}

std::vector<Post> GraphReader::LivePostsOf(UserId author, std::size_t limit) {
  return All(live_posts_of_.Query(author, static_cast<std::int64_t>(limit)), ReadPost);
}

std::vector<Comment> GraphReader::CommentsOf(UserId user, std::size_t limit) {
  return All(comments_of_.Query(user, static_cast<std::int64_t>(limit)), ReadComment);
}

std::vector<Like> GraphReader::LikesOf(UserId user, std::size_t limit) {
  return All(likes_of_.Query(user, static_cast<std::int64_t>(limit)), ReadLike);
}

std::vector<Follow> GraphReader::FollowsOf(UserId user, std::size_t limit) {
  std::vector<Follow> follows = All(follows_from_.Query(user, static_cast<std::int64_t>(limit)), ReadFollow);
  AppendAll(follows_to_.Query(user, static_cast<std::int64_t>(limit - follows.size())), ReadFollow, &follows);
  return follows;
}

// Nobody dismisses themselves, so no row is read twice.
std::vector<Dismissal> GraphReader::DismissalsOf(UserId user, std::size_t limit) {
  std::vector<Dismissal> found = All(dismissals_by_.Query(user, static_cast<std::int64_t>(limit)), ReadDismissal);
  AppendAll(dismissals_of_.Query(user, static_cast<std::int64_t>(limit - found.size())), ReadDismissal, &found);
  return found;
}

std::vector<PostId> GraphReader::LikedAmong(UserId user, std::span<const PostId> posts) {
  std::string ids;
  for (const PostId& post : posts) ids.append(post.value.bytes.begin(), post.value.bytes.end());
  std::vector<PostId> liked;
  for (Rows rows = liked_among_.Query(user, Blob{ids}); rows.Next();) {
    liked.push_back(PostId{rows.Id(0)});
  }
  return liked;
}

std::vector<UserId> GraphReader::DismissedBy(UserId user) {
  std::vector<UserId> dismissed;
  for (Rows rows = dismissed_by_.Query(user); rows.Next();) {
    dismissed.push_back(UserId{rows.Id(0)});
  }
  return dismissed;
}

bool GraphReader::IsRetired(RetiredKind kind, const Uuid& id) {
  return is_retired_.Query(static_cast<std::int64_t>(kind), RetiredDigest(kind, id)).Next();
}

std::optional<Erasure> GraphReader::FindErasure(UserId user) {
  return One(find_erasure_.Query(user), ReadErasure);
}

std::vector<Erasure> GraphReader::ReadErasures() {
  return All(read_erasures_.Query(), ReadErasure);
}

bool GraphReader::KnowsEvent(const Event& event) {
  return knows_event_.Query(event.at, EventIdentity(event)).Next();
}

std::optional<std::string> GraphReader::GetFact(std::string_view key) {
  Rows rows = get_fact_.Query(key);
  return rows.Next() ? std::optional(rows.Text(0)) : std::nullopt;
}

std::vector<User> GraphReader::ListUsers(std::string_view handle_prefix, std::size_t limit) {
  std::vector<User> users;
  Rows rows = list_users_.Query(handle_prefix, static_cast<std::int64_t>(limit));
  while (rows.Next() && rows.Bytes(2).starts_with(handle_prefix)) {
    users.push_back(ReadUser(rows));
  }
  return users;
}

ListPage<User> GraphReader::Followers(UserId user, std::size_t limit, const std::optional<ListCursor>& after) {
  return Page(followers_, ReadUser, 5, user, limit, after);
}

ListPage<User> GraphReader::Following(UserId user, std::size_t limit, const std::optional<ListCursor>& after) {
  return Page(following_, ReadUser, 5, user, limit, after);
}

ListPage<Post> GraphReader::PostsOf(UserId author, std::size_t limit, const std::optional<ListCursor>& after) {
  return Page(posts_of_, ReadPost, 6, author, limit, after);
}

ListPage<Comment> GraphReader::CommentsOn(PostId post, std::size_t limit, const std::optional<ListCursor>& after) {
  return Page(comments_on_, ReadComment, 9, post, limit, after);
}

std::vector<OutboxEntry> GraphReader::ReadOutbox(std::size_t limit) {
  return All(read_outbox_.Query(static_cast<std::int64_t>(limit)), ReadOutboxEntry);
}

std::vector<Change> GraphReader::ReadChanges(std::int64_t after, std::size_t limit) {
  return All(read_changes_.Query(after, static_cast<std::int64_t>(limit)), ReadChange);
}

std::int64_t GraphReader::ForgottenThrough() {
  Rows rows = forgotten_through_.Query();
  rows.Next();
  return rows.Int(0);
}

std::int64_t GraphReader::LastSequence() {
  Rows rows = last_sequence_.Query();
  rows.Next();
  return rows.Int(0);
}

void ReadAllRows(Database& database, std::int64_t cut, TimeMs now,
                 const std::function<void(const std::vector<Change>&)>& take) {
  const Change form = {cut, cut, now, ChangeOp::kRead, std::nullopt, std::nullopt};
  ReadTable(database, "SELECT " USER_COLUMNS " FROM users", ReadUser, form, take);
  ReadTable(database, "SELECT " POST_COLUMNS " FROM posts", ReadPost, form, take);
  ReadTable(database, "SELECT " COMMENT_COLUMNS " FROM comments", ReadComment, form, take);
  ReadTable(database, "SELECT " LIKE_COLUMNS " FROM likes", ReadLike, form, take);
  ReadTable(database, "SELECT " FOLLOW_COLUMNS " FROM follows", ReadFollow, form, take);
}

}  // namespace novafeed::sqlite
