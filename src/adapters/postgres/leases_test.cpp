// What only leases in PostgreSQL have to hold: deadlines, rows that others are changing, a server that goes away.
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>

#include "adapters/postgres/server_test_support.h"

namespace novafeed::postgres {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLong = std::chrono::minutes(10);
constexpr Statement kBegin = {"beginning", "BEGIN"};
constexpr Statement kCommit = {"committing", "COMMIT"};

template <class F>
Error ErrorOf(const F& call) {
  try {
    call();
  } catch (const StoreError& error) {
    return error.error();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

class PostgresLeases : public ::testing::Test {
 protected:
  void SetUp() override {
    NOVAFEED_NEEDS_POSTGRES();
    database_ = std::make_unique<TestDatabase>();
  }

  std::unique_ptr<TestDatabase> database_;
};

TEST_F(PostgresLeases, ACallThatWaitsForALockEndsAtItsDeadline) {
  PostgresOptions options = database_->Options();
  options.statement_deadline = milliseconds(100);
  const auto leases = OpenPostgresGraph(options);
  Connection holder(database_->target(), {});
  static constexpr Statement kLock = {"locking", "LOCK TABLE leases IN ACCESS EXCLUSIVE MODE"};
  static_cast<void>(holder.Execute(kBegin));
  static_cast<void>(holder.Execute(kLock));
  const Error taking = ErrorOf([&] { leases->Take("jobs", "one", kLong); });
  EXPECT_EQ(taking.failure, Failure::kUnavailable);
  EXPECT_EQ(taking.code, "database_slow");
  EXPECT_EQ(ErrorOf([&] { leases->GiveBack("jobs", "one"); }).code, "database_slow");
  holder.RollBack();
  EXPECT_TRUE(leases->Take("jobs", "one", kLong)) << "and heals";
}

TEST_F(PostgresLeases, WhoWaitedForTheRowSeesWhatBecameOfIt) {
  const auto leases = database_->Open();
  ASSERT_TRUE(leases->Take("jobs", "one", milliseconds(1)));
  Connection other(database_->target(), {});
  static constexpr Statement kTake = {"taking",
                                      "UPDATE leases SET holder = 'two', expires_at = now() + interval '1 hour'"};
  static_cast<void>(other.Execute(kBegin));
  static_cast<void>(other.Execute(kTake));
  auto third = std::async(std::launch::async, [&] { return leases->Take("jobs", "three", kLong); });
  const auto is_answered = [&] { return third.wait_for(milliseconds(0)) == std::future_status::ready; };
  WaitUntil("the third waits", [&] {
    return is_answered() || database_->Number(
                                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                                "AND datname = current_database()") > 0;
  });
  EXPECT_FALSE(is_answered()) << "it may be free yet";
  static_cast<void>(other.Execute(kCommit));
  EXPECT_FALSE(third.get());
  EXPECT_TRUE(leases->Take("jobs", "two", kLong));
}

TEST(PostgresKillMinusNine, ALeaseSurvivesTheServer) {
  NOVAFEED_NEEDS_POSTGRES();
  TestServer server({"fsync=on"});
  TestDatabase database(&server);
  const auto leases = database.Open();
  ASSERT_TRUE(leases->Take("jobs", "one", kLong));
  server.Kill();
  const Error error = ErrorOf([&] { leases->Take("jobs", "two", kLong); });
  EXPECT_EQ(error.failure, Failure::kUnavailable);
  EXPECT_EQ(error.code, "database_unavailable");
  server.Start();
  WaitUntil("leases are answered", [&] {
    try {
      return leases->Take("jobs", "one", kLong);
    } catch (const StoreError&) {
      return false;
    }
  });
  EXPECT_FALSE(leases->Take("jobs", "two", kLong));
}

}  // namespace
}  // namespace novafeed::postgres
