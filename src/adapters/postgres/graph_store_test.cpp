// What only this store has to hold: places in the log, the outbox of many writers, the purge beside open transactions,
// bounds on waiting.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "adapters/postgres/graph_reader.h"
#include "adapters/postgres/retries.h"
#include "adapters/postgres/server_test_support.h"
#include "graph/commands.h"
#include "graph/retired.h"
#include "graph/store_fixture.h"

namespace novafeed::postgres {
namespace {

using std::chrono::milliseconds;

void AddUser(GraphStore& store, int number) {
  const NewUser request = {ParsedId{TestUser(number).value, std::nullopt}, "user" + std::to_string(number), ""};
  Do(store, [&](GraphTransaction& tx) { return Must(CreateUser(tx, request)); });
}

void AddPost(GraphStore& store, int number, int author) {
  const NewPost request = {ParsedId{TestPost(number).value, std::nullopt}, TestUser(author), "text"};
  Do(store, [&](GraphTransaction& tx) { return Must(CreatePost(tx, request)); });
}

Event LikeOf(int number) {
  Event event;
  event.type = EventType::kLike;
  event.user = TestUser(1);
  event.post = TestPost(1);
  event.at = kTestStart;
  event.event_id = TestEvent(number);
  return event;
}

// A work that stops where it is told to, until it is let go.
class HeldWork {
 public:
  // Called within the work: it is where it should be, and waits.
  void Stop() {
    reached_.set_value();
    go_.get_future().wait();
  }
  void AwaitStop() { reached_.get_future().wait(); }
  void Go() { go_.set_value(); }

 private:
  std::promise<void> reached_;
  std::promise<void> go_;
};

class PostgresGraphStore : public ::testing::Test {
 protected:
  void SetUp() override {
    NOVAFEED_NEEDS_POSTGRES();
    database_ = std::make_unique<TestDatabase>();
    store_ = database_->Open();
  }

  std::unique_ptr<TestDatabase> database_;
  std::unique_ptr<PostgresGraph> store_;
};

TEST_F(PostgresGraphStore, AWriteIsAnsweredWithAPlaceBehindItsCommit) {
  database_->Number("SELECT count(*) FROM pg_create_logical_replication_slot('places', 'test_decoding')");
  const Result<std::int64_t> before = WriteAndWait(*store_, [](GraphTransaction&) {});
  const Result<std::int64_t> place = WriteAndWait(*store_, [](GraphTransaction& tx) {
    tx.InsertUser({TestUser(1), std::nullopt, "one", "", kTestStart});
    tx.InsertUser({TestUser(2), std::nullopt, "two", "", kTestStart});
  });
  ASSERT_TRUE(before && place);
  const std::string changes =
      "SELECT count(*) FROM pg_logical_slot_peek_changes('places', NULL, NULL) WHERE data LIKE '%novafeed.users%' ";
  EXPECT_EQ(database_->Number(changes), 2);
  EXPECT_EQ(database_->Number(changes + "AND lsn - '0/0'::pg_lsn >= " + std::to_string(*before)), 2);
  const std::string commits =
      "SELECT max(lsn - '0/0'::pg_lsn)::bigint FROM pg_logical_slot_peek_changes('places', NULL, NULL) "
      "WHERE data LIKE 'COMMIT%'";
  EXPECT_LE(database_->Number(commits), *place);
  const Result<std::int64_t> after = WriteAndWait(*store_, [](GraphTransaction& tx) { tx.SetFact("a", "1"); });
  EXPECT_GT(*after, *place);
  database_->Number("SELECT count(*) FROM (SELECT pg_drop_replication_slot('places')) AS gone");
}

// What Debezium would read of a delete and an update: the whole row that was there.
TEST_F(PostgresGraphStore, TheLogHasWholeOldRows) {
  AddUser(*store_, 1);
  AddPost(*store_, 1, 1);
  database_->Number("SELECT count(*) FROM pg_create_logical_replication_slot('rows', 'test_decoding')");
  Do(*store_, [](GraphTransaction& tx) {
    Must(PutLike(tx, TestUser(1), TestPost(1), kTestStart));
    Must(RemoveLike(tx, TestUser(1), TestPost(1)));
    return Must(EditPost(tx, std::nullopt, TestPost(1), "edited"));
  });
  const auto lines = [&](const std::string& like) {
    return database_->Number("SELECT count(*) FROM pg_logical_slot_peek_changes('rows', NULL, NULL) WHERE data LIKE '" +
                             like + "'");
  };
  EXPECT_EQ(lines("table novafeed.likes: INSERT:%"), 1);
  EXPECT_EQ(lines("table novafeed.likes: DELETE:%post_author_id[uuid]%incarnation[bigint]%"), 1);
  EXPECT_EQ(lines("table novafeed.posts: UPDATE: old-key:%''text''%new-tuple:%''edited''%"), 1);
  EXPECT_EQ(lines("BEGIN%"), 1) << "one transaction";
  database_->Number("SELECT count(*) FROM (SELECT pg_drop_replication_slot('rows')) AS gone");
}

TEST_F(PostgresGraphStore, AnEntryOfTheOutboxThatComesToLightLateIsNotCleared) {
  HeldWork held;
  std::promise<Result<std::int64_t>> late;
  store_->Write(
      [&](GraphTransaction& tx) {
        tx.AddToOutbox(LikeOf(1));
        static_cast<void>(tx.FindPost(TestPost(1)));  // the entry travels with it, and has its number
        held.Stop();
      },
      [&](Result<std::int64_t> result) { late.set_value(std::move(result)); });
  held.AwaitStop();
  Do(*store_, [](GraphTransaction& tx) {
    tx.AddToOutbox(LikeOf(2));
    return true;
  });
  const std::vector<OutboxEntry> seen = store_->ReadOutbox(10);
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].event, LikeOf(2));
  held.Go();
  ASSERT_TRUE(late.get_future().get());
  store_->ClearOutbox(seen[0].sequence);
  const std::vector<OutboxEntry> left = store_->ReadOutbox(10);
  ASSERT_EQ(left.size(), 1u);
  EXPECT_LT(left[0].sequence, seen[0].sequence);
  EXPECT_EQ(left[0].event, LikeOf(1));
  store_->ClearOutbox(left[0].sequence);
  EXPECT_TRUE(store_->ReadOutbox(10).empty());
}

