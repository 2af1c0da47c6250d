#include "adapters/sqlite/group_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <latch>
#include <optional>
#include <stdexcept>
#include <thread>

#include "adapters/sqlite/connection_pool.h"
#include "adapters/sqlite/test_stores.h"
#include "base/test_support.h"

namespace novafeed::sqlite {
namespace {

using ::testing::ElementsAre;

// A table of numbers, and a writer whose groups are cut by size only.
class GroupWriterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    database_.Execute("preparing", "CREATE TABLE numbers (sequence INTEGER PRIMARY KEY, x BLOB)");
    insert_.emplace(database_, "inserting", "INSERT INTO numbers VALUES (?, ?)");
    options_.store = "test";
    options_.max_group_time = std::chrono::minutes(1);
    Start();
  }
  void Start() { writer_.emplace(&database_, 0, options_, &metrics_); }

  GroupWriter::Work Insert(std::int64_t x) {
    return [this, x](Sequence& sequence) { insert_->Execute(sequence.Next(), x); };
  }
  GroupWriter::Work InsertAndThrow(std::int64_t x) {
    return [this, x](Sequence& sequence) {
      insert_->Execute(sequence.Next(), x);
      insert_->Execute(sequence.Next(), x);
      throw std::runtime_error("told to fail");
    };
  }

  // Queues the works behind one that waits, so that they become one group with it; gives all answers but its.
  std::vector<Result<std::int64_t>> RunAsOneGroup(std::vector<GroupWriter::Work> works) {
    std::vector<std::promise<Result<std::int64_t>>> answers(works.size());
    std::latch queued(1);
    writer_->Submit([&](Sequence&) { queued.wait(); }, [](const Result<std::int64_t>&) {});
    for (std::size_t i = 0; i < works.size(); ++i) {
      writer_->Submit(std::move(works[i]),
                      [&answers, i](Result<std::int64_t> result) { answers[i].set_value(result); });
    }
    queued.count_down();
    std::vector<Result<std::int64_t>> results;
    for (auto& answer : answers) {
      results.push_back(answer.get_future().get());
    }
    return results;
  }

  std::vector<std::int64_t> Numbers() {
    Database reader(path_, Access::kRead);
    Statement select(reader, "reading", "SELECT x FROM numbers ORDER BY sequence");
    std::vector<std::int64_t> numbers;
    for (Rows rows = select.Query(); rows.Next();) {
      numbers.push_back(rows.Int(0));
    }
    return numbers;
  }

  TempDirectory directory_;
  const std::string path_ = (directory_.path() / "numbers.db").string();
  Metrics metrics_;
  GroupWriter::Options options_;
  Database database_{path_, Access::kWrite};
  std::optional<Statement> insert_;
  std::optional<GroupWriter> writer_;
};

TEST_F(GroupWriterTest, AnswersTheLastNumberOfTheGroupAfterItsCommit) {
  const auto results = RunAsOneGroup({Insert(1), Insert(2), Insert(3)});
  for (const Result<std::int64_t>& result : results) {
    EXPECT_EQ(result.value(), 3);
  }
  EXPECT_EQ(writer_->End(), 3);
  EXPECT_THAT(Numbers(), ElementsAre(1, 2, 3));
}

TEST_F(GroupWriterTest, RollsBackAThrowingWorkAlone) {
  const auto results = RunAsOneGroup({Insert(1), InsertAndThrow(7), Insert(2), InsertAndThrow(8)});
  EXPECT_EQ(results[0].value(), 2);
  EXPECT_EQ(results[1].error().code, "write_failed");
  EXPECT_THAT(results[1].error().detail, ::testing::HasSubstr("told to fail"));
  EXPECT_EQ(results[2].value(), 2);
  EXPECT_FALSE(results[3]);
  EXPECT_THAT(Numbers(), ElementsAre(1, 2));
  EXPECT_EQ(MetricValue(metrics_, R"(novafeed_store_failed_works_total{code="write_failed",store="test"})"), 2);
}

TEST_F(GroupWriterTest, RollsBackAThrowingWorkThatComesFirst) {
  EXPECT_THROW(writer_->RunBlocking(InsertAndThrow(7)), StoreError);
  EXPECT_EQ(MetricValue(metrics_, R"(novafeed_store_failed_works_total{code="write_failed",store="test"})"), 1);
  writer_->RunBlocking(Insert(1));
  EXPECT_THAT(Numbers(), ElementsAre(1));
  EXPECT_EQ(writer_->End(), 1);
}

TEST_F(GroupWriterTest, RollsBackABrokenConstraintAlone) {
  const auto results = RunAsOneGroup({Insert(1), [this](Sequence&) { insert_->Execute(1, 5); }, Insert(2)});
  EXPECT_EQ(results[1].error().code, "constraint_violated");
  EXPECT_THAT(Numbers(), ElementsAre(1, 2));
}

