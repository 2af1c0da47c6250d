#include "adapters/postgres/graph_erasure.h"

#include <chrono>
#include <string>
#include <thread>

#include "adapters/postgres/retries.h"

namespace novafeed::postgres {
namespace {

using SteadyClock = std::chrono::steady_clock;

// How long the purge waits for transactions that may have read an author's name before it went from the posts.
constexpr std::chrono::seconds kReadersPatience{30};
constexpr std::chrono::milliseconds kReadersPause{20};

// Walks through 20,000 rows behind a key, hides in those that name somebody, and answers the last key. $1 is where to
// go on, $2 and $3 the users and their pseudonyms. Only the rows that are hidden are locked.
#define ERASED "unnest($2::text::uuid[], $3::text::uuid[]) AS erased(user_id, pseudonym)"

constexpr Statement kHidePosts = {
    "hiding authors of posts",
    "WITH part AS MATERIALIZED (SELECT id, author_id FROM posts WHERE id > $1 ORDER BY id LIMIT 20000), "
    "hidden AS (UPDATE posts SET author_id = erased.pseudonym, external_id = NULL FROM part, " ERASED
    " WHERE posts.id = part.id AND part.author_id = erased.user_id AND posts.author_id = erased.user_id "
    "AND posts.deleted_at IS NOT NULL) "
    "SELECT id FROM part ORDER BY id DESC LIMIT 1"};
constexpr Statement kHideComments = {
    "hiding authors in comments",
    "WITH part AS MATERIALIZED (SELECT id, post_author_id FROM comments WHERE id > $1 ORDER BY id LIMIT 20000), "
    "hidden AS (UPDATE comments SET post_author_id = erased.pseudonym FROM part, " ERASED
    " WHERE comments.id = part.id AND part.post_author_id = erased.user_id "
    "AND comments.post_author_id = erased.user_id) "
    "SELECT id FROM part ORDER BY id DESC LIMIT 1"};
constexpr Statement kHideLikes = {
    "hiding authors in likes",
    "WITH part AS MATERIALIZED (SELECT user_id, post_id, post_author_id FROM likes WHERE (user_id, post_id) > ($1, $4) "
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
  Uuid after;
  for (;;) {
    Rows last = Run(connections, hide, after, erased.users, erased.pseudonyms);
    if (!last.Next()) return;
    after = last.Id(0);
  }
}

void HideInLikes(ConnectionPool* connections, const ErasedArrays& erased) {
  Uuid after_user;
  Uuid after_post;
  for (;;) {
    Rows last = Run(connections, kHideLikes, after_user, erased.users, erased.pseudonyms, after_post);
    if (!last.Next()) return;
    after_user = last.Id(0);
    after_post = last.Id(1);
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

}  // namespace novafeed::postgres
