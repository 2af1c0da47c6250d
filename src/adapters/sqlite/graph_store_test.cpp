#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "adapters/sqlite/database.h"
#include "adapters/sqlite/graph_reader.h"
#include "adapters/sqlite/migrations.h"
#include "adapters/sqlite/test_stores.h"
#include "graph/commands.h"

namespace novafeed::sqlite {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

bool FileHolds(const std::string& path, const Uuid& id) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return bytes.find(std::string(id.bytes.begin(), id.bytes.end())) != std::string::npos;
}

Result<std::int64_t> InsertLikes(SqliteGraph& store, int user, int count) {
  return WriteAndWait(store, [user, count](GraphTransaction& tx) {
    for (int i = 0; i < count; ++i) {
      tx.InsertLike(NumberedLike(user, i));
    }
  });
}

TEST(SqliteGraph, NumbersTheTransactionOfAWorkByItsFirstChange) {
  TestHome home;
  const auto store = OpenSqliteGraph(home.Options());
  EXPECT_EQ(InsertLikes(*store, 1, 3).value(), 3);
  EXPECT_EQ(InsertLikes(*store, 2, 2).value(), 5);
  std::vector<std::int64_t> transactions;
  for (const Change& change : store->Read(0, 100)) {
    transactions.push_back(change.transaction);
  }
  EXPECT_EQ(transactions, (std::vector<std::int64_t>{1, 1, 1, 4, 4}));
}

TEST(SqliteGraph, ForgetsOldChangesUpToWhatWasApplied) {
  TestHome home;
  const auto store = OpenSqliteGraph(home.Options());
  ASSERT_TRUE(InsertLikes(*store, 1, 3000));
  home.clock.Advance(kMsPerDay);
  const TimeMs later = home.clock.Now();
  ASSERT_TRUE(InsertLikes(*store, 2, 10));

  EXPECT_EQ(store->ForgetChanges(kTestStart, 3010), 0) << "none is older";
  EXPECT_EQ(store->ForgetChanges(later, 2500), 2500);
  EXPECT_EQ(store->ForgetChanges(later + 1, 2500), 0);
  EXPECT_EQ(store->ForgetChanges(later, 3010), 500) << "only the old ones";
  const std::vector<Change> rest = store->Read(3000, 10'000);
  ASSERT_EQ(rest.size(), 10u);
  EXPECT_EQ(rest.front().sequence, 3001);
}

TEST(SqliteGraph, GivesNoNumberTwiceAfterEveryChangeWasForgotten) {
  TestHome home;
  {
    const auto store = OpenSqliteGraph(home.Options());
    ASSERT_TRUE(InsertLikes(*store, 1, 10));
    EXPECT_EQ(store->ForgetChanges(kTestStart + 1, 10), 10);
  }
  const auto store = OpenSqliteGraph(home.Options());
  EXPECT_EQ(store->End(), 10);
  std::size_t rows = 0;
  EXPECT_EQ(store->ReadState([&](const std::vector<Change>& batch) { rows += batch.size(); }), 10);
  EXPECT_EQ(rows, 10u);
  EXPECT_EQ(InsertLikes(*store, 2, 1).value(), 11);
}

TEST(SqliteGraph, GivesNoOutboxNumberTwiceAfterClearing) {
  TestHome home;
  const auto store = OpenSqliteGraph(home.Options());
  const auto add = [&](int number) {
    ASSERT_TRUE(WriteAndWait(*store, [number](GraphTransaction& tx) { tx.AddToOutbox(NumberedEvent(number)); }));
  };
  add(1);
  const std::int64_t first = store->ReadOutbox(10).at(0).sequence;
  store->ClearOutbox(first);
  add(2);
  store->ClearOutbox(first);  // late, again
  const std::vector<OutboxEntry> rest = store->ReadOutbox(10);
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].event, NumberedEvent(2));
}

