#include "access/rate_limit.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/test_support.h"

namespace novafeed {
namespace {

constexpr RateRule kTenPerSecond{.per_second = 10, .burst = 5};

TEST(RateLimiter, BurstThenRefusedThenFilledAgain) {
  RateLimiter limiter(1000);
  for (std::int64_t left = 4; left >= 0; --left) {
    const RateDecision decision = limiter.Take("ada", kTenPerSecond, 0);
    EXPECT_TRUE(decision.allowed);
    EXPECT_EQ(decision.remaining, left);
  }
  const RateDecision refused = limiter.Take("ada", kTenPerSecond, 0);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.remaining, 0);
  EXPECT_EQ(refused.retry_after_ms, 100);

  EXPECT_FALSE(limiter.Take("ada", kTenPerSecond, 99).allowed);
  EXPECT_TRUE(limiter.Take("ada", kTenPerSecond, 100).allowed);
  EXPECT_FALSE(limiter.Take("ada", kTenPerSecond, 100).allowed);
}

TEST(RateLimiter, RetryAfterIsExactlyLongEnough) {
  RateLimiter limiter(1000);
  const RateRule rule{.per_second = 3, .burst = 1};
  EXPECT_TRUE(limiter.Take("ada", rule, 0).allowed);
  const RateDecision refused = limiter.Take("ada", rule, 0);
  EXPECT_EQ(refused.retry_after_ms, 334);
  EXPECT_FALSE(limiter.Take("ada", rule, refused.retry_after_ms - 1).allowed);
  EXPECT_TRUE(limiter.Take("ada", rule, refused.retry_after_ms).allowed);
}

TEST(RateLimiter, NeverHoldsMoreThanTheBurst) {
  RateLimiter limiter(1000);
  EXPECT_EQ(limiter.Take("ada", kTenPerSecond, 0).remaining, 4);
  EXPECT_EQ(limiter.Take("ada", kTenPerSecond, 1'000'000'000).remaining, 4);
}

TEST(RateLimiter, CallersDoNotShareABucket) {
  RateLimiter limiter(1000);
  const RateRule once{.per_second = 0.001, .burst = 1};
  EXPECT_TRUE(limiter.Take("ada", once, 0).allowed);
  EXPECT_FALSE(limiter.Take("ada", once, 0).allowed);
  EXPECT_TRUE(limiter.Take("bob", once, 0).allowed);
}

TEST(RateLimiter, CostTakesThatMuchOrNothing) {
  RateLimiter limiter(1000);
  EXPECT_EQ(limiter.Take("ada", kTenPerSecond, 0, 3).remaining, 2);
  const RateDecision refused = limiter.Take("ada", kTenPerSecond, 0, 3);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.remaining, 2);
  EXPECT_EQ(refused.retry_after_ms, 100);
  EXPECT_TRUE(limiter.Take("ada", kTenPerSecond, 0, 2).allowed);
  // More than the bucket holds: needs all of it, instead of being refused for ever.
  EXPECT_TRUE(limiter.Take("bob", kTenPerSecond, 0, 50).allowed);
}

TEST(RateLimiter, NoRuleMeansNoLimitAndNoBucket) {
  RateLimiter limiter(1000);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(limiter.Take("ada", RateRule{}, 0).allowed);
  EXPECT_EQ(limiter.size(), 0u);
}

TEST(RateLimiter, TimeThatGoesBackFillsNothing) {
  RateLimiter limiter(1000);
  const RateRule once{.per_second = 1, .burst = 1};
  EXPECT_TRUE(limiter.Take("ada", once, 10'000).allowed);
  EXPECT_FALSE(limiter.Take("ada", once, 5'000).allowed);
  EXPECT_FALSE(limiter.Take("ada", once, 10'999).allowed);
  EXPECT_TRUE(limiter.Take("ada", once, 11'000).allowed);
}

TEST(RateLimiter, BoundedAndTheHeldBackStayHeldBack) {
  constexpr std::size_t kMaxCallers = 32 * 64;
  RateLimiter limiter(kMaxCallers);
  const RateRule slow{.per_second = 0.0001, .burst = 10};
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(limiter.Take("greedy", slow, 0).allowed);
  for (int i = 0; i < 50'000; ++i) EXPECT_TRUE(limiter.Take("passer-by " + std::to_string(i), slow, 0).allowed);
  EXPECT_LE(limiter.size(), kMaxCallers);
  EXPECT_FALSE(limiter.Take("greedy", slow, 0).allowed);
}

TEST(RateLimiter, ManyThreadsTakeExactlyTheBurst) {
  RateLimiter limiter(1000);
  const RateRule rule{.per_second = 0.0001, .burst = 5000};
  std::atomic<int> allowed = 0;
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        if (limiter.Take("ada", rule, 0).allowed) ++allowed;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(allowed, 5000);
}

TEST(RateLimiter, NeverAllowsMoreThanBurstPlusRate) {
  std::mt19937_64 random(TestSeed());
  RateLimiter limiter(1000);
  std::int64_t now = 0;
  std::int64_t allowed = 0;
  for (int i = 0; i < 20'000; ++i) {
    now += static_cast<std::int64_t>(random() % 60);
    if (limiter.Take("ada", kTenPerSecond, now).allowed) ++allowed;
    ASSERT_LE(static_cast<double>(allowed), 5 + static_cast<double>(now) / 100.0 + 1e-6);
  }
  // Asked for three times what the rule gives: all of it was given, up to what a full bucket loses.
  EXPECT_GE(static_cast<double>(allowed), static_cast<double>(now) / 100.0 - 5);
}

}  // namespace
}  // namespace novafeed
