// The state at a place in the log: all of it, exactly up to there, and without standing in anybody's way.
#include "adapters/postgres/graph_state.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "adapters/postgres/server_test_support.h"
#include "graph/commands.h"
#include "graph/store_fixture.h"

namespace novafeed::postgres {
namespace {

struct Cut {
  std::int64_t place = 0;
  std::vector<Row> rows;

  template <class T>
  std::vector<T> Of() const {
    std::vector<T> found;
    for (const Row& row : rows) {
      if (const T* typed = std::get_if<T>(&row)) found.push_back(*typed);
    }
    return found;
  }
};

Cut ReadCut(PostgresGraph& store, const std::function<void()>& at_first_batch = [] {}) {
  Cut cut;
  bool is_first = true;
  cut.place = store.ReadState([&](const std::vector<Change>& batch) {
    for (const Change& change : batch) {
      EXPECT_EQ(change.op, ChangeOp::kRead);
      EXPECT_FALSE(change.before);
      cut.rows.push_back(change.after.value());
    }
    if (std::exchange(is_first, false)) at_first_batch();
  });
  return cut;
}

User UserOf(int number) {
  return {TestUser(number), std::nullopt, "user" + std::to_string(number), "", kTestStart};
}

class PostgresGraphState : public ::testing::Test {
 protected:
  void SetUp() override {
    NOVAFEED_NEEDS_POSTGRES();
    database_ = std::make_unique<TestDatabase>();
    PostgresOptions options = database_->Options();
    options.patience = std::chrono::minutes(1);
    store_ = OpenPostgresGraph(options);
  }

  // From now on the log can be asked what was committed.
  void KeepLog() const {
    database_->Number("SELECT count(*) FROM pg_create_logical_replication_slot('cut', 'test_decoding')");
  }
  // What was inserted, with the places where its commits ended, as the table public.logged.
  void ReadLog() const {
    database_->Sql(
        "CREATE TABLE public.logged AS WITH entries AS MATERIALIZED ("
        "  SELECT (lsn - '0/0'::pg_lsn)::bigint AS place, xid::text AS xid, data"
        "  FROM pg_logical_slot_get_changes('cut', NULL, NULL)) "
        "SELECT ends.place, entries.data FROM entries JOIN entries AS ends ON ends.xid = entries.xid "
        "WHERE ends.data LIKE 'COMMIT%' AND entries.data LIKE '%: INSERT:%'");
    database_->Number("SELECT count(*) FROM pg_drop_replication_slot('cut')");
  }
  std::int64_t Logged(const std::string& what, const std::string& table, std::int64_t place) const {
    return database_->Number("SELECT " + what + " FROM public.logged WHERE data LIKE 'table novafeed." + table +
                             ":%' AND place <= " + std::to_string(place));
  }