// Read while it is written: the rows of the state are those that its changes up to the cut make.
TEST(SqliteGraph, ReadsTheStateAsOneCutWhileItIsWritten) {
  TestHome home;
  const auto store = OpenSqliteGraph(home.Options());
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int user = 0; !stop; ++user) {
      ASSERT_TRUE(InsertLikes(*store, user, 5));
      ASSERT_TRUE(WriteAndWait(*store, [user](GraphTransaction& tx) {
        tx.DeleteLike(*tx.FindLike(NumberedLike(user, 0).user, NumberedLike(user, 0).post));
      }));
    }
  });
  for (int i = 0; i < 20; ++i) {
    std::map<std::pair<UserId, PostId>, Like> rows;
    const std::int64_t cut = store->ReadState([&](const std::vector<Change>& batch) {
      for (const Change& change : batch) {
        const Like& like = std::get<Like>(*change.after);
        EXPECT_EQ(change.op, ChangeOp::kRead);
        EXPECT_TRUE(rows.emplace(std::pair(like.user, like.post), like).second);
      }
    });
    std::map<std::pair<UserId, PostId>, Like> replayed;
    for (const Change& change : store->Read(0, static_cast<std::size_t>(cut))) {
      const Like& like = std::get<Like>(change.Latest());
      if (change.op == ChangeOp::kCreate) {
        replayed.emplace(std::pair(like.user, like.post), like);
      } else {
        replayed.erase({like.user, like.post});
      }
    }
    EXPECT_EQ(rows, replayed);
  }
  stop = true;
  writer.join();
}

TEST(SqliteGraph, TakesBackAWorkWhoseCallerNamedARowThatIsNotThere) {
  TestHome home;
  const auto store = OpenSqliteGraph(home.Options());
  const auto result = WriteAndWait(*store, [](GraphTransaction& tx) {
    tx.InsertUser(NumberedUser(1));
    tx.DeleteLike(NumberedLike(1, 1));
  });
  EXPECT_EQ(result.error().code, "write_failed");
  EXPECT_FALSE(store->GetUser(NumberedUser(1).id));
  EXPECT_EQ(store->End(), 0);
}

TEST(SqliteGraph, ReadsManyPagesFromManyThreads) {
  TestHome home;
  SqliteOptions options = home.Options();
  options.readers = 2;
  const auto store = OpenSqliteGraph(options);
  ASSERT_TRUE(WriteAndWait(*store, [](GraphTransaction& tx) {
    for (int i = 0; i < 100; ++i) {
      tx.InsertUser(NumberedUser(i));
    }
  }));
  std::vector<std::thread> threads;
  std::atomic<int> found = 0;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        found += store->GetUser(NumberedUser(i).id) ? 1 : 0;
        found += static_cast<int>(store->ListUsers("user", 3).size());
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(found, 8 * 100 * 4);
}

TEST(SqliteGraph, WhoFollowsItNeedsNoneOfTheReadersConnections) {
  TestHome home;
  SqliteOptions options = home.Options();
  options.readers = 0;
  const auto store = OpenSqliteGraph(options);
  ASSERT_TRUE(WriteAndWait(*store, [](GraphTransaction& tx) {
    tx.InsertUser(NumberedUser(1));
    tx.AddToOutbox(NumberedEvent(1));
  }));
  EXPECT_EQ(store->Read(0, 10).size(), 1u);
  EXPECT_EQ(store->ReadOutbox(10).size(), 1u);
}

// Those of the lists.
std::int64_t CountIndexes(TestHome& home) {
  Database file((home.directory.path() / "graph.db").string(), Access::kRead);
  return file.QueryInt(
      "counting",
      "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND tbl_name != 'dismissals'");
}

