// Transactions come out whole, in order and once, however the topics are interleaved, cut and repeated; and where they
// cannot, there is an error and never a gap.
#include "adapters/kafka/assembler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <random>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include "adapters/kafka/search.h"
#include "base/test_support.h"
#include "graph/store.h"

namespace novafeed::kafka {
namespace {

constexpr std::size_t kTopics = kRowTopics.size() + 1;
constexpr std::size_t kEnds = kRowTopics.size();

// What stands on a topic: a row, or an END, or neither (a BEGIN, or what cannot be read).
struct TestMessage {
  std::optional<CapturedRow> row;
  std::optional<TransactionEnd> end;
};
using Log = std::array<std::vector<TestMessage>, kTopics>;

Change NamedChange(const std::string& name) {
  User user;
  user.handle = name;
  Change change;
  change.after = user;
  return change;
}

// A transaction, by the names of its rows in their order.
struct Expected {
  Lsn commit = 0;
  std::vector<std::string> rows;
  friend bool operator==(const Expected&, const Expected&) = default;
  friend void PrintTo(const Expected& expected, std::ostream* out) {
    *out << expected.commit << ":";
    for (const std::string& row : expected.rows) *out << " " << row;
  }
};

Expected Describe(const CapturedTransaction& transaction) {
  Expected described;
  described.commit = transaction.commit;
  for (const Change& change : transaction.changes) {
    EXPECT_EQ(change.sequence, transaction.commit);
    described.rows.push_back(std::get<User>(*change.after).handle);
  }
  return described;
}

// A database that commits interleaved transactions, and a connector that writes them to the topics, dies, and goes on
// from where it may have remembered to be.
class TestCapture {
 public:
  explicit TestCapture(std::uint64_t seed) : random_(seed) {}

  // A transaction with a row of each of these, in this order.
  void Commit(const std::vector<std::size_t>& tables) {
    const std::int64_t transaction = ++transactions_;
    TransactionEnd end;
    end.transaction = transaction;
    Expected expected;
    // Some rows were written before the last commit: their own places say nothing about the order of commits.
    Lsn own = std::max<Lsn>(8, now_ - static_cast<Lsn>(Below(50)) * 8);
    std::vector<TestMessage> rows;
    for (const std::size_t table : tables) {
      CapturedRow row;
      row.transaction = transaction;
      row.lsn = own += 8 * (1 + static_cast<Lsn>(Below(3)));
      row.follows = last_commit_;
      row.order = static_cast<std::int64_t>(rows.size()) + 1;
      if (table != kHeartbeatTopic) {
        const std::string name = std::to_string(transaction) + "." + std::to_string(row.order);
        row.change = NamedChange(name);
        expected.rows.push_back(name);
      }
      ++end.rows[table];
      rows.push_back({row, {}});
    }
    now_ = std::max(now_, own) + 8;
    end.commit = expected.commit = now_;
    source_.push_back({kEnds, {}});
    for (std::size_t i = 0; i < rows.size(); ++i) source_.push_back({tables[i], rows[i]});
    source_.push_back({kEnds, {{}, end}});
    last_commit_ = end.commit;
    expected_.push_back(expected);
  }

  void CommitSome(int count) {
    for (int i = 0; i < count; ++i) {
      std::vector<std::size_t> tables(1 + Below(6));
      for (std::size_t& table : tables) table = Below(kHeartbeatTopic);
      if (Below(4) == 0) tables = {kHeartbeatTopic};
      Commit(tables);
    }
  }

  // A new slot: every table is read at this point, and what was committed since the last END is lost.
  Lsn Snapshot(const std::vector<std::size_t>& tables) {
    now_ += 1000;
    for (const std::size_t table : tables) {
      CapturedRow row;
      row.lsn = now_;
      source_.push_back({table, {row, {}}});
    }
    last_commit_.reset();
    return now_;
  }

  // Forgets the END that was written last.
  void LoseLastEnd() { source_.pop_back(); }

