#include "app/upkeep.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "app/test_leases.h"
#include "base/metrics.h"
#include "base/test_support.h"
#include "graph/store.h"

namespace novafeed {
namespace {

using std::chrono::milliseconds;

UpkeepOptions Quick() {
  return {milliseconds(500), milliseconds(20), milliseconds(2)};
}

TEST(UpkeepTest, OneAtATimeInOneProcessAndAmongSeveral) {
  LeasesInMemory leases;
  Metrics metrics;
  Upkeep here(&leases, &metrics, Quick());
  Upkeep there(&leases, &metrics, Quick());
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::vector<std::thread> threads;
  for (Upkeep* upkeep : {&here, &here, &there, &there}) {
    threads.emplace_back([&inside, &most, upkeep] {
      for (int i = 0; i < 5; ++i) {
        const std::scoped_lock lock(*upkeep);
        most = std::max(most.load(), ++inside);
        for (int yields = 0; yields < 100; ++yields) std::this_thread::yield();
        --inside;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(most, 1);
}

TEST(UpkeepTest, ALongOneKeepsItsLease) {
  LeasesInMemory leases;
  Metrics metrics;
  Upkeep upkeep(&leases, &metrics, Quick());
  const std::scoped_lock lock(upkeep);
  const auto first_end = leases.EndOf(kUpkeepLease);
  EXPECT_TRUE(Eventually([&] { return std::chrono::steady_clock::now() > first_end; }));
  EXPECT_FALSE(leases.Take(kUpkeepLease, "another", milliseconds(1)));
  upkeep.RequireHeld();
}

std::string LostAndCounted(LeasesInMemory* leases, const std::function<void()>& lose,
                           const std::function<void()>& mend) {
  Metrics metrics;
  Upkeep upkeep(leases, &metrics, Quick());
  const std::scoped_lock lock(upkeep);
  lose();
  const auto is_counted = [&] { return metrics.Read().Values("novafeed_upkeep_lost_total").front().value == 1; };
  EXPECT_TRUE(Eventually(is_counted));
  mend();
  try {
    upkeep.RequireHeld();
  } catch (const StoreError& error) {
    return error.error().code;
  }
  return "";
}

TEST(UpkeepTest, OneThatAnotherProcessHasTakenGoesNoFurtherAlsoWhereItCouldBeHadAgain) {
  LeasesInMemory leases;
  const auto lose = [&] { leases.Steal(kUpkeepLease); };
  const auto mend = [&] { leases.GiveBack(kUpkeepLease, "a thief"); };
  EXPECT_EQ(LostAndCounted(&leases, lose, mend), "upkeep_lost");
}

TEST(UpkeepTest, OneThatCouldNotBeExtendedInTimeGoesNoFurther) {
  LeasesInMemory leases;
  EXPECT_EQ(LostAndCounted(&leases, [&] { leases.SetAway(true); }, [&] { leases.SetAway(false); }), "upkeep_lost");
}

TEST(UpkeepTest, WhoWaitsForAnotherProcessKeepsNothingOfItsOwnWaitingAndEndsWhenStopped) {
  LeasesInMemory leases;
  Metrics metrics;
  Upkeep here(&leases, &metrics, Quick());
  Upkeep there(&leases, &metrics, Quick());
  const std::scoped_lock lock(there);
  std::atomic<bool> told{false};
  std::thread waiting([&] {
    try {
      const std::scoped_lock never(here);
    } catch (const StoreError& error) {
      told = error.error().code == "stopping";
    }
  });
  {
    const std::scoped_lock own(here.own());
  }
  here.Stop();
  waiting.join();
  EXPECT_TRUE(told);
}

TEST(UpkeepTest, WithoutOthersItIsAMutex) {
  Metrics metrics;
  Upkeep upkeep(nullptr, &metrics);
  upkeep.lock();
  upkeep.RequireHeld();
  EXPECT_FALSE(upkeep.own().try_lock());
  upkeep.unlock();
  EXPECT_TRUE(upkeep.own().try_lock());
  upkeep.own().unlock();
}

}  // namespace
}  // namespace novafeed
