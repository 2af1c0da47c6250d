// kill -9 at random moments: what was acknowledged is there, exactly once, and nothing is there in part.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <random>
#include <set>
#include <stdexcept>
#include <vector>

#include "adapters/sqlite/test_stores.h"

namespace novafeed::sqlite {
namespace {

constexpr int kRounds = 8;
constexpr int kMaxAcknowledged = 400;

using Acknowledge = std::function<void(std::int32_t)>;

// Runs `write` (which never returns) in a child, kills it once `after` numbers were acknowledged, and gives all the
// numbers that it got to say. The child has no threads but its own, since it is forked before any store is open.
std::vector<std::int32_t> RunAndKill(int after, const std::function<void(const Acknowledge&)>& write) {
  int ends[2];
  if (pipe(ends) != 0) {
    throw std::runtime_error("cannot make a pipe");
  }
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    write([&](std::int32_t number) {
      if (::write(ends[1], &number, sizeof number) != sizeof number) {
        _exit(2);
      }
    });
    _exit(0);
  }
  close(ends[1]);
  std::vector<std::int32_t> acknowledged;
  std::int32_t number = 0;
  while (read(ends[0], &number, sizeof number) == sizeof number) {
    acknowledged.push_back(number);
    if (static_cast<int>(acknowledged.size()) == after) {
      kill(child, SIGKILL);  // and read on: what was said before counts
    }
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the child ended by itself";
  return acknowledged;
}

// Two likes of one user in one work: both or none.
void LikeTwice(GraphTransaction& tx, int number) {
  tx.InsertLike(NumberedLike(number, 2 * number));
  tx.InsertLike(NumberedLike(number, 2 * number + 1));
}

TEST(KillMinusNine, KeepsEveryAcknowledgedWriteOfTheGraphOnce) {
  TestHome home;
  std::mt19937_64 random(TestSeed());
  std::set<std::int32_t> acknowledged;
  for (int round = 0; round < kRounds; ++round) {
    const int first = round * 1'000'000;
    const int after = 1 + static_cast<int>(random() % kMaxAcknowledged);
    const auto said = RunAndKill(after, [&](const Acknowledge& acknowledge) {
      const auto store = OpenSqliteGraph(home.Options());
      for (int number = first;; ++number) {
        store->Write([number](GraphTransaction& tx) { LikeTwice(tx, number); },
                     [&acknowledge, number](const Result<std::int64_t>& result) {
                       if (result) acknowledge(number);
                     });
      }
    });
    acknowledged.insert(said.begin(), said.end());

    const auto store = OpenSqliteGraph(home.Options());
    const std::vector<Change> changes = store->Read(0, 10'000'000);
    std::multiset<UserId> likers;
    std::int64_t expected_sequence = 0;
    for (const Change& change : changes) {
      ASSERT_EQ(change.sequence, ++expected_sequence) << "the change log has a hole";
      likers.insert(std::get<Like>(*change.after).user);
    }
    EXPECT_EQ(store->End(), expected_sequence);
    for (const std::int32_t number : acknowledged) {
      ASSERT_EQ(likers.count(UserId{NumberedId(IdKind::kUser, number)}), 2u) << "write " << number << " was lost";
    }
    std::size_t rows = 0;
    EXPECT_EQ(store->ReadState([&](const std::vector<Change>& batch) { rows += batch.size(); }), expected_sequence);
    EXPECT_EQ(rows, changes.size()) << "rows and their changes differ";
    for (const UserId& user : likers) {
      ASSERT_EQ(likers.count(user), 2u) << "half a work was kept";
    }
  }
}

TEST(KillMinusNine, KeepsEveryAcknowledgedEventOnce) {
  TestHome home;
  std::mt19937_64 random(TestSeed());
  std::set<std::int32_t> acknowledged;
  for (int round = 0; round < kRounds; ++round) {
    const int first = round * 1'000'000;
    const int after = 1 + static_cast<int>(random() % kMaxAcknowledged);
    const auto said = RunAndKill(after, [&](const Acknowledge& acknowledge) {
      const auto log = OpenSqliteEventLog(home.Options());
      for (int number = first;; ++number) {
        log->Append({NumberedEvent(number)}, [&acknowledge, number](const Result<EventLog::Appended>& result) {
          if (result) acknowledge(number);
        });
      }
    });
    acknowledged.insert(said.begin(), said.end());

    const auto log = OpenSqliteEventLog(home.Options());
    const std::vector<LoggedEvent> events = log->Read({}, 10'000'000);
    std::multiset<Uuid> ids;
    std::int64_t expected_sequence = 0;
    for (const LoggedEvent& logged : events) {
      ASSERT_EQ(logged.sequence, ++expected_sequence) << "the log has a hole";
      ids.insert(logged.event.event_id.value);
    }
    for (const std::int32_t number : acknowledged) {
      ASSERT_EQ(ids.count(NumberedEvent(number).event_id.value), 1u) << "event " << number;
    }
    // Sent again after the restart, they are known.
    std::vector<Event> again;
    for (const std::int32_t number : said) {
      again.push_back(NumberedEvent(number));
    }
    const auto answer = AppendAndWait(*log, again);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->duplicate, std::vector<bool>(again.size(), true));
    EXPECT_EQ(answer->end, EventPoints{expected_sequence});
  }
}

// The event at this place of one partition of a topic, which holds each second one twice.
LoggedEvent MessageAt(std::int32_t offset) {
  const int number = offset % 4 == 3 ? offset - 1 : offset;
  return {1, offset + 1, kTestStart, NumberedEvent(number)};
}

TEST(KillMinusNine, AJournalHoldsEachEventUpToWhereItWasCopiedOnce) {
  TestHome home;
  std::mt19937_64 random(TestSeed());
  std::int64_t begin = 0;
  for (int round = 0; round < kRounds; ++round) {
    const int after = 1 + static_cast<int>(random() % kMaxAcknowledged);
    const auto said = RunAndKill(after, [&](const Acknowledge& acknowledge) {
      const auto journal = OpenSqliteEventJournal(home.Options());
      for (std::int64_t offset = begin;;) {
        std::vector<LoggedEvent> events;
        for (int i = 0; i < 10; ++i) events.push_back(MessageAt(static_cast<std::int32_t>(offset++)));
        journal->Add(events, {0, offset});
        acknowledge(static_cast<std::int32_t>(offset));
      }
    });
    const auto journal = OpenSqliteEventJournal(home.Options());
    const std::int64_t copied = journal->Copied().value()[1];
    ASSERT_GE(copied, said.back()) << "what it said to hold was lost";
    std::set<Uuid> expected;
    for (std::int32_t offset = 0; offset < copied; ++offset) expected.insert(MessageAt(offset).Identity());
    std::set<Uuid> found;
    for (const LoggedEvent& logged : journal->Read({}, 10'000'000)) {
      ASSERT_TRUE(found.insert(logged.Identity()).second);
      ASSERT_EQ(logged.event, MessageAt(static_cast<std::int32_t>(logged.sequence - 1)).event);
    }
    ASSERT_EQ(found, expected);
    begin = copied;
  }
}

}  // namespace
}  // namespace novafeed::sqlite
