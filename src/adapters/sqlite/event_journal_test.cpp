#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "adapters/sqlite/database.h"
#include "adapters/sqlite/migrations.h"
#include "adapters/sqlite/test_stores.h"

namespace novafeed::sqlite {
namespace {

LoggedEvent EventAt(std::size_t partition, std::int64_t sequence) {
  const int number = static_cast<int>(1000 * partition) + static_cast<int>(sequence);
  return {partition, sequence, kTestStart, NumberedEvent(number, EventType::kShare, static_cast<int>(partition))};
}

TEST(EventJournal, LiesBesideTheLogAndHasNothingToDoWithIt) {
  TestHome home;
  const auto log = OpenSqliteEventLog(home.Options());
  const auto journal = OpenSqliteEventJournal(home.Options());
  ASSERT_TRUE(AppendAndWait(*log, {NumberedEvent(1), NumberedEvent(2)}));
  EXPECT_EQ(journal->Copied(), std::nullopt);
  journal->Add({EventAt(0, 1)}, {1});
  EXPECT_EQ(log->Read({}, 10).size(), 2u);
  EXPECT_EQ(journal->Read({}, 10).size(), 1u);
}

TEST(EventJournal, TheFarthestPlacesHaveRoom) {
  TestHome home;
  const auto journal = OpenSqliteEventJournal(home.Options());
  constexpr std::int64_t kFar = (std::int64_t{1} << 47);
  constexpr std::size_t kLast = kMaxEventPartitions - 1;
  EventPoints through;
  through[kLast] = kFar;
  through[kLast - 1] = kFar;
  journal->Add({EventAt(kLast, kFar), EventAt(kLast - 1, kFar)}, through);
  EventPoints after;
  for (const LoggedEvent& logged : journal->Read({}, 10)) {
    EXPECT_EQ(logged.sequence, kFar);
    Advance(&after, logged);
  }
  EXPECT_EQ(after, through);
  EXPECT_EQ(journal->QuietThrough(through), through);
}

TEST(EventJournal, ItsRowsNamePartitionAndSequence) {
  TestHome home;
  const auto journal = OpenSqliteEventJournal(home.Options());
  journal->Add({EventAt(3, 7)}, {0, 0, 0, 7});
  Database file((home.directory.path() / "journal.db").string(), Access::kRead);
  EXPECT_EQ(file.QueryInt("counting", "SELECT count(*) FROM events WHERE partition = 3 AND sequence = 7"), 1);
}

// What was there before there were partitions is in the first one.
TEST(EventTables, AnOlderFileKeepsItsEvents) {
  TestHome home;
  {
    Database file((home.directory.path() / "events.db").string(), Access::kWrite);
    Migrate(file, FileKind::kEvents, EventMigrations().first(4));
    file.Execute("filling it",
                 "UPDATE event_log SET forgotten_through = 5, forgotten_latest = 77;"
                 "WITH RECURSIVE n (value) AS (SELECT 6 UNION ALL SELECT value + 1 FROM n WHERE value < 9) "
                 "INSERT INTO events (sequence, received_at, user, type, post, at, event_id, post_author, "
                 "post_created_at) SELECT value, 1000 + value, randomblob(16), 3, randomblob(16), 900 + value, "
                 "randomblob(16), randomblob(16), 1 FROM n");
  }
  const auto log = OpenSqliteEventLog(home.Options());
  EXPECT_EQ(log->HowFarForgotten().through, EventPoints{5});
  EXPECT_EQ(log->HowFarForgotten().latest, 77);
  const std::vector<LoggedEvent> events = log->Read({5}, 10);
  ASSERT_EQ(events.size(), 4u);
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto sequence = static_cast<std::int64_t>(6 + i);
    EXPECT_EQ(events[i].partition, 0u);
    EXPECT_EQ(events[i].sequence, sequence);
    EXPECT_EQ(events[i].received_at, 1000 + sequence);
    EXPECT_EQ(events[i].event.at, 900 + sequence);
  }
  const Result<EventLog::Appended> appended = AppendAndWait(*log, {NumberedEvent(1)});
  ASSERT_TRUE(appended);
  EXPECT_EQ(appended->end, EventPoints{10});
}

}  // namespace
}  // namespace novafeed::sqlite
