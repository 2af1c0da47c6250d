#include "warehouse/landed_commits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <vector>

#include "base/test_support.h"

namespace novafeed {
namespace {

TEST(LandedCommits, ACommitIsReachedWhenEachOfItsTopicsIsLandedUpToIt) {
  LandedCommits commits;
  EXPECT_EQ(commits.Reached({9, 9, 9, 9, 9}), 0);
  commits.Add({100, {1, 0, 0, 0, 0}});
  commits.Add({200, {1, 0, 0, 3, 0}});
  EXPECT_EQ(commits.Reached({0, 0, 0, 9, 0}), 0);
  EXPECT_EQ(commits.Reached({1, 0, 0, 2, 0}), 100);
  EXPECT_EQ(commits.Reached({1, 0, 0, 3, 0}), 200);
  EXPECT_EQ(commits.Reached({0, 0, 0, 0, 0}), 200) << "after a rewind it is landed nevertheless";
}

TEST(LandedCommits, ATopicOnWhichNothingIsWrittenHoldsUpNone) {
  LandedCommits commits;
  commits.Add({100, {7, 5, 0, 0, 0}});
  for (std::int64_t beat = 101; beat < 200; ++beat) commits.Add({beat, {7, 5, 0, 0, 0}});
  EXPECT_EQ(commits.Reached({7, 5, 0, 0, 0}), 199);
}

TEST(LandedCommits, TooManyThatWaitMakeLongerStepsAndNoWrongOnes) {
  LandedCommits commits(2);
  for (std::int64_t i = 1; i <= 10; ++i) commits.Add({i * 100, {i, 0, 0, 0, 0}});
  EXPECT_EQ(commits.Reached({5, 0, 0, 0, 0}), 100);
  EXPECT_EQ(commits.Reached({9, 0, 0, 0, 0}), 100);
  EXPECT_EQ(commits.Reached({10, 0, 0, 0, 0}), 1000);
}

TEST(LandedCommits, NeverSaysMoreThanIsLandedAndInTheEndAll) {
  std::mt19937_64 random(TestSeed());
  for (int round = 0; round < 200; ++round) {
    LandedCommits commits(1 + random() % 30);
    std::vector<PlacedCommit> all{{0, {}}};
    ChangeOffsets landed = {};
    for (int step = 0; step < 200; ++step) {
      if (random() % 2 == 0) {
        PlacedCommit next = all.back();
        next.commit += 1 + static_cast<std::int64_t>(random() % 9);
        for (std::int64_t& end : next.ends) end += static_cast<std::int64_t>(random() % 3 / 2);
        all.push_back(next);
        commits.Add(next);
      } else {
        for (std::size_t i = 0; i < landed.size(); ++i) {
          landed[i] = std::min(all.back().ends[i], landed[i] + static_cast<std::int64_t>(random() % 3));
        }
      }
      const std::int64_t reached = commits.Reached(landed);
      for (const PlacedCommit& placed : all) {
        if (placed.commit > reached) continue;
        ASSERT_TRUE(std::ranges::equal(landed, placed.ends, std::greater_equal<>()));
      }
    }
    ASSERT_EQ(commits.Reached(all.back().ends), all.back().commit);
  }
}

}  // namespace
}  // namespace novafeed
