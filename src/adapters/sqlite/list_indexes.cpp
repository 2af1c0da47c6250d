#include "adapters/sqlite/list_indexes.h"

namespace novafeed::sqlite {
namespace {

// Tables with more rows than this keep their indexes: making them again takes seconds.
constexpr std::int64_t kSmallTable = 200'000;

constexpr char kMake[] = R"sql(
  CREATE INDEX IF NOT EXISTS posts_newest ON posts (author, created_at DESC, id) WHERE deleted_at IS NULL;
  CREATE INDEX IF NOT EXISTS comments_newest ON comments (post, created_at DESC, id);
  CREATE INDEX IF NOT EXISTS comments_by_user ON comments (user);
  CREATE INDEX IF NOT EXISTS following_newest ON follows (follower, created_at DESC, followee);
  CREATE INDEX IF NOT EXISTS followers_newest ON follows (followee, created_at DESC, follower);
)sql";

constexpr char kDrop[] = R"sql(
  DROP INDEX IF EXISTS posts_newest;
  DROP INDEX IF EXISTS comments_newest;
  DROP INDEX IF EXISTS comments_by_user;
  DROP INDEX IF EXISTS following_newest;
  DROP INDEX IF EXISTS followers_newest;
)sql";

bool IsSmall(Database& database, const std::string& table) {
  const std::string beyond =
      "SELECT count(*) FROM (SELECT 1 FROM " + table + " LIMIT " + std::to_string(kSmallTable + 1) + ")";
  return database.QueryInt("measuring a table", beyond) <= kSmallTable;
}

}  // namespace

void MakeListIndexes(Database& database) {
  database.Execute("making the indexes of lists", kMake);
}

void DropListIndexesForBulk(Database& database) {
  if (IsSmall(database, "follows") && IsSmall(database, "posts") && IsSmall(database, "comments")) {
    database.Execute("dropping the indexes of lists", kDrop);
  }
}

}  // namespace novafeed::sqlite
