#include "index/applier.h"

#include <gtest/gtest.h>

#include <future>

#include "index/test_log.h"

namespace novafeed {
namespace {

using testing::Describe;
using testing::kBase;
using testing::TestLog;
using testing::TestPost;

class ApplierTest : public ::testing::Test {
 protected:
  bool WaitFor(std::int64_t changes, std::int64_t events, std::int64_t timeout_ms = 10'000) {
    std::promise<bool> reached;
    applier_.WaitFor(Position{"g", changes, events}, timeout_ms, [&](bool value) { reached.set_value(value); });
    return reached.get_future().get();
  }

  ManualClock clock_{kBase};
  Metrics metrics_;
  TestLog log_;
  FeedIndex index_{"g", kBase};
  IndexApplier applier_{&clock_, &index_, &log_, &log_.events, &metrics_};
};

TEST_F(ApplierTest, FollowsBothStreams) {
  applier_.Start();
  std::mt19937_64 random(7);
  for (int step = 0; step < 3000; ++step) log_.RandomStep(&random, kBase);
  ASSERT_TRUE(WaitFor(log_.End(), log_.events.End()));
  FeedIndex expected("g", kBase);
  expected.ApplyChanges(log_.Read(0, 100'000));
  expected.ApplyEvents(log_.events.Read(0, 100'000));
  EXPECT_EQ(Describe(index_), Describe(expected));
}

TEST_F(ApplierTest, AReachedPositionIsAnsweredAtOnce) {
  bool reached = false;
  applier_.WaitFor(Position{"g", 0, 0}, 0, [&](bool value) { reached = value; });
  EXPECT_TRUE(reached);
}

TEST_F(ApplierTest, APositionThatDoesNotComeIsGivenUp) {
  applier_.Start();
  EXPECT_FALSE(WaitFor(5, 0, 30));
}

TEST_F(ApplierTest, WaitersAreLetGoOnStop) {
  applier_.Start();
  std::promise<bool> reached;
  applier_.WaitFor(Position{"g", 5, 0}, 3'600'000, [&](bool value) { reached.set_value(value); });
  applier_.Stop();
  EXPECT_FALSE(reached.get_future().get());
}

TEST_F(ApplierTest, CountersAreFreshWhereNothingIsOpenEvenIfTheClockJumps) {
  applier_.Start();
  log_.AddPost(1, 1, kBase);
  ASSERT_TRUE(WaitFor(1, 0));
  clock_.Advance(3 * kMsPerHour);
  // Reached means applied; that nothing is open is noted right after, so ask until it is.
  while (applier_.CountersAsOf() != clock_.Now()) std::this_thread::yield();
}

}  // namespace
}  // namespace novafeed