TEST_F(GroupWriterTest, AnswersAtOnceWhenTheQueueIsFull) {
  writer_.reset();
  options_.max_queued = 2;
  Start();
  std::latch started(1);
  std::latch go_on(1);
  writer_->Submit(
      [&](Sequence&) {
        started.count_down();
        go_on.wait();
      },
      [](const Result<std::int64_t>&) {});
  started.wait();  // it is out of the queue
  std::promise<Result<std::int64_t>> heavy;
  writer_->Submit(Insert(1), [&](Result<std::int64_t> result) { heavy.set_value(result); }, 100);
  std::optional<Result<std::int64_t>> refused;
  writer_->Submit(Insert(2), [&](Result<std::int64_t> result) { refused = result; });
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->error().failure, Failure::kUnavailable);
  EXPECT_EQ(refused->error().code, "overloaded");
  EXPECT_EQ(MetricValue(metrics_, R"(novafeed_store_refused_total{code="overloaded",store="test"})"), 1);
  EXPECT_EQ(MetricValue(metrics_, R"(novafeed_store_queue_length{store="test"})"), 1)
      << "seen while the writer is busy";
  go_on.count_down();
  EXPECT_TRUE(heavy.get_future().get()) << "one work always fits, however heavy";
}

TEST_F(GroupWriterTest, RunsWhatIsQueuedBeforeItEnds) {
  std::atomic<int> answered = 0;
  for (int i = 0; i < 1000; ++i) {
    writer_->Submit(Insert(i), [&](const Result<std::int64_t>& result) { answered += result ? 1 : 0; });
  }
  writer_.reset();
  EXPECT_EQ(answered, 1000);
  EXPECT_EQ(Numbers().size(), 1000u);
}

TEST_F(GroupWriterTest, NotifiesAfterACommitUntilItIsToldNotTo) {
  std::atomic<int> called = 0;
  std::atomic<std::int64_t> seen_end = 0;
  writer_->OnCommit([&] {
    ++called;
    seen_end = writer_->End();
  });
  writer_->RunBlocking(Insert(1));
  EXPECT_EQ(called, 1);
  EXPECT_EQ(seen_end, 1);
  writer_->OnCommit(nullptr);
  writer_->RunBlocking(Insert(2));
  EXPECT_EQ(called, 1);
}

TEST_F(GroupWriterTest, CommitsEachWorkAloneInBulk) {
  writer_->SetBulk(true);
  const auto results = RunAsOneGroup({Insert(1), Insert(2)});
  EXPECT_EQ(results[0].value(), 1);
  EXPECT_EQ(results[1].value(), 2);
}

// Readers that overlap, so that at no instant there is none, must not let the write-ahead log grow without bound.
TEST_F(GroupWriterTest, KeepsTheWriteAheadLogSmallUnderConstantReaders) {
  writer_.reset();
  options_.checkpoint_pages = 16;
  Start();
  std::atomic<bool> stop = false;
  std::latch reading(2);
  std::vector<std::thread> readers;
  // Each reader hands over to the other before it ends its own cut.
  std::atomic<int> turn = 0;
  for (int me = 0; me < 2; ++me) {
    readers.emplace_back([&, me] {
      Database database(path_, Access::kRead);
      bool announced = false;
      while (!stop) {
        const ReadTransaction cut(&database);
        database.QueryInt("reading", "SELECT count(*) FROM numbers");
        if (!announced) {
          reading.count_down();
          announced = true;
        }
        turn = me;
        for (int i = 0; i < 10'000 && turn == me && !stop; ++i) {
          std::this_thread::yield();
        }
      }
    });
  }
  reading.wait();
  std::uintmax_t largest = 0;
  const std::string pages(40'000, 'x');
  for (int i = 0; i < 300; ++i) {  // 12 MB
    writer_->RunBlocking([&](Sequence& sequence) { insert_->Execute(sequence.Next(), Blob{pages}); });
    largest = std::max(largest, std::filesystem::file_size(path_ + "-wal"));
  }
  stop = true;
  for (std::thread& reader : readers) {
    reader.join();
  }
  EXPECT_LT(largest, 3u << 20);
}

TEST_F(GroupWriterTest, RunsAWorkAloneBehindTheCommitOfWhatWasQueuedBefore) {
  std::latch queued(1);
  writer_->Submit([&](Sequence&) { queued.wait(); }, [](const Result<std::int64_t>&) {});
  writer_->Submit(Insert(7), [](const Result<std::int64_t>&) {});
  std::thread alone([&] {
    writer_->RunAlone([&](Sequence&) {
      EXPECT_FALSE(database_.InTransaction());
      EXPECT_THAT(Numbers(), ElementsAre(7)) << "committed, and nothing behind it begun";
    });
  });
  queued.count_down();
  alone.join();
  writer_->RunBlocking(Insert(8));
  EXPECT_THAT(Numbers(), ElementsAre(7, 8));
}

TEST_F(GroupWriterTest, AWorkThatFailsAloneIsAnsweredWithItsError) {
  const auto fail = [](Sequence&) { throw StoreError(Error{Failure::kUnavailable, "not_now", "Try again."}); };
  EXPECT_THROW(writer_->RunAlone(fail), StoreError);
  writer_->RunBlocking(Insert(1));
  EXPECT_THAT(Numbers(), ElementsAre(1));
}

}  // namespace
}  // namespace novafeed::sqlite
