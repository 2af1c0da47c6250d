// kill -9 of the server under write load: what was acknowledged is there, exactly once, and the store heals by itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "adapters/postgres/server_test_support.h"
#include "graph/commands.h"
#include "graph/store_fixture.h"

namespace novafeed::postgres {
namespace {

constexpr int kRounds = 5;
constexpr int kUsers = 20;
constexpr int kThreads = 6;
constexpr int kMostBetweenKills = 300;

void AddPeopleAndPosts(GraphStore& store, int posts) {
  Do(store, [&](GraphTransaction& tx) {
    for (int i = 0; i < kUsers; ++i) {
      const ParsedId id = {TestUser(i).value, std::nullopt};
      Must(CreateUser(tx, {id, "user" + std::to_string(i), ""}));
    }
    for (int i = 0; i < posts; ++i) {
      const ParsedId id = {TestPost(i).value, std::nullopt};
      Must(CreatePost(tx, {id, TestUser(0), "text"}));
    }
    return true;
  });
}

// A like that comes as an event: a row, an identity and a copy in the outbox, in one transaction.
Event NumberedEvent(int number) {
  Event event;
  event.type = EventType::kLike;
  event.user = TestUser(number % kUsers);
  event.post = TestPost(number / kUsers);
  event.at = kTestStart + number;
  event.event_id = TestEvent(number);
  return event;
}

TEST(PostgresKillMinusNine, KeepsEveryAcknowledgedWriteOnceAndHeals) {
  NOVAFEED_NEEDS_POSTGRES();
  TestServer server({"fsync=on"});
  TestDatabase database(&server);
  PostgresOptions options = database.Options();
  options.writers = kThreads;
  const auto store = OpenPostgresGraph(options);
  constexpr int kPosts = 400;
  AddPeopleAndPosts(*store, kPosts);

  std::mt19937_64 random(TestSeed());
  std::atomic<int> next = 0;
  std::atomic<bool> is_over = false;
  std::atomic<int> acknowledged = 0;
  std::atomic<int> refused = 0;
  std::atomic<int> unknown = 0;
  std::atomic<int> surprises = 0;
  // Each event is sent until it is acknowledged, as a client would; each thread ends with an event that was.
  const auto send_all = [&] {
    while (!is_over) {
      const Event event = NumberedEvent(next++);
      for (bool is_done = false; !is_done;) {
        Result<bool> applied;
        const auto written = WriteAndWait(*store, [&](GraphTransaction& tx) { applied = ApplyLikeEvent(tx, event); });
        is_done = written.has_value();
        if (is_done) {
          ++acknowledged;
          if (!applied) ++surprises;
          continue;
        }
        ++refused;
        if (written.error().code == "commit_unknown") ++unknown;
        if (written.error().failure != Failure::kUnavailable) ++surprises;
      }
    }
  };
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(send_all);
  for (int round = 0; round < kRounds; ++round) {
    const int until = acknowledged + 1 + static_cast<int>(random() % kMostBetweenKills);
    WaitUntil("writes are acknowledged", [&] { return acknowledged >= until; });
    server.Kill();
    const int refused_before = refused;
    WaitUntil("writes are refused", [&] { return refused > refused_before; });
    server.Start();
  }
  const int until = acknowledged + 50;
  WaitUntil("writes are acknowledged", [&] { return acknowledged >= until; });
  is_over = true;
  for (std::thread& thread : threads) thread.join();
  std::printf("%d acknowledged, %d refused, of these %d unknown\n", acknowledged.load(), refused.load(),
              unknown.load());

  EXPECT_EQ(surprises, 0) << "only kUnavailable may be the answer of a server that is gone";
  EXPECT_EQ(acknowledged, next) << "every event was acknowledged in the end";
  ASSERT_LE(next, kPosts * kUsers) << "the test needs more posts";
  EXPECT_EQ(database.Number("SELECT count(*) FROM likes"), next);
  EXPECT_EQ(database.Number("SELECT count(DISTINCT incarnation) FROM likes"), next);
  EXPECT_EQ(database.Number("SELECT count(*) FROM outbox"), next) << "none twice";
  EXPECT_EQ(database.Number("SELECT count(*) FROM event_identities"), next);
  const std::vector<OutboxEntry> entries = store->ReadOutbox(1'000'000);
  std::set<Uuid> ids;
  for (const OutboxEntry& entry : entries) ids.insert(entry.event.event_id.value);
  for (int number = 0; number < next; ++number) {
    ASSERT_TRUE(ids.contains(NumberedEvent(number).event_id.value)) << "event " << number << " was lost";
  }
}

// Reads, too: what fails while the server is gone works again by itself.
TEST(PostgresKillMinusNine, ReadsHealByThemselves) {
  NOVAFEED_NEEDS_POSTGRES();
  TestServer server;
  TestDatabase database(&server);
  const auto store = database.Open();
  AddPeopleAndPosts(*store, 1);
  ASSERT_TRUE(store->GetPost(TestPost(0)));
  server.Kill();
  try {
    store->GetPost(TestPost(0));
    ADD_FAILURE() << "there is no server";
  } catch (const StoreError& error) {
    EXPECT_EQ(error.error().code, "database_unavailable");
    EXPECT_EQ(error.error().failure, Failure::kUnavailable);
  }
  server.Start();
  WaitUntil("reads work", [&] {
    try {
      return store->GetPost(TestPost(0)).has_value();
    } catch (const StoreError&) {
      return false;
    }
  });
}

// A restart that nobody notices: idle connections are gone, and neither a read nor a write fails for that.
TEST(PostgresKillMinusNine, ARestartBetweenTwoCallsIsNotNoticed) {
  NOVAFEED_NEEDS_POSTGRES();
  TestServer server;
  TestDatabase database(&server);
  const auto store = database.Open();
  AddPeopleAndPosts(*store, 1);
  ASSERT_TRUE(store->GetUser(TestUser(1)));
  server.Kill();
  server.Start();
  EXPECT_TRUE(store->GetUser(TestUser(1)));
  EXPECT_TRUE(WriteAndWait(*store, [](GraphTransaction& tx) { tx.SetFact("a", "b"); }));
}

}  // namespace
}  // namespace novafeed::postgres
