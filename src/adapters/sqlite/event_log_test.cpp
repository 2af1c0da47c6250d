#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "adapters/sqlite/database.h"
#include "adapters/sqlite/test_stores.h"

namespace novafeed::sqlite {
namespace {

std::vector<Event> EventsOf(int first, int count) {
  constexpr EventType kTypes[] = {EventType::kImpression, EventType::kView, EventType::kShare, EventType::kLike};
  std::vector<Event> events;
  for (int i = first; i < first + count; ++i) {
    events.push_back(NumberedEvent(i, kTypes[i % 4], i % 13));
  }
  return events;
}

struct Sums {
  std::int64_t shares = 0;
  std::int64_t impressions = 0;
  std::int64_t views = 0;
  friend bool operator==(const Sums&, const Sums&) = default;
};
using SumsByPost = std::map<PostId, Sums>;

void Count(const Event& event, SumsByPost* sums) {
  if (event.type == EventType::kLike || event.type == EventType::kUnlike) {
    return;
  }
  Sums& of_post = (*sums)[event.post];
  of_post.shares += event.type == EventType::kShare ? 1 : 0;
  of_post.impressions += event.type == EventType::kImpression ? 1 : 0;
  of_post.views += event.type == EventType::kView ? 1 : 0;
}

struct Forgotten {
  std::int64_t through = 0;
  SumsByPost sums;
};

Forgotten ReadForgotten(EventLog& log) {
  Forgotten forgotten;
  const auto take_totals = [&](const std::vector<ForgottenTotals>& batch) {
    for (const ForgottenTotals& totals : batch) {
      forgotten.sums[totals.post] = {totals.shares, totals.impressions, totals.views};
    }
  };
  forgotten.through = log.ReadForgotten(take_totals, [](const auto&) {})[0];
  return forgotten;
}

TEST(SqliteEventLog, ForgetsTheIdentitiesWithTheEvents) {
  TestHome home;
  const auto log = OpenSqliteEventLog(home.Options());
  ASSERT_TRUE(AppendAndWait(*log, EventsOf(0, 100)));
  home.clock.Advance(kMsPerDay);
  EXPECT_EQ(log->Forget(home.clock.Now(), {60}), 60);
  Database file((home.directory.path() / "events.db").string(), Access::kRead);
  EXPECT_EQ(file.QueryInt("counting", "SELECT count(*) FROM events"), 40);
  EXPECT_EQ(file.QueryInt("counting", "SELECT count(*) FROM identities"), 40);
}

// Each cut of the totals holds exactly the events up to the sequence that comes with it.
TEST(SqliteEventLog, TotalsAndTheirSequenceAreOneCutWhileItForgets) {
  constexpr int kEvents = 20'000;
  TestHome home;
  std::mt19937_64 random(TestSeed());
  const auto log = OpenSqliteEventLog(home.Options());
  const std::vector<Event> events = EventsOf(0, kEvents);
  ASSERT_TRUE(AppendAndWait(*log, events));
  home.clock.Advance(kMsPerDay);

  std::atomic<bool> done = false;
  std::thread forgetter([&] {
    for (std::int64_t applied = 0; applied < kEvents;) {
      applied = std::min<std::int64_t>(kEvents, applied + 1 + static_cast<std::int64_t>(random() % 700));
      log->Forget(home.clock.Now(), {applied});
    }
    done = true;
  });
  std::thread appender([&] {
    for (int i = kEvents; !done; ++i) {
      AppendAndWait(*log, EventsOf(i, 1));
    }
  });
  int cuts = 0;
  for (bool last = false; !last; ++cuts) {
    last = done;
    const Forgotten forgotten = ReadForgotten(*log);
    SumsByPost expected;
    for (std::int64_t i = 0; i < forgotten.through; ++i) {
      Count(events[static_cast<std::size_t>(i)], &expected);
    }
    EXPECT_EQ(forgotten.sums, expected) << "up to " << forgotten.through;
  }
  forgetter.join();
  appender.join();

  EXPECT_GT(cuts, 1);
  const Forgotten all = ReadForgotten(*log);
  EXPECT_EQ(all.through, kEvents);
  const std::vector<LoggedEvent> rest = log->Read({all.through}, 1'000'000);
  EXPECT_EQ(static_cast<std::int64_t>(rest.size()), log->End()[0] - kEvents);
}

TEST(SqliteEventLog, RefusesAtItsSizeLimitAndTakesAgainAfterForgetting) {
  TestHome home;
  SqliteOptions options = home.Options();
  options.max_event_bytes = 1 << 20;
  const auto log = OpenSqliteEventLog(options);
  int accepted = 0;
  Result<EventLog::Appended> answer;
  while ((answer = AppendAndWait(*log, EventsOf(accepted, 200)))) {
    accepted += 200;
    ASSERT_LT(accepted, 100'000);
  }
  EXPECT_EQ(answer.error().failure, Failure::kStorageFull);
  EXPECT_EQ(answer.error().code, "log_full");
  EXPECT_EQ(log->End(), EventPoints{accepted});
  EXPECT_EQ(AppendAndWait(*log, EventsOf(accepted, 1)).error().code, "log_full");
  EXPECT_EQ(MetricValue(home.metrics, R"(novafeed_store_refused_total{code="log_full",store="events"})"), 2);

  home.clock.Advance(kMsPerDay);
  EXPECT_GT(log->Forget(home.clock.Now(), {accepted / 2}), 0);
  EXPECT_TRUE(AppendAndWait(*log, EventsOf(accepted, 200)));
}

}  // namespace
}  // namespace novafeed::sqlite
