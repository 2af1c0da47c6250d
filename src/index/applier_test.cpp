#include "index/applier.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "index/test_cluster_log.h"
#include "index/test_log.h"

namespace novafeed {
namespace {

using testing::ClusterChanges;
using testing::ClusterEvents;
using testing::Describe;
using testing::kBase;
using testing::TestLog;

// Given: how many partitions the events have.
class ApplierTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  bool WaitFor(std::int64_t changes, const EventPoints& events, std::int64_t timeout_ms = 10'000) {
    return Await(&applier_, Position{"g", changes, events}, timeout_ms);
  }

  ManualClock clock_{kBase};
  Metrics metrics_;
  TestLog log_{GetParam()};
  FeedIndex index_{"g", kBase};
  IndexApplier applier_{&clock_, &index_, &log_, &log_.events, &metrics_};
};

INSTANTIATE_TEST_SUITE_P(Partitions, ApplierTest, ::testing::Values(1, 4));

TEST_P(ApplierTest, FollowsBothStreams) {
  applier_.Start();
  std::mt19937_64 random(7);
  for (int step = 0; step < 3000; ++step) log_.RandomStep(&random, kBase);
  ASSERT_TRUE(WaitFor(log_.End(), log_.events.End()));
  FeedIndex expected("g", kBase);
  expected.ApplyChanges(log_.Read(0, 100'000));
  expected.ApplyEvents(log_.events.Read({}, 100'000));
  EXPECT_EQ(Describe(index_), Describe(expected));
}

TEST_P(ApplierTest, AReachedPositionIsAnsweredAtOnce) {
  bool reached = false;
  applier_.WaitFor(Position{"g", 0, {}}, 0, [&](bool value) { reached = value; });
  EXPECT_TRUE(reached);
}

TEST_P(ApplierTest, APositionThatDoesNotComeIsGivenUp) {
  applier_.Start();
  EXPECT_FALSE(WaitFor(5, {}, 30));
}

TEST_P(ApplierTest, EachPartitionIsWaitedFor) {
  applier_.Start();
  for (int post = 0; post < 20; ++post) {
    log_.AddPost(post, 1, kBase);
    log_.AddEvent(EventType::kView, 2, post, kBase);
  }
  const EventPoints end = log_.events.End();
  ASSERT_EQ(end.List().size(), GetParam());
  ASSERT_TRUE(WaitFor(log_.End(), end));
  for (std::size_t partition = 0; partition < GetParam(); ++partition) {
    EventPoints beyond = end;
    ++beyond[partition];
    EXPECT_FALSE(WaitFor(0, beyond, 0)) << partition;
  }
}

TEST_P(ApplierTest, WaitersAreLetGoOnStop) {
  applier_.Start();
  std::promise<bool> reached;
  applier_.WaitFor(Position{"g", 5, {}}, 3'600'000, [&](bool value) { reached.set_value(value); });
  applier_.Stop();
  EXPECT_FALSE(reached.get_future().get());
}

TEST_P(ApplierTest, CountersAreFreshWhereNothingIsOpenEvenIfTheClockJumps) {
  applier_.Start();
  log_.AddPost(1, 1, kBase);
  ASSERT_TRUE(WaitFor(1, {}));
  clock_.Advance(3 * kMsPerHour);
  // Reached means applied; that nothing is open is noted right after, so ask until it is.
  while (applier_.CountersAsOf() != clock_.Now()) std::this_thread::yield();
}

TEST_P(ApplierTest, LikesAreTimedFromTheirCommit) {
  log_.AddPost(1, 1, kBase);
  applier_.Start();
  clock_.Set(kBase + 40);  // the test's log dates its commits kBase
  log_.AddLike(1, 1, kBase);
  log_.AddLike(2, 1, kBase);
  log_.RemoveLike(1, 1);
  log_.AddFollow(1, 2);
  ASSERT_TRUE(WaitFor(log_.End(), {}));
  applier_.Stop();
  const MetricsReading::Distribution likes = metrics_.Read().DistributionOf("novafeed_like_to_feed_seconds");
  EXPECT_EQ(likes.count, 3U);
  EXPECT_DOUBLE_EQ(likes.sum, 0.12);
}

TEST_P(ApplierTest, WhatAStartCatchesUpWithIsNotTimed) {
  log_.AddPost(1, 1, kBase);
  log_.AddLike(1, 1, kBase);
  clock_.Advance(kMsPerHour);
  applier_.Start();
  ASSERT_TRUE(WaitFor(2, {}));
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

TEST_P(ApplierTest, ALogThatFailsIsCountedShownAsLagAndTriedAgain) {
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
  applier.WaitFor(Position{"g", 1, {}}, 10'000, [&](bool value) { reached.set_value(value); });
  EXPECT_TRUE(reached.get_future().get());
}

// Whose Read does not come back until it is let go, as that of a log whose server hangs.
class HangingLog final : public ChangeFeed {
 public:
  explicit HangingLog(TestLog* log) : log_(log) {}
  void LetGo() { go_.set_value(); }
  void AwaitRead() { reached_.get_future().wait(); }

  std::vector<Change> Read(std::int64_t after, std::size_t limit) override {
    std::call_once(once_, [this] {
      reached_.set_value();
      go_.get_future().wait();
    });
    return log_->Read(after, limit);
  }
  std::int64_t End() override { return log_->End(); }
  std::int64_t ReadState(const std::function<void(const std::vector<Change>&)>& take) override {
    return log_->ReadState(take);
  }
  void OnCommit(std::function<void()> notify) override { log_->OnCommit(std::move(notify)); }

 private:
  TestLog* log_;
  std::once_flag once_;
  std::promise<void> reached_;
  std::promise<void> go_;
};

TEST_P(ApplierTest, WaitersAreGivenUpInTimeWhileTheLogHangs) {
  HangingLog hanging(&log_);
  IndexApplier applier(&clock_, &index_, &hanging, &log_.events, &metrics_);
  applier.Start();
  hanging.AwaitRead();
  for (const std::int64_t timeout_ms : {30, 0, 10}) {
    EXPECT_FALSE(Await(&applier, Position{"g", 1, {}}, timeout_ms)) << "it comes back at all";
  }
  std::promise<bool> reached;
  applier.WaitFor(Position{"g", 1, {}}, 60'000, [&](bool value) { reached.set_value(value); });
  EXPECT_FALSE(Await(&applier, Position{"g", 1, {}}, 20)) << "though another one waits longer";
  log_.AddPost(1, 1, kBase);
  hanging.LetGo();
  EXPECT_TRUE(reached.get_future().get());
}

// --- In a log that others write, too.

class ClusterApplierTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  bool WaitFor(std::int64_t changes, const EventPoints& events = {}, std::int64_t timeout_ms = 10'000) {
    return Await(&applier_, Position{"g", changes, events}, timeout_ms);
  }
  // Until the applier has looked at the log once more, from its beginning to its end.
  void WaitForALook() {
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(WaitFor(changes_.Commit(beat_)));
  }
  void AwaitCountersAsOf(TimeMs at) {
    while (applier_.CountersAsOf() != at) std::this_thread::yield();
  }

  ManualClock clock_{kBase};
  TimeMs beat_ = kBase;  // the time of heartbeats
  Metrics metrics_;
  TestLog log_{GetParam()};
  ClusterChanges changes_{&log_};
  ClusterEvents events_{&log_.events};
  FeedIndex index_{"g", kBase};
  IndexApplier applier_{&clock_, &index_, &changes_, &events_, &metrics_};
};

INSTANTIATE_TEST_SUITE_P(Partitions, ClusterApplierTest, ::testing::Values(1, 4));

TEST_P(ClusterApplierTest, FollowsCommitsOfManyChanges) {
  applier_.Start();
  std::mt19937_64 random(7);
  for (int commit = 0; commit < 500; ++commit) {
    for (std::uint64_t steps = random() % 12; steps > 0; --steps) log_.RandomStep(&random, kBase);
    changes_.Commit();
  }
  ASSERT_TRUE(WaitFor(changes_.End(), events_.End()));
  FeedIndex expected("g", kBase);
  expected.ApplyChanges(log_.Read(0, 100'000));
  expected.ApplyEvents(log_.events.Read({}, 100'000));
  EXPECT_EQ(Describe(index_), Describe(expected));
}

TEST_P(ClusterApplierTest, APointBehindWhichNothingWasCapturedIsReachedByTheNextHeartbeat) {
  applier_.Start();
  log_.AddPost(1, 1, kBase);
  const std::int64_t written = changes_.Commit();
  ASSERT_TRUE(WaitFor(written));
  EXPECT_FALSE(WaitFor(written + 1, {}, 0));
  std::promise<bool> reached;
  applier_.WaitFor(Position{"g", written + 1, {}}, 10'000, [&](bool value) { reached.set_value(value); });
  changes_.Commit();
  EXPECT_TRUE(reached.get_future().get());
}

TEST_P(ClusterApplierTest, WhatIsHeldBackIsNotReachedAndNothingBehindItIs) {
  applier_.Start();
  changes_.HoldBack();
  log_.AddPost(1, 1, kBase);
  const std::int64_t held = changes_.Commit();
  const std::int64_t behind = changes_.Commit();
  EXPECT_FALSE(WaitFor(held, {}, 50));
  EXPECT_FALSE(WaitFor(behind, {}, 0));
  changes_.Release();
  EXPECT_TRUE(WaitFor(behind));
}

TEST_P(ClusterApplierTest, CountersAreAsFreshAsTheLogWasSurelyRead) {
  EXPECT_EQ(applier_.CountersAsOf(), 0) << "nothing is known yet";
  log_.AddPost(1, 1, kBase);
  changes_.Commit(kBase - 300);
  applier_.Start();
  AwaitCountersAsOf(kBase - 300);
  clock_.Advance(10'000);
  EXPECT_EQ(applier_.CountersAsOf(), kBase - 300) << "what others commit is announced by nobody";
  applier_.ReportLag();
  EXPECT_DOUBLE_EQ(metrics_.Read().Values("novafeed_index_lag_seconds").front().value, 10.3);

  beat_ = kBase + 9000;
  ASSERT_TRUE(WaitFor(changes_.Commit(beat_)));
  AwaitCountersAsOf(beat_);

  changes_.HoldBack();
  log_.AddLike(1, 1, kBase);
  const std::int64_t like = changes_.Commit(kBase + 9500);
  EXPECT_FALSE(WaitFor(like, {}, 50));
  EXPECT_EQ(applier_.CountersAsOf(), beat_) << "a commit is on the log and was not read";
  changes_.Release();
  AwaitCountersAsOf(kBase + 9500);
}

using IndexBehindLog = ClusterApplierTest;
INSTANTIATE_TEST_SUITE_P(Partitions, IndexBehindLog, ::testing::Values(4));

TEST_P(IndexBehindLog, SaysOnceThatNoChangeComesInAndThatItDoesAgain) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto fall_behind_and_catch_up = [this] {
    applier_.Start();
    changes_.Commit(kBase);
    AwaitCountersAsOf(kBase);
    clock_.Advance(5000);
    applier_.ReportLag();
    clock_.Advance(2000);
    for (int i = 0; i < 5; ++i) applier_.ReportLag();
    changes_.Commit(clock_.Now());
    AwaitCountersAsOf(clock_.Now());
    for (int i = 0; i < 5; ++i) applier_.ReportLag();
    std::exit(0);
  };
  EXPECT_EXIT(fall_behind_and_catch_up(), ::testing::ExitedWithCode(0),
              R"("warn","event":"index_behind","changes_seconds":7,"events_seconds":[0-9]+.{3,80})"
              R"("event":"index_caught_up","after_seconds":7)");
}

TEST_P(ClusterApplierTest, CountersAreNotFresherThanTheEventsThatWereTaken) {
  applier_.Start();
  log_.AddPost(1, 1, kBase);
  WaitForALook();
  AwaitCountersAsOf(kBase);

  events_.HoldBack();
  clock_.Advance(1000);
  log_.AddEvent(EventType::kShare, 2, 1, kBase);
  clock_.Advance(1000);
  beat_ = clock_.Now();
  WaitForALook();
  EXPECT_LE(applier_.CountersAsOf(), kBase + 1000) << "an event that was accepted then is missing";
  events_.Release();
  AwaitCountersAsOf(beat_);
  EXPECT_EQ(index_.FindPost(testing::TestPost(1))->totals.shares, 1);
}

TEST_P(ClusterApplierTest, WhereTheLogForgotWhatComesNextItSaysSoUntilANewIndexTakesOver) {
  applier_.Start();
  log_.AddUser(1);
  ASSERT_TRUE(WaitFor(changes_.Commit()));
  EXPECT_FALSE(applier_.IsCutOff());
  changes_.HoldBack();
  log_.AddUser(2);
  const std::int64_t lost = changes_.Commit();
  changes_.Forget();
  while (!applier_.IsCutOff()) std::this_thread::yield();

  FeedIndex fresh("g", kBase);
  fresh.ApplyChanges(log_.Read(0, 100));
  fresh.SetPosition(Position{"g", lost, {}});
  ASSERT_TRUE(index_.TakeOver(&fresh));
  changes_.Release();
  log_.AddUser(3);
  ASSERT_TRUE(WaitFor(changes_.Commit()));
  while (applier_.IsCutOff()) std::this_thread::yield();
  for (const int user : {1, 2, 3}) EXPECT_TRUE(index_.KnowsUser(testing::TestUser(user))) << user;
}

TEST_P(ClusterApplierTest, CountersAreNeverOfAnInstantThatIsStillToCome) {
  log_.AddPost(1, 1, kBase);
  changes_.Commit(kBase + 60'000);  // a database whose clock is ahead
  applier_.Start();
  AwaitCountersAsOf(kBase);
  clock_.Advance(1000);
  AwaitCountersAsOf(kBase + 1000);
}

}  // namespace
}  // namespace novafeed