  // What the connector writes, dying up to `deaths` times. After each it goes on from anywhere that it had come to.
  Log Write(int deaths) {
    Log log;
    std::size_t at = 0;
    while (at < source_.size()) {
      const std::size_t until = deaths > 0 ? at + Below(source_.size() - at + 1) : source_.size();
      for (; at < until; ++at) log[source_[at].topic].push_back(source_[at].message);
      if (deaths-- > 0) at -= Below(std::min<std::size_t>(at, 40) + 1);
    }
    return log;
  }

  std::size_t Below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }
  const std::vector<Expected>& expected() const { return expected_; }
  std::mt19937_64& random() { return random_; }

 private:
  struct Sourced {
    std::size_t topic = 0;
    TestMessage message;
  };

  std::mt19937_64 random_;
  std::int64_t transactions_ = 700;
  Lsn now_ = 10'000;
  std::optional<Lsn> last_commit_;
  std::vector<Sourced> source_;
  std::vector<Expected> expected_;
};

// A reader of such a log, from any point, as the adapter is one.
class TestReader {
 public:
  // `first` is where each topic begins: what was before is forgotten.
  TestReader(const Log* log, Lsn after, std::array<std::size_t, kTopics> first = {})
      : log_(log), start_(StartOf(after, first)), assembler_(start_) {
    for (std::size_t topic = 0; topic < kEnds; ++topic) {
      next_[topic] = Find(topic, first[topic], [this](const TestMessage& message) -> std::optional<bool> {
        if (!message.row) return std::nullopt;
        return message.row->order == 0 ? message.row->lsn > start_.after
                                       : message.row->Place() >= start_.last_commit.value_or(0);
      });
      cut_[topic] = first[topic] > 0 && next_[topic] == first[topic];
    }
  }

  bool HasMore(std::size_t topic) const { return next_[topic] < (*log_)[topic].size(); }

  // Reads one message, and what it makes complete.
  void Step(std::size_t topic) {
    const TestMessage& message = (*log_)[topic][next_[topic]++];
    if (message.row) assembler_.Add(topic, *message.row);
    if (message.end) {
      newest_ = std::max(newest_, message.end->commit);
      assembler_.Add(*message.end);
    }
    while (const std::optional<CapturedTransaction> next = assembler_.Next()) found_.push_back(Describe(*next));
  }

  // Reads the topics to their ends, in any interleaving; but for one.
  void ReadAll(std::mt19937_64* random, std::size_t held_back = kTopics) {
    std::vector<std::size_t> open(kTopics);
    for (std::size_t topic = 0; topic < kTopics; ++topic) open[topic] = topic;
    while (true) {
      std::erase_if(open, [&](std::size_t topic) { return topic == held_back || !HasMore(topic); });
      if (open.empty()) break;
      // Now and then many of one, so that topics are far ahead of each other.
      const std::size_t topic = open[(*random)() % open.size()];
      for (std::size_t steps = (*random)() % 20 + 1; steps > 0 && HasMore(topic); --steps) Step(topic);
    }
    if (held_back == kTopics) assembler_.RequireRows(newest_, cut_);
  }

  const std::vector<Expected>& found() const { return found_; }
  const TransactionAssembler& assembler() const { return assembler_; }

 private:
  template <class Judge>
  std::size_t Find(std::size_t topic, std::size_t first, Judge judge) const {
    const auto& messages = (*log_)[topic];
    return FindStart(static_cast<std::int64_t>(first), static_cast<std::int64_t>(messages.size()),
                     [&](std::int64_t from, std::int64_t until) -> std::optional<Found> {
                       for (; from < until; ++from) {
                         if (const std::optional<bool> behind = judge(messages[from])) return Found{from, *behind};
                       }
                       return std::nullopt;
                     });
  }