TEST_F(PostgresGraphStore, AUserIsNotErasedWhileAWriteHoldsThem) {
  AddUser(*store_, 1);
  HeldWork held;
  std::promise<Result<std::int64_t>> late;
  store_->Write(
      [&](GraphTransaction& tx) {
        static_cast<void>(tx.FindUser(TestUser(1)));
        held.Stop();
        Must(CreatePost(tx, {std::nullopt, TestUser(1), "text"}));
      },
      [&](Result<std::int64_t> result) { late.set_value(std::move(result)); });
  held.AwaitStop();
  auto erased = std::async(std::launch::async, [&] {
    Do(*store_, [](GraphTransaction& tx) { return CodeOf(EraseUser(tx, TestUser(1))); });
  });
  const auto is_erased = [&] { return erased.wait_for(milliseconds(0)) == std::future_status::ready; };
  WaitUntil("the erasing waits for the write", [&] {
    return is_erased() || database_->Number(
                              "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                              "AND datname = current_database()") > 0;
  });
  EXPECT_FALSE(is_erased());
  held.Go();
  EXPECT_TRUE(late.get_future().get()) << "it was first";
  erased.get();
  EXPECT_TRUE(Do(*store_, [](GraphTransaction& tx) { return RemoveErased(tx, TestUser(1), 10); }));
  EXPECT_EQ(database_->Number("SELECT count(*) FROM posts WHERE deleted_at IS NULL"), 0) << "and sees what it wrote";
}

TEST_F(PostgresGraphStore, ThePurgeWaitsForWritesThatHaveReadTheName) {
  AddUser(*store_, 1);
  AddUser(*store_, 2);
  AddPost(*store_, 1, 1);
  HeldWork held;
  std::promise<Result<std::int64_t>> late;
  store_->Write(
      [&](GraphTransaction& tx) {
        static_cast<void>(tx.FindUser(TestUser(2)));
        const Post post = tx.FindPost(TestPost(1)).value();
        held.Stop();
        tx.InsertLike({TestUser(2), post.id, post.author, post.created_at, kTestStart, 0});
      },
      [&](Result<std::int64_t> result) { late.set_value(std::move(result)); });
  held.AwaitStop();
  Do(*store_, [](GraphTransaction& tx) {
    Must(EraseUser(tx, TestUser(1)));
    return RemoveErased(tx, TestUser(1), 100);
  });
  const std::vector<Erasure> erased = store_->ReadErasures();
  auto hidden = std::async(std::launch::async, [&] { store_->HideInRows(erased); });
  const auto is_hidden = [&] { return hidden.wait_for(milliseconds(0)) == std::future_status::ready; };
  WaitUntil("it waits for earlier writes", [&] {
    return is_hidden() || database_->Number(
                              "SELECT count(*) FROM pg_stat_activity WHERE query LIKE "
                              "'%pg_snapshot_xmin%' AND datname = current_database() "
                              "AND pid <> pg_backend_pid()") > 0;
  });
  EXPECT_EQ(store_->GetPost(TestPost(1))->author, erased[0].pseudonym);
  EXPECT_FALSE(is_hidden()) << "a write is open";
  held.Go();
  ASSERT_TRUE(late.get_future().get());
  hidden.get();
  const auto like = Do(*store_, [](GraphTransaction& tx) { return tx.FindLike(TestUser(2), TestPost(1)); });
  EXPECT_EQ(like.value().post_author, erased[0].pseudonym);
}

TEST_F(PostgresGraphStore, AWriteThatWaitsForALockEndsAtItsDeadline) {
  AddUser(*store_, 1);
  PostgresOptions options = database_->Options();
  options.statement_deadline = milliseconds(100);
  const auto impatient = OpenPostgresGraph(options);
  Connection holder(database_->target(), {});
  static constexpr Statement kBegin = {"beginning", "BEGIN"};
  static constexpr Statement kLockUsers = {"locking", "LOCK TABLE users IN ACCESS EXCLUSIVE MODE"};
  static_cast<void>(holder.Execute(kBegin));
  static_cast<void>(holder.Execute(kLockUsers));
  const auto find = [](GraphTransaction& tx) { static_cast<void>(tx.FindUser(TestUser(1))); };
  const Result<std::int64_t> written = WriteAndWait(*impatient, find);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().failure, Failure::kUnavailable);
  EXPECT_EQ(written.error().code, "database_slow");
  EXPECT_THROW(impatient->GetUser(TestUser(1)), StoreError);
  holder.RollBack();
  EXPECT_TRUE(WriteAndWait(*impatient, find)) << "and heals";
  EXPECT_TRUE(impatient->GetUser(TestUser(1)));
}