TEST(SqliteGraph, ListsAreRightInBulkModeAndTheirIndexesComeBack) {
  TestHome home;
  {
    const auto store = OpenSqliteGraph(home.Options());
    EXPECT_EQ(CountIndexes(home), 5);
    store->SetBulkMode(true);
    EXPECT_EQ(CountIndexes(home), 0);
    ASSERT_TRUE(WriteAndWait(*store, [](GraphTransaction& tx) {
      for (int i = 0; i < 4; ++i) {
        tx.InsertUser(NumberedUser(i));
        tx.InsertFollow({NumberedUser(i).id, NumberedUser(9).id, kTestStart + i, 0});
      }
    }));
    const ListPage<User> page = store->Followers(NumberedUser(9).id, 2, std::nullopt);
    ASSERT_EQ(page.items.size(), 2u);
    EXPECT_EQ(page.items[0], NumberedUser(3));
    EXPECT_TRUE(page.next);
    store->SetBulkMode(false);
    EXPECT_EQ(CountIndexes(home), 5);
    store->SetBulkMode(true);  // and it ends before it is turned off
  }
  OpenSqliteGraph(home.Options());
  EXPECT_EQ(CountIndexes(home), 5);
}

// An older version took it in.
TEST(SqliteGraph, WhatHasTheCharacterZeroIsReadEditedAndDeleted) {
  TestHome home;
  const auto store = OpenSqliteGraph(home.Options());
  const std::string text("a\0b", 3);
  User user = NumberedUser(1);
  user.name = text;
  user.external_id = text;
  const Post post = {PostId{NumberedUser(2).id.value}, text, user.id, text, kTestStart, std::nullopt};
  ASSERT_TRUE(WriteAndWait(*store, [&](GraphTransaction& tx) {
    tx.InsertUser(user);
    tx.InsertPost(post);
  }));
  EXPECT_EQ(store->GetUser(user.id), user);
  EXPECT_EQ(store->GetPost(post.id), post);
  ASSERT_TRUE(WriteAndWait(*store, [&](GraphTransaction& tx) {
    EXPECT_TRUE(EditPost(tx, user.id, post.id, "ab"));
    EXPECT_TRUE(EraseUser(tx, user.id));
    EXPECT_TRUE(RemoveErased(tx, user.id, 10));
  }));
  EXPECT_TRUE(store->GetPost(post.id)->deleted_at);
  EXPECT_EQ(store->Read(0, 100).at(1).after, Row(post)) << "and in the log";
}

TEST(SqliteGraph, ReadsPagesOfListsFromAnIndexWithoutSorting) {
  TestHome home;
  OpenSqliteGraph(home.Options());
  Database file((home.directory.path() / "graph.db").string(), Access::kRead);
  for (const char* sql : ListQueries()) {
    const std::string explain = std::string("EXPLAIN QUERY PLAN ") + sql;
    Statement plan(file, "explaining", explain.c_str());
    std::string steps;
    for (Rows rows = plan.Query(); rows.Next();) {
      steps += rows.Text(3) + "; ";
    }
    EXPECT_THAT(steps, Not(HasSubstr("TEMP B-TREE"))) << sql;
    EXPECT_THAT(steps, Not(HasSubstr("SCAN"))) << sql;
    EXPECT_THAT(steps, HasSubstr("_newest")) << sql;
  }
}

// Who likes much must not wait longer for the likes of a page.
TEST(SqliteGraph, LikesOfNamedPostsAreLookedUpByTheirKey) {
  TestHome home;
  OpenSqliteGraph(home.Options());
  Database file((home.directory.path() / "graph.db").string(), Access::kRead);
  const std::string explain = std::string("EXPLAIN QUERY PLAN ") + LikedAmongQuery();
  Statement plan(file, "explaining", explain.c_str());
  std::string steps;
  for (Rows rows = plan.Query(); rows.Next();) {
    steps += rows.Text(3) + "; ";
  }
  EXPECT_THAT(steps, HasSubstr("SEARCH likes USING PRIMARY KEY (user=? AND post=?)"));
  EXPECT_THAT(steps, HasSubstr("SEARCH posts"));
}

