#include "runtime/blocking_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace novafeed {
namespace {

TEST(BlockingPool, RunsWhatIsQueuedBeforeItGoes) {
  std::atomic<int> done{0};
  {
    BlockingPool pool("test", 2, 1000);
    for (int i = 0; i < 500; ++i) ASSERT_TRUE(pool.Post([&done] { ++done; }));
  }
  EXPECT_EQ(done, 500);
}

TEST(BlockingPool, RunsAsManyTasksAtOnceAsItHasThreads) {
  BlockingPool pool("test", 2, 10);
  std::promise<void> first;
  std::promise<void> second;
  std::promise<void> both;
  ASSERT_TRUE(pool.Post([&] {
    first.set_value();
    second.get_future().wait();
    both.set_value();
  }));
  ASSERT_TRUE(pool.Post([&] {
    first.get_future().wait();
    second.set_value();
  }));
  EXPECT_EQ(both.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
}

TEST(BlockingPool, RefusesBeyondItsBoundAndTakesAgainAfterwards) {
  std::promise<void> open_gate;
  std::promise<void> begun;
  std::promise<void> drained;
  BlockingPool pool("test", 1, 2);
  ASSERT_TRUE(pool.Post([&] {
    begun.set_value();
    open_gate.get_future().wait();
  }));
  begun.get_future().wait();
  EXPECT_TRUE(pool.Post([] {}));
  EXPECT_TRUE(pool.Post([&] { drained.set_value(); }));
  EXPECT_FALSE(pool.Post([] {}));
  open_gate.set_value();
  drained.get_future().wait();
  EXPECT_TRUE(pool.Post([] {}));
}

}  // namespace
}  // namespace novafeed