TEST_F(PostgresGraphStore, AFullQueueAndALongWaitAreRefused) {
  PostgresOptions options = database_->Options();
  options.writers = 1;
  options.max_queued_works = 1;
  options.patience = std::chrono::seconds(1);  // and the first work must be begun within it
  const auto small = OpenPostgresGraph(options);
  HeldWork held;
  std::promise<Result<std::int64_t>> first;
  std::promise<Result<std::int64_t>> second;
  small->Write([&](GraphTransaction&) { held.Stop(); },
               [&](Result<std::int64_t> result) { first.set_value(std::move(result)); });
  held.AwaitStop();
  const auto submitted = std::chrono::steady_clock::now();
  small->Write([](GraphTransaction&) { FAIL() << "it was told to try again"; },
               [&](Result<std::int64_t> result) { second.set_value(std::move(result)); });
  const Result<std::int64_t> third = WriteAndWait(*small, [](GraphTransaction&) {});
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, "overloaded");
  EXPECT_GT(third.error().retry_after_ms, 0);
  WaitUntil("its patience is over", [&] { return std::chrono::steady_clock::now() - submitted > options.patience; });
  held.Go();
  EXPECT_TRUE(first.get_future().get());
  const Result<std::int64_t> waited = second.get_future().get();
  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error().code, "overloaded");
}

TEST_F(PostgresGraphStore, AConflictThatNeverEndsIsAnswered) {
  int runs = 0;
  const Like nowhere = {TestUser(1), TestPost(1), TestUser(1), kTestStart, kTestStart, 7};
  const Result<std::int64_t> written = WriteAndWait(*store_, [&](GraphTransaction& tx) {
    ++runs;
    tx.SetFact("run", std::to_string(runs));
    tx.DeleteLike(nowhere);
  });
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().failure, Failure::kUnavailable);
  EXPECT_EQ(written.error().code, "write_conflict");
  EXPECT_EQ(runs, kMostAttempts);
  EXPECT_EQ(store_->GetFact("run"), std::nullopt);
}

TEST_F(PostgresGraphStore, ACharacterThatTheDatabaseCannotKeepIsRefused) {
  AddUser(*store_, 1);
  const std::string text("a\0b", 3);
  const Result<std::int64_t> written = WriteAndWait(*store_, [&](GraphTransaction& tx) {
    tx.InsertPost({TestPost(1), std::nullopt, TestUser(1), text, kTestStart, std::nullopt});  // past the commands
  });
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().failure, Failure::kUnprocessable);
  EXPECT_TRUE(store_->PostsOf(TestUser(1), 10, std::nullopt).items.empty());
  Do(*store_, [&](GraphTransaction& tx) {
    tx.SetFact("bytes", text);
    return true;
  });
  EXPECT_EQ(store_->GetFact("bytes"), text);
}

// An id that ends with a number, so that they lie in its order.
Uuid OrderedId(int number) {
  Uuid id;
  for (std::size_t i = 0; i < 4; ++i) id.bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return id;
}
constexpr char kOrderedId[] = "('00000000-0000-0000-0000-' || lpad(to_hex(n), 12, '0'))::uuid";

