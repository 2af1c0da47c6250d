#include "app/index_healer.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "graph/store.h"
#include "index/test_cluster_log.h"
#include "index/test_log.h"

namespace novafeed {
namespace {

using testing::kBase;

// An index that follows a topic of which retention can take what comes next.
class IndexHealerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    applier_.Start();
    log_.AddUser(1);
    ASSERT_TRUE(Await(&applier_, Position{"g", changes_.Commit(), {}}, 10'000));
  }

  void CutOff() {
    changes_.HoldBack();
    log_.AddUser(2);
    lost_ = changes_.Commit();
    changes_.Forget();
    while (!applier_.IsCutOff()) std::this_thread::yield();
  }

  // From what the graph holds, as of the end of the log.
  Status Rebuild() {
    ++rebuilds_;
    is_alone_ = is_alone_ && !upkeep_.try_lock();
    if (fails_) return Fail(Failure::kUnavailable, "store_away", "The store does not answer.");
    FeedIndex fresh("g", kBase);
    fresh.ApplyChanges(log_.Read(0, 100));
    fresh.SetPosition(Position{"g", lost_, {}});
    if (!index_.TakeOver(&fresh)) return Fail(Failure::kUnavailable, "index_behind", "It is behind.");
    changes_.Release();
    return {};
  }

  double Metric(const std::string& name) { return metrics_.Read().Values(name).front().value; }

  ManualClock clock_{kBase};
  Metrics metrics_;
  testing::TestLog log_{1};
  testing::ClusterChanges changes_{&log_};
  testing::ClusterEvents events_{&log_.events};
  FeedIndex index_{"g", kBase};
  IndexApplier applier_{&clock_, &index_, &changes_, &events_, &metrics_};
  std::mutex upkeep_;
  IndexHealer healer_{&applier_, [this] { return Rebuild(); }, &upkeep_, &metrics_};
  std::int64_t lost_ = 0;
  int rebuilds_ = 0;
  bool is_alone_ = true;
  bool fails_ = false;
};

TEST_F(IndexHealerTest, AnIndexThatFollowsIsLeftAlone) {
  healer_.Run();
  EXPECT_EQ(rebuilds_, 0);
  EXPECT_EQ(Metric("novafeed_index_cut_off"), 0);
}

TEST_F(IndexHealerTest, OneThatIsCutOffIsBuiltAnewWhileNothingRewritesTheLogAndFollowsAgain) {
  CutOff();
  healer_.Run();
  EXPECT_EQ(rebuilds_, 1);
  EXPECT_TRUE(is_alone_);
  EXPECT_EQ(Metric("novafeed_index_rebuilds_total"), 1);

  log_.AddUser(3);
  ASSERT_TRUE(Await(&applier_, Position{"g", changes_.Commit(), {}}, 10'000));
  for (const int user : {1, 2, 3}) EXPECT_TRUE(index_.KnowsUser(testing::TestUser(user))) << user;
  healer_.Run();
  EXPECT_EQ(rebuilds_, 1);
  EXPECT_EQ(Metric("novafeed_index_cut_off"), 0);
}

TEST_F(IndexHealerTest, WhereThatFailsItIsTriedAgain) {
  CutOff();
  fails_ = true;
  EXPECT_THROW(healer_.Run(), StoreError);
  EXPECT_EQ(Metric("novafeed_index_cut_off"), 1);
  EXPECT_EQ(Metric("novafeed_index_rebuilds_total"), 0);
  fails_ = false;
  healer_.Run();
  EXPECT_EQ(Metric("novafeed_index_rebuilds_total"), 1);
}

}  // namespace
}  // namespace novafeed