  AssemblyStart StartOf(Lsn after, const std::array<std::size_t, kTopics>& first) {
    AssemblyStart start{after, std::nullopt};
    if (first[kEnds] == 0) start.last_commit = 0;
    next_[kEnds] = Find(kEnds, first[kEnds], [&](const TestMessage& message) -> std::optional<bool> {
      if (!message.end) return std::nullopt;
      if (message.end->commit > after) return true;
      start.last_commit = message.end->commit;
      return false;
    });
    return start;
  }

  const Log* log_;
  std::array<std::size_t, kTopics> next_ = {};
  AssemblyStart start_;
  TransactionAssembler assembler_;
  std::array<bool, kRowTopics.size()> cut_ = {};
  Lsn newest_ = 0;
  std::vector<Expected> found_;
};

std::vector<Expected> Behind(const std::vector<Expected>& all, Lsn after) {
  std::vector<Expected> behind;
  std::ranges::copy_if(all, std::back_inserter(behind), [&](const Expected& one) { return one.commit > after; });
  return behind;
}

// Whether reading to the end is refused as forgotten; what was found by then is checked to be a beginning of the rest.
bool IsForgotten(TestReader* reader, std::mt19937_64* random, const std::vector<Expected>& rest) {
  bool forgotten = false;
  try {
    reader->ReadAll(random);
  } catch (const StoreError& error) {
    EXPECT_EQ(error.error().code, "log_forgotten");
    EXPECT_EQ(error.error().failure, Failure::kConflict);
    forgotten = true;
  }
  EXPECT_LE(reader->found().size(), rest.size());
  EXPECT_TRUE(std::ranges::equal(reader->found(), rest | std::views::take(reader->found().size())));
  if (!forgotten) EXPECT_EQ(reader->found(), rest) << "nothing is left out in silence";
  return forgotten;
}

class TransactionAssemblerProperties : public ::testing::Test {
 protected:
  // Runs `round` many times with captures of seeds that follow from one that is printed.
  template <class Round>
  void Repeat(Round round) {
    std::mt19937_64 seeds(TestSeed());
    for (int i = 0; i < 200 && !HasFailure(); ++i) {
      const std::uint64_t seed = seeds();
      SCOPED_TRACE("round " + std::to_string(i));
      TestCapture capture(seed);
      round(&capture);
    }
  }
};

TEST_F(TransactionAssemblerProperties, EveryTransactionComesOnceInOrderFromAnywhere) {
  Repeat([](TestCapture* capture) {
    capture->CommitSome(60);
    const Log log = capture->Write(static_cast<int>(capture->Below(5)));
    const Lsn after = capture->Below(4) == 0 ? 0 : capture->expected()[capture->Below(60)].commit;
    TestReader reader(&log, after);
    EXPECT_FALSE(IsForgotten(&reader, &capture->random(), Behind(capture->expected(), after)));
    EXPECT_EQ(reader.assembler().position(), capture->expected().back().commit);
  });
}

TEST_F(TransactionAssemblerProperties, ATopicThatIsHeldBackHoldsBackWhatComesAfterAndNothingElse) {
  Repeat([](TestCapture* capture) {
    capture->CommitSome(40);
    const Log log = capture->Write(static_cast<int>(capture->Below(3)));
    const std::size_t held_back = capture->Below(kTopics);
    TestReader reader(&log, 0);
    reader.ReadAll(&capture->random(), held_back);
    std::size_t until = 0;
    if (held_back != kEnds) {
      // Up to the first transaction with a row there.
      const auto first = std::ranges::find_if(
          log[kEnds], [&](const TestMessage& message) { return message.end && message.end->rows[held_back] > 0; });
      while (first != log[kEnds].end() && capture->expected()[until].commit < first->end->commit) ++until;
      if (first == log[kEnds].end()) until = capture->expected().size();
    }
    EXPECT_TRUE(std::ranges::equal(reader.found(), capture->expected() | std::views::take(until)));
    reader.ReadAll(&capture->random());
    EXPECT_EQ(reader.found(), capture->expected());
  });
}

TEST_F(TransactionAssemblerProperties, WhatRetentionTookAwayIsAnErrorAndNeverAGap) {
  int forgotten = 0;
  Repeat([&](TestCapture* capture) {
    capture->CommitSome(60);
    const Log log = capture->Write(static_cast<int>(capture->Below(3)));
    std::array<std::size_t, kTopics> first = {};
    for (std::size_t topic = 0; topic < kTopics; ++topic) first[topic] = capture->Below(log[topic].size() / 2 + 1);
    const Lsn after = capture->expected()[capture->Below(60)].commit;
    TestReader reader(&log, after, first);
    forgotten += IsForgotten(&reader, &capture->random(), Behind(capture->expected(), after)) ? 1 : 0;
  });
  EXPECT_GT(forgotten, 20);
  EXPECT_LT(forgotten, 180);
}

TEST_F(TransactionAssemblerProperties, AnEndThatWasNeverWrittenIsAnErrorAndNeverAGap) {
  Repeat([](TestCapture* capture) {
    capture->CommitSome(20);
    capture->LoseLastEnd();
    const Expected lost = capture->expected().back();
    capture->CommitSome(20);
    const Log log = capture->Write(0);
    TestReader before(&log, 0);
    EXPECT_TRUE(IsForgotten(&before, &capture->random(), capture->expected()));
    EXPECT_EQ(before.found().size(), 19u);
    TestReader behind(&log, lost.commit);
    EXPECT_FALSE(IsForgotten(&behind, &capture->random(), Behind(capture->expected(), lost.commit)));
  });
}

TEST_F(TransactionAssemblerProperties, ANewSnapshotIsAnErrorForWhoComesFromBefore) {
  Repeat([](TestCapture* capture) {
    capture->CommitSome(20);
    const Lsn last = capture->expected().back().commit;
    std::vector<std::size_t> rows(capture->Below(4));  // there may be none at all
    for (std::size_t& table : rows) table = capture->Below(kRowTopics.size());
    const Lsn snapshot = capture->Snapshot(rows);
    capture->CommitSome(20);
    const Log log = capture->Write(static_cast<int>(capture->Below(2)));
    for (const Lsn after : {Lsn{0}, capture->expected()[10].commit, last}) {
      TestReader before(&log, after);
      EXPECT_TRUE(IsForgotten(&before, &capture->random(), Behind(capture->expected(), after)));
      EXPECT_LE(before.assembler().position(), last);
    }
    TestReader behind(&log, snapshot);
    EXPECT_FALSE(IsForgotten(&behind, &capture->random(), Behind(capture->expected(), snapshot)));
    const Lsn later = capture->expected()[30].commit;
    TestReader much_later(&log, later);
    EXPECT_FALSE(IsForgotten(&much_later, &capture->random(), Behind(capture->expected(), later)));
  });
}

TEST(TransactionAssembler, TheFirstSnapshotIsTheStateAndTheLogBeginsBehindIt) {
  TestCapture capture(1);
  const Lsn snapshot = capture.Snapshot({0, 1, 1});
  capture.CommitSome(3);
  const Log log = capture.Write(0);
  TestReader from_nothing(&log, 0);
  EXPECT_TRUE(IsForgotten(&from_nothing, &capture.random(), capture.expected()));
  TestReader from_state(&log, snapshot);
  EXPECT_FALSE(IsForgotten(&from_state, &capture.random(), capture.expected()));
}

TEST(TransactionAssembler, ARowThatCannotBeReadLeavesItsTransactionWithoutIt) {
  TransactionAssembler assembler({});
  CapturedRow row{7, 80, std::nullopt, 1, {}};
  assembler.Add(1, row);
  row.order = 2;
  row.change = NamedChange("second");
  assembler.Add(1, row);
  TransactionEnd end{7, 100, 1, {}};
  end.rows[1] = 2;
  assembler.Add(end);
  const std::optional<CapturedTransaction> next = assembler.Next();
  ASSERT_TRUE(next);
  EXPECT_EQ(Describe(*next).rows, std::vector<std::string>{"second"});
}

TEST(TransactionAssembler, SaysWhatItWaitsFor) {
  TransactionAssembler assembler({});
  EXPECT_TRUE(assembler.WantsEnds());
  EXPECT_FALSE(assembler.WantsRows(2));
  TransactionEnd end{7, 100, 1, {}};
  end.rows[2] = 1;
  assembler.Add(end);
  EXPECT_FALSE(assembler.WantsEnds());
  EXPECT_TRUE(assembler.WantsRows(2));
  EXPECT_FALSE(assembler.WantsRows(1));
  assembler.Add(2, {7, 80, std::nullopt, 1, {}});
  EXPECT_EQ(assembler.RowsWaiting(2), 1u);
  EXPECT_TRUE(assembler.Next());
  EXPECT_EQ(assembler.RowsWaiting(2), 0u);
  EXPECT_EQ(assembler.EndsWaiting(), 0u);
}

TEST(TransactionAssembler, IsCompleteAsOfTheLatestTimeOfWhatCameOut) {
  TransactionAssembler assembler({0, 0, 7});
  EXPECT_EQ(assembler.complete_as_of(), 7);
  const auto end_of = [](Lsn commit, TimeMs at) { return TransactionEnd{commit, commit, at, {}}; };
  assembler.Add(end_of(100, 50));
  EXPECT_EQ(assembler.complete_as_of(), 7) << "it was not given out yet";
  EXPECT_TRUE(assembler.Next());
  EXPECT_EQ(assembler.complete_as_of(), 50);
  assembler.Add(end_of(200, 40));  // its time was taken first, and it was written last
  EXPECT_TRUE(assembler.Next());
  EXPECT_EQ(assembler.complete_as_of(), 50);
  TransactionEnd held = end_of(300, 60);
  held.rows[1] = 1;
  assembler.Add(held);
  EXPECT_FALSE(assembler.Next());
  EXPECT_EQ(assembler.complete_as_of(), 50) << "a row of it is missing";
}

TEST(TransactionAssembler, KnowsWhereTheRowsOfATransactionEndAndWhatIsNotUsedYet) {
  TransactionAssembler assembler({});
  const auto row = [](std::int64_t transaction, Lsn follows, std::int64_t order, std::int64_t offset) {
    return CapturedRow{transaction, follows + 8, follows, order, {}, offset};
  };
  TransactionEnd end{7, 100, 1, {}};
  end.rows[0] = 2;
  end.rows[3] = 1;
  assembler.Add(end);
  assembler.Add(0, row(7, 0, 1, 40));
  assembler.Add(0, row(7, 0, 2, 41));
  assembler.Add(0, row(7, 0, 1, 42));  // capture has started again, and repeats itself
  EXPECT_FALSE(assembler.Next());
  EXPECT_EQ(assembler.FirstUnused(0), 40);
  EXPECT_EQ(assembler.FirstUnused(3), std::nullopt);
  assembler.Add(3, row(7, 0, 3, 9));
  const std::optional<CapturedTransaction> transaction = assembler.Next();
  ASSERT_TRUE(transaction);
  EXPECT_EQ(transaction->ends[0], 42);
  EXPECT_EQ(transaction->ends[1], 0);
  EXPECT_EQ(transaction->ends[3], 10);
  EXPECT_EQ(assembler.FirstUnused(0), std::nullopt) << "what is repeated was given out";
  assembler.Add(0, row(8, 100, 1, 43));
  EXPECT_EQ(assembler.FirstUnused(0), 43);
}

TEST(TransactionAssembler, TwoRowsInOnePlaceAreAnError) {
  TransactionAssembler assembler({});
  assembler.Add(1, {7, 80, std::nullopt, 1, {}});
  assembler.Add(2, {7, 88, std::nullopt, 1, {}});
  TransactionEnd end{7, 100, 1, {}};
  end.rows[1] = end.rows[2] = 1;
  assembler.Add(end);
  EXPECT_THROW(assembler.Next(), StoreError);
}

}  // namespace
}  // namespace novafeed::kafka