TEST_F(PostgresGraphStore, UsersAndDigestsAreReadInPages) {
  constexpr int kUsers = 20'001;  // a page, and one more
  database_->Sql(std::string("INSERT INTO users SELECT ") + kOrderedId +
                 ", NULL, 'u' || n, '', now() FROM generate_series(0, 20000) AS n");
  std::vector<Uuid> digests;
  digests.reserve(kUsers);
  std::set<UserId> expected;
  for (int i = 0; i < kUsers; ++i) {
    digests.push_back(RetiredDigest(RetiredKind::kUser, OrderedId(i)));
    expected.insert(UserId{OrderedId(i)});
  }
  const std::vector<UserId> found = store_->FindUsers(digests);
  EXPECT_EQ(found.size(), expected.size()) << "each once";
  EXPECT_TRUE(std::set<UserId>(found.begin(), found.end()) == expected);

  store_->RetireUsers(digests);
  std::vector<Uuid> retired = store_->RetiredUsers();
  std::sort(retired.begin(), retired.end());
  std::sort(digests.begin(), digests.end());
  EXPECT_TRUE(retired == digests);
}

TEST_F(PostgresGraphStore, ThePurgeWalksThroughTablesInPages) {
  AddUser(*store_, 1);
  const std::string author = "'" + TestUser(1).ToString() + "'";
  const std::string rows = " FROM generate_series(0, 20000) AS n;";
  database_->Sql(std::string("INSERT INTO posts SELECT ") + kOrderedId + ", 'p' || n, " + author +
                 ", '', now(), now()" + rows + "INSERT INTO comments SELECT " + kOrderedId +
                 ", NULL, gen_random_uuid(), gen_random_uuid(), " + author + ", now(), 'text', now()" + rows +
                 "INSERT INTO likes SELECT " + kOrderedId + ", " + kOrderedId + ", " + author + ", now(), now()" +
                 rows);
  Do(*store_, [](GraphTransaction& tx) {
    Must(EraseUser(tx, TestUser(1)));
    return RemoveErased(tx, TestUser(1), 10);
  });
  store_->HideInRows(store_->ReadErasures());
  EXPECT_EQ(database_->Number("SELECT count(*) FROM posts WHERE external_id IS NOT NULL"), 0);
  for (const char* naming :
       {"posts WHERE author_id = ", "comments WHERE post_author_id = ", "likes WHERE post_author_id = "}) {
    EXPECT_EQ(database_->Number(std::string("SELECT count(*) FROM ") + naming + author), 0) << naming;
  }
}

// Also by a plan that knows nothing of the parameters: that is what a prepared statement comes to.
TEST_F(PostgresGraphStore, ListsAreReadFromTheirIndexes) {
  database_->Sql(
      "INSERT INTO users SELECT gen_random_uuid(), NULL, 'u' || n, '', now() FROM generate_series(1, 1000) AS n;"
      "INSERT INTO follows SELECT a.id, b.id, now() FROM (SELECT id FROM users LIMIT 20) AS a, users AS b "
      "WHERE a.id <> b.id;"
      "INSERT INTO posts SELECT gen_random_uuid(), NULL, id, 'text', now(), NULL FROM users, generate_series(1, 3);"
      "INSERT INTO comments SELECT gen_random_uuid(), NULL, id, author_id, author_id, now(), 'text', now() "
      "FROM posts, generate_series(1, 2);"
      "ANALYZE");
  int number = 0;
  for (const Statement& list : ListStatements()) {
    Connection connection(database_->target(), {});
    connection.Script("preparing", std::string("SET plan_cache_mode = force_generic_plan; "
                                               "PREPARE list (uuid, timestamptz, uuid, bigint) AS ") +
                                       list.sql);
    static constexpr Statement kExplain = {
        "explaining", "EXPLAIN EXECUTE list (gen_random_uuid(), 'infinity', gen_random_uuid(), 21)"};
    std::string plan;
    for (Rows rows = connection.Execute(kExplain); rows.Next();) plan += rows.Text(0) + "\n";
    ++number;
    EXPECT_EQ(plan.find("Sort"), std::string::npos) << list.doing << ":\n" << plan;
    EXPECT_EQ(plan.find("Seq Scan"), std::string::npos) << list.doing << ":\n" << plan;
  }
  EXPECT_EQ(number, 4);
}

TEST(PostgresOpen, SaysWhatToDoWhereThereIsNoServer) {
  const ManualClock clock(kTestStart);
  Metrics metrics;
  PostgresOptions options;
  options.url = "host=/nonexistent user=u dbname=d";
  options.clock = &clock;
  options.metrics = &metrics;
  try {
    OpenPostgresGraph(options);
    FAIL() << "there is no server";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("Check that PostgreSQL runs"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace novafeed::postgres
