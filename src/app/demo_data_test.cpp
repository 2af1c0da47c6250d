#include "app/demo_data.h"

#include <gtest/gtest.h>

#include <future>
#include <string>
#include <tuple>
#include <utility>

#include "app/settings_table.h"
#include "base/test_support.h"

namespace novafeed {
namespace {

constexpr TimeMs kNow = 1'700'049'600'000;

struct Interrupted {};

class DemoDataTest : public testing::Test {
 protected:
  Stores Open(const std::string& directory) { return OpenStores(directory, *LoadSettings({}), &clock_, &metrics_); }

  // Rows and events there are.
  static std::pair<std::size_t, std::size_t> SizesOf(Stores* stores) {
    std::size_t rows = 0;
    stores->changes->ReadState([&](const std::vector<Change>& changes) { rows += changes.size(); });
    return {rows, stores->events->Read({}, 1'000'000).size()};
  }

  static DemoOptions AsOf(TimeMs now) { return DemoOptionsFor(1, 200, now); }
  static void Ignore(std::size_t, std::size_t) {}

  const TempDirectory complete_;
  const TempDirectory interrupted_;
  const ManualClock clock_{kNow};
  Metrics metrics_;
};

TEST_F(DemoDataTest, GoesOnAfterAnInterruptionAndIsMadeOnce) {
  Stores complete = Open(complete_.path());
  ASSERT_TRUE(EnsureDemoData(&complete, AsOf(kNow), Ignore));
  const auto sizes = SizesOf(&complete);
  EXPECT_GT(sizes.first, 10'000U);
  EXPECT_GT(sizes.second, 50'000U);

  Stores interrupted = Open(interrupted_.path());
  const auto interrupt = [](std::size_t done, std::size_t all) {
    if (done > all / 2) throw Interrupted();
  };
  EXPECT_THROW({ const auto filled = EnsureDemoData(&interrupted, AsOf(kNow), interrupt); }, Interrupted);
  EXPECT_LT(SizesOf(&interrupted).first, sizes.first);
  ASSERT_TRUE(EnsureDemoData(&interrupted, AsOf(kNow + kMsPerDay), Ignore));
  EXPECT_EQ(SizesOf(&interrupted), sizes);

  const std::int64_t end = interrupted.changes->End();
  ASSERT_TRUE(EnsureDemoData(&interrupted, AsOf(kNow + 2 * kMsPerDay), Ignore));
  EXPECT_EQ(interrupted.changes->End(), end);
}

TEST_F(DemoDataTest, WhatWasBegunIsMadeAsItWasBegun) {
  Stores stores = Open(complete_.path());
  const DemoOptions begun = DemoOptionsFor(7, 20, kNow);
  EXPECT_THROW(
      { const auto filled = EnsureDemoData(&stores, begun, [](auto, auto) { throw Interrupted(); }); }, Interrupted);
  for (int again = 0; again < 2; ++again) {
    const auto filled = EnsureDemoData(&stores, AsOf(kNow + kMsPerDay), Ignore);
    ASSERT_TRUE(filled);
    EXPECT_EQ(std::tie(filled->seed, filled->users, filled->posts, filled->now),
              std::tie(begun.seed, begun.users, begun.posts, begun.now));
  }
  EXPECT_EQ(stores.graph->ListUsers("", 1000).size(), 20U);
}

TEST_F(DemoDataTest, DataThatNoDemoMadeIsRefused) {
  Stores stores = Open(complete_.path());
  std::promise<void> done;
  stores.graph->Write([](GraphTransaction& tx) { tx.InsertUser({UserId{NewUuid(kNow)}, {}, "ann", "Ann", kNow}); },
                      [&done](const Result<std::int64_t>&) { done.set_value(); });
  done.get_future().wait();
  const auto filled = EnsureDemoData(&stores, AsOf(kNow), Ignore);
  ASSERT_FALSE(filled);
  EXPECT_EQ(filled.error().code, "no_demo_data");
  EXPECT_EQ(SizesOf(&stores).first, 1U);
}

}  // namespace
}  // namespace novafeed
