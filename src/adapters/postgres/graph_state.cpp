#include "adapters/postgres/graph_state.h"

#include <optional>
#include <utility>

#include "adapters/postgres/columns.h"
#include "adapters/postgres/graph_reader.h"
#include "adapters/postgres/retries.h"

namespace novafeed::postgres {
namespace {

constexpr const char* kDoing = "reading the whole graph";

// REPEATABLE READ: the first statement that reads takes the snapshot, for all of the transaction. Locks that were taken
// after a savepoint go when that is rolled back to; the snapshot does not.
constexpr Statement kBegin = {kDoing, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"};
constexpr Statement kMark = {kDoing, "SAVEPOINT before_locks"};
constexpr Statement kHoldAtMost = {kDoing, "SET LOCAL lock_timeout = '150ms'"};
constexpr Statement kHoldWriters = {kDoing, "LOCK TABLE users, posts, comments, likes, follows IN SHARE MODE"};
constexpr Statement kPlace = {kDoing, "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint"};
constexpr Statement kLetWritersGo = {kDoing, "ROLLBACK TO SAVEPOINT before_locks"};
constexpr Statement kEnd = {kDoing, "COMMIT"};

// A table, read from a cursor.
template <class T>
struct Table {
  Statement open;
  Statement fetch;
  T (*read)(const Rows&);
};
constexpr Table<User> kUsers = {
    {kDoing, "DECLARE all_users NO SCROLL CURSOR FOR SELECT " NOVAFEED_USER_COLUMNS " FROM users"},
    {kDoing, "FETCH 2000 FROM all_users"},
    ReadUser};
constexpr Table<Post> kPosts = {
    {kDoing, "DECLARE all_posts NO SCROLL CURSOR FOR SELECT " NOVAFEED_POST_COLUMNS " FROM posts"},
    {kDoing, "FETCH 2000 FROM all_posts"},
    ReadPost};
constexpr Table<Comment> kComments = {
    {kDoing, "DECLARE all_comments NO SCROLL CURSOR FOR SELECT " NOVAFEED_COMMENT_COLUMNS " FROM comments"},
    {kDoing, "FETCH 2000 FROM all_comments"},
    ReadComment};
constexpr Table<Like> kLikes = {
    {kDoing, "DECLARE all_likes NO SCROLL CURSOR FOR SELECT " NOVAFEED_LIKE_COLUMNS " FROM likes"},
    {kDoing, "FETCH 2000 FROM all_likes"},
    ReadLike};
constexpr Table<Follow> kFollows = {
    {kDoing, "DECLARE all_follows NO SCROLL CURSOR FOR SELECT " NOVAFEED_FOLLOW_COLUMNS " FROM follows"},
    {kDoing, "FETCH 2000 FROM all_follows"},
    ReadFollow};

using Take = std::function<void(const std::vector<Change>&)>;

// Begins a transaction whose snapshot is the state at the place that is returned.
std::int64_t BeginAtCut(Connection* connection) {
  try {
    connection->Queue(kBegin, Expect::kAnything);
    connection->Queue(kMark, Expect::kAnything);
    connection->Queue(kHoldAtMost, Expect::kAnything);
    connection->Queue(kHoldWriters, Expect::kAnything);
    Rows place = connection->Execute(kPlace);
    place.Next();
    const std::int64_t cut = place.Int(0);
    connection->Queue(kLetWritersGo, Expect::kAnything);
    connection->Finish();
    return cut;
  } catch (...) {
    connection->RollBack();
    throw;
  }
}

template <class T>
void TakeAll(Connection* connection, const Table<T>& table, std::int64_t cut, const Take& take) {
  connection->Queue(table.open, Expect::kAnything);
  while (true) {
    Rows rows = connection->Execute(table.fetch);
    std::vector<Change> batch;
    batch.reserve(static_cast<std::size_t>(rows.count()));
    while (rows.Next()) {
      Change change;
      change.sequence = cut;
      change.op = ChangeOp::kRead;
      change.after = table.read(rows);
      batch.push_back(std::move(change));
    }
    if (batch.empty()) return;
    take(batch);
  }
}

}  // namespace

std::int64_t ReadGraphState(ConnectionPool* connections, const Take& take) {
  std::optional<ConnectionPool::Lease> connection;
  std::int64_t cut = 0;
  // Only the beginning may be done again: what was taken cannot be given back.
  RunWithRetries(
      [&] {
        connection.reset();
        connection.emplace(connections->Borrow());
        cut = BeginAtCut(&**connection);
      },
      [] {});
  Connection* reader = &**connection;
  try {
    TakeAll(reader, kUsers, cut, take);
    TakeAll(reader, kPosts, cut, take);
    TakeAll(reader, kComments, cut, take);
    TakeAll(reader, kLikes, cut, take);
    TakeAll(reader, kFollows, cut, take);
    reader->Queue(kEnd, Expect::kAnything);
    reader->Finish();
  } catch (...) {
    reader->RollBack();
    throw;
  }
  return cut;
}

}  // namespace novafeed::postgres
