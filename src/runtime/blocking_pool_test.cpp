#include "runtime/blocking_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <limits>
#include <memory>
#include <string>
#include <thread>

namespace novafeed {
namespace {

TEST(BlockingPool, RunsEveryTaskOnce) {
  constexpr int kTasks = 500;
  std::atomic<int> done{0};
  std::promise<void> all;
  Metrics metrics;
  BlockingPool pool("test", 2, kTasks, &metrics);
  for (int i = 0; i < kTasks; ++i) {
    ASSERT_TRUE(pool.Post([&] {
      if (++done == kTasks) all.set_value();
    }));
  }
  all.get_future().wait();
  pool.Stop();
  EXPECT_EQ(done, kTasks);
}

TEST(BlockingPool, StopLetsTheRunningTaskEndDropsTheQueueAndRefusesMore) {
  Metrics metrics;
  BlockingPool pool("test", 1, std::numeric_limits<std::size_t>::max(), &metrics);
  std::promise<void> begun;
  std::promise<void> open_gate;
  std::atomic<bool> ended{false};
  std::atomic<bool> ran_queued{false};
  const auto held = std::make_shared<int>(0);
  ASSERT_TRUE(pool.Post([&] {
    begun.set_value();
    open_gate.get_future().wait();
    ended = true;
  }));
  begun.get_future().wait();
  ASSERT_TRUE(pool.Post([&ran_queued, held] { ran_queued = true; }));
  std::thread stop([&pool] { pool.Stop(); });
  while (pool.Post([] {})) std::this_thread::yield();  // refused from the moment that Stop has begun
  open_gate.set_value();
  stop.join();
  EXPECT_TRUE(ended);
  EXPECT_FALSE(ran_queued);
  EXPECT_EQ(held.use_count(), 1) << "what a dropped task holds must go with it";
  pool.Stop();
}

TEST(BlockingPool, RunsAsManyTasksAtOnceAsItHasThreads) {
  Metrics metrics;
  BlockingPool pool("test", 2, 10, &metrics);
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
  Metrics metrics;
  BlockingPool pool("test", 1, 2, &metrics);
  ASSERT_TRUE(pool.Post([&] {
    begun.set_value();
    open_gate.get_future().wait();
  }));
  begun.get_future().wait();
  EXPECT_TRUE(pool.Post([] {}));
  EXPECT_TRUE(pool.Post([&] { drained.set_value(); }));
  EXPECT_FALSE(pool.Post([] {}));
  EXPECT_NE(metrics.Render().find("novafeed_pool_refused_total{pool=\"test\"} 1\n"), std::string::npos);
  open_gate.set_value();
  drained.get_future().wait();
  EXPECT_TRUE(pool.Post([] {}));
}

}  // namespace
}  // namespace novafeed
