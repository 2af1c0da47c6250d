#include "adapters/postgres/graph_erasure.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>

#include "adapters/postgres/retries.h"
#include "graph/retired.h"

namespace novafeed::postgres {
namespace {

using SteadyClock = std::chrono::steady_clock;

// How long the purge waits for transactions that may have read an author's name before it went from the posts.
constexpr std::chrono::seconds kReadersPatience{30};
constexpr std::chrono::milliseconds kReadersPause{20};

// Walks through 20,000 rows from a key on, hides in those that name somebody, and answers the last key. $1 is where to
// begin, $2 and $3 the users and their pseudonyms. Only the rows that are hidden are locked.
#define ERASED "unnest($2::text::uuid[], $3::text::uuid[]) AS erased(user_id, pseudonym)"

constexpr Statement kHidePosts = {
    "hiding authors of posts",
    "WITH part AS MATERIALIZED (SELECT id, author_id FROM posts WHERE id >= $1 ORDER BY id LIMIT 20000), "
    "hidden AS (UPDATE posts SET author_id = erased.pseudonym, external_id = NULL FROM part, " ERASED
    " WHERE posts.id = part.id AND part.author_id = erased.user_id AND posts.author_id = erased.user_id "
    "AND posts.deleted_at IS NOT NULL) "
    "SELECT id FROM part ORDER BY id DESC LIMIT 1"};
constexpr Statement kHideComments = {
    "hiding authors in comments",
    "WITH part AS MATERIALIZED (SELECT id, post_author_id FROM comments WHERE id >= $1 ORDER BY id LIMIT 20000), "
    "hidden AS (UPDATE comments SET post_author_id = erased.pseudonym FROM part, " ERASED
    " WHERE comments.id = part.id AND part.post_author_id = erased.user_id "
    "AND comments.post_author_id = erased.user_id) "
    "SELECT id FROM part ORDER BY id DESC LIMIT 1"};
constexpr Statement kHideLikes = {
    "hiding authors in likes",
    "WITH part AS MATERIALIZED (SELECT user_id, post_id, post_author_id FROM likes WHERE (user_id, post_id) >= ($1, "
    "$4) "
    "ORDER BY user_id, post_id LIMIT 20000), "
    "hidden AS (UPDATE likes SET post_author_id = erased.pseudonym FROM part, " ERASED
    " WHERE likes.user_id = part.user_id AND likes.post_id = part.post_id AND part.post_author_id = erased.user_id "
    "AND likes.post_author_id = erased.user_id) "
    "SELECT user_id, post_id FROM part ORDER BY user_id DESC, post_id DESC LIMIT 1"};

constexpr Statement kDropOutbox = {"clearing the outbox of a user", "DELETE FROM outbox WHERE user_id = $1"};
constexpr Statement kHideOutbox = {"hiding an author in the outbox",
                                   "UPDATE outbox SET post_author_id = $2 WHERE post_author_id = $1"};
constexpr Statement kDropFacts = {"forgetting facts of a user", "DELETE FROM facts WHERE strpos(key, $1) > 0"};
constexpr Statement kCloseErasure = {"closing an erasure", "DELETE FROM erasures WHERE user_id = $1"};

constexpr std::int64_t kScanned = 20'000;  // ids of one read
constexpr std::size_t kRetired = 2000;     // of one transaction

// Kind 1 is RetiredKind::kUser.
constexpr Statement kRetiredUsers = {
    "reading the erased users",
    "SELECT digest FROM retired_ids WHERE kind = 1 AND digest >= $1 ORDER BY digest LIMIT $2"};
constexpr Statement kUserIds = {"looking for erased users", "SELECT id FROM users WHERE id >= $1 ORDER BY id LIMIT $2"};
constexpr Statement kRetireIds = {"retiring ids",
                                  "INSERT INTO retired_ids (kind, digest) "
                                  "SELECT 1, unnest($1::text::uuid[]) ON CONFLICT DO NOTHING"};

constexpr Statement kNextTransaction = {"waiting for earlier writes",
                                        "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"};
constexpr Statement kOldestTransaction = {"waiting for earlier writes",
                                          "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"};

constexpr Statement kVacuums[] = {
    {"vacuuming", "VACUUM users"},      {"vacuuming", "VACUUM posts"},   {"vacuuming", "VACUUM comments"},
    {"vacuuming", "VACUUM likes"},      {"vacuuming", "VACUUM follows"}, {"vacuuming", "VACUUM outbox"},
    {"vacuuming", "VACUUM dismissals"}, {"vacuuming", "VACUUM facts"},   {"vacuuming", "VACUUM erasures"},
};

struct ErasedArrays {
  explicit ErasedArrays(std::span<const Erasure> erased)
      : users(UuidArray(erased, [](const Erasure& erasure) { return erasure.user; })),
        pseudonyms(UuidArray(erased, [](const Erasure& erasure) { return erasure.pseudonym; })) {}
  std::string users;
  std::string pseudonyms;
};

template <class... Values>
Rows Run(ConnectionPool* connections, const Statement& statement, const Values&... values) {
  return WithConnection(connections, [&](Connection& connection) { return connection.Execute(statement, values...); });
}

void HideInTable(ConnectionPool* connections, const Statement& hide, const ErasedArrays& erased) {
  Uuid from;  // no id is less
  for (;;) {
    Rows last = Run(connections, hide, from, erased.users, erased.pseudonyms);
    if (!last.Next() || last.Id(0) == from) return;
    from = last.Id(0);
  }
}

void HideInLikes(ConnectionPool* connections, const ErasedArrays& erased) {
  Uuid from_user;
  Uuid from_post;
  for (;;) {
    Rows last = Run(connections, kHideLikes, from_user, erased.users, erased.pseudonyms, from_post);
    if (!last.Next() || (last.Id(0) == from_user && last.Id(1) == from_post)) return;
    from_user = last.Id(0);
    from_post = last.Id(1);
  }
}

// Calls take(id) for each row of `page`, a statement of an id from which on, and of how many rows, in their order.
template <class F>
void ForEachId(ConnectionPool* connections, const Statement& page, const F& take) {
  std::optional<Uuid> last;
  for (std::int64_t found = kScanned; found == kScanned;) {
    Rows rows = Run(connections, page, last.value_or(Uuid()), kScanned);
    found = rows.count();
    while (rows.Next()) {
      const Uuid id = rows.Id(0);
      if (id == last) continue;  // where the page before ended
      take(id);
      last = id;
    }
  }
}

std::int64_t NumberFrom(Rows rows) {
  rows.Next();
  return rows.Int(0);
}

// A transaction that is open may have read a post while it still named its author, and write that name yet. All that
// are open now are over when none is older than the next one to begin. (The name of the next: FindUser, with which
// commands begin, takes a number for its transaction.)
void AwaitEarlierWrites(ConnectionPool* connections) {
  const std::int64_t next = NumberFrom(Run(connections, kNextTransaction));
  const SteadyClock::time_point deadline = SteadyClock::now() + kReadersPatience;
  while (NumberFrom(Run(connections, kOldestTransaction)) < next) {
    if (SteadyClock::now() > deadline) {
      throw StoreError(Error{Failure::kUnavailable, "database_busy",
                             "A transaction has been open in the database for long; the purge goes on when it is over.",
                             60'000});
    }
    std::this_thread::sleep_for(kReadersPause);
  }
}

}  // namespace

void HideInRows(ConnectionPool* connections, std::span<const Erasure> erased) {
  const ErasedArrays arrays(erased);
  // Posts first: what names their authors from then on takes the name from them.
  HideInTable(connections, kHidePosts, arrays);
  AwaitEarlierWrites(connections);
  HideInTable(connections, kHideComments, arrays);
  HideInLikes(connections, arrays);
  for (const Erasure& erasure : erased) {
    Run(connections, kDropOutbox, erasure.user);
    Run(connections, kHideOutbox, erasure.user, erasure.pseudonym);
    Run(connections, kDropFacts, erasure.user.ToString());
  }
}

void CloseErasures(ConnectionPool* connections, std::span<const Erasure> erased) {
  for (const Erasure& erasure : erased) Run(connections, kCloseErasure, erasure.user);
}

void Vacuum(ConnectionPool* connections) {
  for (const Statement& statement : kVacuums) Run(connections, statement);
}

std::vector<Uuid> RetiredUsers(ConnectionPool* connections) {
  std::vector<Uuid> digests;
  ForEachId(connections, kRetiredUsers, [&digests](const Uuid& digest) { digests.push_back(digest); });
  return digests;
}

std::vector<UserId> FindUsers(ConnectionPool* connections, std::span<const Uuid> digests) {
  const std::unordered_set<Uuid, UuidHash> wanted(digests.begin(), digests.end());
  std::vector<UserId> users;
  ForEachId(connections, kUserIds, [&](const Uuid& id) {
    if (wanted.contains(RetiredDigest(RetiredKind::kUser, id))) users.push_back(UserId{id});
  });
  return users;
}

void RetireUsers(ConnectionPool* connections, std::span<const Uuid> digests) {
  while (!digests.empty()) {
    const std::span<const Uuid> part = digests.first(std::min(digests.size(), kRetired));
    Run(connections, kRetireIds, UuidArray(part, [](const Uuid& digest) { return digest; }));
    digests = digests.subspan(part.size());
  }
}

}  // namespace novafeed::postgres
