#include "adapters/redis/breaker.h"

#include <gtest/gtest.h>

namespace novafeed {
namespace {

using State = CircuitBreaker::State;
using std::chrono::milliseconds;

class BreakerTest : public testing::Test {
 protected:
  void OpenIt() {
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(breaker_.Allow(now_));
      breaker_.Failed(now_);
    }
    ASSERT_EQ(breaker_.state(), State::kOpen);
  }

  CircuitBreaker::TimePoint now_{std::chrono::hours(1)};
  CircuitBreaker breaker_{3, milliseconds(1000)};
};

TEST_F(BreakerTest, StaysClosedWhileFailuresAreNotInARow) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(breaker_.Allow(now_));
    i % 3 == 2 ? breaker_.Succeeded() : breaker_.Failed(now_);
  }
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(BreakerTest, RefusesAllCallsWhileItIsOpen) {
  OpenIt();
  EXPECT_FALSE(breaker_.Allow(now_));
  EXPECT_FALSE(breaker_.Allow(now_ + milliseconds(999)));
  EXPECT_EQ(breaker_.state(), State::kOpen);
}

TEST_F(BreakerTest, LetsOneCallTryAndClosesWithIt) {
  OpenIt();
  now_ += milliseconds(1000);
  EXPECT_TRUE(breaker_.Allow(now_));
  EXPECT_EQ(breaker_.state(), State::kHalfOpen);
  EXPECT_FALSE(breaker_.Allow(now_));
  breaker_.Succeeded();
  EXPECT_EQ(breaker_.state(), State::kClosed);
  EXPECT_TRUE(breaker_.Allow(now_));
  breaker_.Failed(now_);
  EXPECT_EQ(breaker_.state(), State::kClosed) << "counts from the beginning";
}

TEST_F(BreakerTest, OpensAgainWhereTheOneThatTriedFailed) {
  OpenIt();
  now_ += milliseconds(1000);
  ASSERT_TRUE(breaker_.Allow(now_));
  breaker_.Failed(now_);
  EXPECT_EQ(breaker_.state(), State::kOpen);
  EXPECT_FALSE(breaker_.Allow(now_ + milliseconds(999)));
  EXPECT_TRUE(breaker_.Allow(now_ + milliseconds(1000)));
}

TEST_F(BreakerTest, ACallThatWasNotMadeOrNeverEndedBlocksNothing) {
  OpenIt();
  now_ += milliseconds(1000);
  ASSERT_TRUE(breaker_.Allow(now_));
  breaker_.Abandoned();
  EXPECT_TRUE(breaker_.Allow(now_)) << "and never says how it ended";
  EXPECT_FALSE(breaker_.Allow(now_ + milliseconds(999)));
  EXPECT_TRUE(breaker_.Allow(now_ + milliseconds(1000)));
}

TEST_F(BreakerTest, ACallFromBeforeItOpenedDoesNotCloseIt) {
  ASSERT_TRUE(breaker_.Allow(now_));
  OpenIt();
  breaker_.Succeeded();
  EXPECT_EQ(breaker_.state(), State::kOpen);
}

TEST_F(BreakerTest, AnAbandonedCallWhileClosedChangesNothing) {
  ASSERT_TRUE(breaker_.Allow(now_));
  breaker_.Abandoned();
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

}  // namespace
}  // namespace novafeed