TEST(SqliteGraph, SaysWhatIsWrongWhereTheDirectoryIsMissing) {
  TestHome home;
  EXPECT_THROW(OpenSqliteGraph(home.OptionsAt("/nonexistent/novafeed")), std::runtime_error);
}

// What the first version of the schema kept of an erasure was the id itself.
TEST(SqliteGraph, TurnsErasedIdsOfTheFirstSchemaIntoDigestsAndPurgesThem) {
  TestHome home;
  const std::string path = (home.directory.path() / "graph.db").string();
  const Uuid user = NumberedId(IdKind::kUser, 1);
  const Uuid comment = NumberedId(IdKind::kComment, 1);
  {
    Database old(path, Access::kWrite);
    Migrate(old, FileKind::kGraph, GraphMigrations().first(1));
    Statement insert(old, "retiring", "INSERT INTO retired_ids (kind, id) VALUES (?, ?)");
    insert.Execute(std::int64_t{1}, user);
    insert.Execute(std::int64_t{3}, comment);
  }
  const auto store = OpenSqliteGraph(home.Options());
  EXPECT_TRUE(store->IsRetired(RetiredKind::kUser, user));
  EXPECT_TRUE(store->IsRetired(RetiredKind::kComment, comment));
  EXPECT_FALSE(store->IsRetired(RetiredKind::kPost, comment));
  const std::vector<Erasure> erasures = store->ReadErasures();
  ASSERT_EQ(erasures.size(), 1u);
  EXPECT_EQ(erasures[0].user, UserId{user});
  EXPECT_TRUE(erasures[0].removed);
  store->CloseErasures(erasures);
  store->Scrub();
  for (const Uuid& id : {user, comment}) {
    for (const char* suffix : {"", "-wal"}) EXPECT_FALSE(FileHolds(path + suffix, id)) << suffix;
  }
}

TEST(SqliteGraph, HoldsNoByteOfAnErasedUserOncePurged) {
  TestHome home;
  const auto store = OpenSqliteGraph(home.Options());
  for (int user = 1; user <= 40; ++user) {
    ASSERT_TRUE(WriteAndWait(*store, [user](GraphTransaction& tx) {
      tx.InsertUser(NumberedUser(user));
      for (int i = 0; i < 50; ++i) {
        const Post post = {PostId{NumberedId(IdKind::kPost, user * 1000 + i)},
                           "ext-" + std::to_string(user) + "-" + std::to_string(i),
                           NumberedUser(user).id,
                           std::string(static_cast<std::size_t>(i % 7 == 0 ? 9000 : 40), 'x'),
                           kTestStart,
                           std::nullopt};
        tx.InsertPost(post);
        for (int other = 1; other <= 40; other += 7) {
          tx.InsertLike({NumberedUser(other).id, post.id, post.author, kTestStart, kTestStart});
        }
      }
    }));
  }
  for (int user = 1; user <= 40; user += 3) {
    ASSERT_TRUE(WriteAndWait(*store, [user](GraphTransaction& tx) {
      ASSERT_TRUE(EraseUser(tx, NumberedUser(user).id));
      ASSERT_TRUE(RemoveErased(tx, NumberedUser(user).id, 100'000));
    }));
  }
  const std::vector<Erasure> erased = store->ReadErasures();
  ASSERT_EQ(erased.size(), 14u);
  store->HideInRows(erased);
  store->HideInChanges(erased, store->End());
  store->CloseErasures(erased);
  store->Scrub();
  const std::string path = (home.directory.path() / "graph.db").string();
  for (const Erasure& erasure : erased) {
    for (const char* suffix : {"", "-wal", "-shm"})
      EXPECT_FALSE(FileHolds(path + suffix, erasure.user.value)) << suffix;
  }
  EXPECT_TRUE(FileHolds(path, NumberedUser(2).id.value));
  EXPECT_TRUE(FileHolds(path, erased[0].pseudonym.value));
}

}  // namespace
}  // namespace novafeed::sqlite
