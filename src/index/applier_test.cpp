#include "index/applier.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>

#include "index/test_log.h"

namespace novafeed {
namespace {

using testing::Describe;
using testing::kBase;
using testing::TestLog;

class ApplierTest : public ::testing::Test {
 protected:
  bool WaitFor(std::int64_t changes, std::int64_t events, std::int64_t timeout_ms = 10'000) {
    return Await(&applier_, Position{"g", changes, events}, timeout_ms);
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

TEST_F(ApplierTest, LikesAreTimedFromTheirCommit) {
  log_.AddPost(1, 1, kBase);
  applier_.Start();
  clock_.Set(kBase + 40);  // the test's log dates its commits kBase
  log_.AddLike(1, 1, kBase);
  log_.AddLike(2, 1, kBase);
  log_.RemoveLike(1, 1);
  log_.AddFollow(1, 2);
  ASSERT_TRUE(WaitFor(log_.End(), 0));
  applier_.Stop();
  const MetricsReading::Distribution likes = metrics_.Read().DistributionOf("novafeed_like_to_feed_seconds");
  EXPECT_EQ(likes.count, 3U);
  EXPECT_DOUBLE_EQ(likes.sum, 0.12);
}

TEST_F(ApplierTest, WhatAStartCatchesUpWithIsNotTimed) {
  log_.AddPost(1, 1, kBase);
  log_.AddLike(1, 1, kBase);
  clock_.Advance(kMsPerHour);
  applier_.Start();
  ASSERT_TRUE(WaitFor(2, 0));
  applier_.Stop();
  EXPECT_EQ(metrics_.Read().DistributionOf("novafeed_like_to_feed_seconds").count, 0U);
}

// Fails until it is told to work.
class FailingLog final : public ChangeFeed {
 public:
  explicit FailingLog(TestLog* log) : log_(log) {}
  std::vector<Change> Read(std::int64_t after, std::size_t limit) override {
    if (!works_.load()) throw std::runtime_error("cannot read");
    return log_->Read(after, limit);
  }
  std::int64_t End() override { return log_->End(); }
  std::int64_t ReadState(const std::function<void(const std::vector<Change>&)>& take) override {
    return log_->ReadState(take);
  }
  void OnCommit(std::function<void()> notify) override { log_->OnCommit(std::move(notify)); }
  void Work() { works_.store(true); }

 private:
  TestLog* log_;
  std::atomic<bool> works_{false};
};

TEST_F(ApplierTest, ALogThatFailsIsCountedShownAsLagAndTriedAgain) {
  FailingLog failing(&log_);
  IndexApplier applier(&clock_, &index_, &failing, &log_.events, &metrics_);
  applier.Start();
  log_.AddPost(1, 1, kBase);
  while (metrics_.Render().find("novafeed_index_apply_failures_total 0") != std::string::npos)
    std::this_thread::yield();
  clock_.Advance(60'000);
  applier.ReportLag();
  EXPECT_EQ(metrics_.Render().find("novafeed_index_lag_seconds 0"), std::string::npos);
  EXPECT_LT(applier.CountersAsOf(), clock_.Now());
  failing.Work();
  std::promise<bool> reached;
  applier.WaitFor(Position{"g", 1, 0}, 10'000, [&](bool value) { reached.set_value(value); });
  EXPECT_TRUE(reached.get_future().get());
}

}  // namespace
}  // namespace novafeed