  std::unique_ptr<TestDatabase> database_;
  std::unique_ptr<PostgresGraph> store_;
};

TEST_F(PostgresGraphState, HasEveryRowAsItIs) {
  EXPECT_TRUE(ReadCut(*store_).rows.empty());
  const TimeMs at = kTestStart;
  Do(*store_, [&](GraphTransaction& tx) {
    Must(CreateUser(tx, {ParsedId{Uuid(), "ext"}, "nil", "The Nil"}));  // a platform may choose that id
    Must(CreateUser(tx, {ParsedId{TestUser(1).value, std::nullopt}, "one", ""}));
    Must(CreatePost(tx, {ParsedId{TestPost(1).value, std::nullopt}, TestUser(1), "text"}));
    Must(CreatePost(tx, {ParsedId{TestPost(2).value, "other"}, UserId{}, "gone"}));
    Must(CreateComment(tx, {ParsedId{TestComment(1).value, std::nullopt}, TestPost(1), UserId{}, "said"}));
    Must(PutLike(tx, UserId{}, TestPost(1), at));
    Must(PutFollow(tx, UserId{}, TestUser(1), at));
    return 0;
  });
  ASSERT_TRUE(WriteAndWait(*store_, [](GraphTransaction& tx) { Must(DeletePost(tx, std::nullopt, TestPost(2))); }));
  const Cut cut = ReadCut(*store_);
  ASSERT_EQ(cut.rows.size(), 7u);
  EXPECT_EQ(cut.Of<User>(), (std::vector{*store_->GetUser(UserId{}), *store_->GetUser(TestUser(1))}));
  std::vector<Post> posts = cut.Of<Post>();
  std::ranges::sort(posts, {}, &Post::text);
  EXPECT_EQ(posts, (std::vector{*store_->GetPost(TestPost(2)), *store_->GetPost(TestPost(1))}));
  EXPECT_TRUE(posts.front().deleted_at);
  EXPECT_EQ(cut.Of<Comment>(), std::vector{*store_->GetComment(TestComment(1))});
  const auto [like, follow] = Do(*store_, [&](GraphTransaction& tx) {
    return std::pair(*tx.FindLike(UserId{}, TestPost(1)), *tx.FindFollow(UserId{}, TestUser(1)));
  });
  EXPECT_EQ(cut.Of<Like>(), std::vector{like});
  EXPECT_EQ(cut.Of<Follow>(), std::vector{follow});
}

TEST_F(PostgresGraphState, ComesInBatches) {
  database_->Sql(
      "INSERT INTO users SELECT gen_random_uuid(), NULL, 'user' || n, '', now() FROM generate_series(1, 5000) AS n");
  std::vector<std::size_t> sizes;
  store_->ReadState([&](const std::vector<Change>& batch) { sizes.push_back(batch.size()); });
  EXPECT_EQ(sizes, (std::vector<std::size_t>{2000, 2000, 1000}));
}

// While four threads commit, a snapshot lacks some of what stands before the log's end, and has some of what stands
// behind an end that was asked for before.
TEST_F(PostgresGraphState, IsWhatWasCommittedUpToItsPlaceAndNothingElse) {
  KeepLog();
  constexpr int kWrites = 3000;
  std::atomic<int> done = 0;
  for (int i = 1; i <= kWrites; ++i) {
    const auto work = [i](GraphTransaction& tx) {
      tx.InsertUser(UserOf(i));
      tx.InsertFollow({TestUser(i), TestUser(0), kTestStart, 0});
    };
    store_->Write(work, [&done](const Result<std::int64_t>& written) {
      EXPECT_TRUE(written);
      ++done;
    });
  }
  std::vector<Cut> cuts;
  while (done.load() < kWrites) cuts.push_back(ReadCut(*store_));
  cuts.push_back(ReadCut(*store_));

  ReadLog();
  int amid = 0;
  for (const Cut& cut : cuts) {
    std::int64_t sum = 0;
    for (const User& user : cut.Of<User>()) sum += std::stoll(user.handle.substr(4));
    const std::int64_t users = std::ssize(cut.Of<User>());
    EXPECT_EQ(std::ssize(cut.Of<Follow>()), users);
    ASSERT_EQ(users, Logged("count(*)", "users", cut.place));
    ASSERT_EQ(users, Logged("count(*)", "follows", cut.place));
    ASSERT_EQ(sum, Logged("coalesce(sum(substring(data from 'user([0-9]+)')::bigint), 0)::bigint", "users", cut.place));
    amid += users > 0 && users < kWrites ? 1 : 0;
  }
  EXPECT_GT(amid, 3);
}

TEST_F(PostgresGraphState, NobodyWaitsWhileItIsReadAndWhatIsWrittenThenIsNotInIt) {
  ASSERT_TRUE(WriteAndWait(*store_, [](GraphTransaction& tx) { tx.InsertUser(UserOf(1)); }));
  std::int64_t written = 0;
  const Cut cut = ReadCut(*store_, [&] {
    written = WriteAndWait(*store_, [](GraphTransaction& tx) {
                tx.InsertUser(UserOf(2));
                tx.InsertFollow({TestUser(2), TestUser(1), kTestStart, 0});
              }).value();
  });
  EXPECT_EQ(cut.rows.size(), 1u);
  EXPECT_LT(cut.place, written);
  EXPECT_EQ(ReadCut(*store_).rows.size(), 3u);
}

TEST_F(PostgresGraphState, WhoWritesForLongIsNotWaitedForAndHoldsNobodyUp) {
  std::promise<void> stopped;
  std::promise<void> go;
  std::promise<void> ended;
  store_->Write(
      [&](GraphTransaction& tx) {
        tx.InsertUser(UserOf(1));
        static_cast<void>(tx.FindUser(TestUser(1)));  // so that the insert is on the server
        stopped.set_value();
        go.get_future().wait();
      },
      [&](const Result<std::int64_t>& written) {
        EXPECT_TRUE(written);
        ended.set_value();
      });
  stopped.get_future().wait();
  std::future<std::string> refused = std::async(std::launch::async, [&] {
    try {
      ReadCut(*store_);
    } catch (const StoreError& error) {
      return error.error().code;
    }
    return std::string();
  });
  int others = 0;
  while (refused.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    const int number = 100 + others++;
    EXPECT_TRUE(WriteAndWait(*store_, [&](GraphTransaction& tx) { tx.InsertUser(UserOf(number)); }));
  }
  EXPECT_EQ(refused.get(), "write_conflict");
  EXPECT_GT(others, 1);
  go.set_value();
  ended.get_future().wait();
  EXPECT_EQ(ReadCut(*store_).rows.size(), static_cast<std::size_t>(others) + 1);
}

TEST_F(PostgresGraphState, WhereTakingEndsItEndsAndTheConnectionServesOn) {
  ASSERT_TRUE(WriteAndWait(*store_, [](GraphTransaction& tx) { tx.InsertUser(UserOf(1)); }));
  for (int i = 0; i < 3; ++i) {
    EXPECT_THROW(ReadCut(*store_, [] { throw std::runtime_error("enough"); }), std::runtime_error);
  }
  EXPECT_EQ(ReadCut(*store_).rows.size(), 1u);
  EXPECT_EQ(database_->Number("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' "
                              "AND datname = current_database()"),
            0);
}

}  // namespace
}  // namespace novafeed::postgres
