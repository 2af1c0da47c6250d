#include "app/upkeep.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "app/test_leases.h"
#include "graph/store.h"

namespace novafeed {
namespace {

using std::chrono::milliseconds;

UpkeepOptions Quick() {
  return {milliseconds(500), milliseconds(20), milliseconds(2)};
}

TEST(UpkeepTest, OneAtATimeInOneProcessAndAmongSeveral) {
  LeasesInMemory leases;
  Upkeep here(&leases, Quick());
  Upkeep there(&leases, Quick());
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::vector<std::thread> threads;
  for (Upkeep* upkeep : {&here, &here, &there, &there}) {
    threads.emplace_back([&inside, &most, upkeep] {
      for (int i = 0; i < 5; ++i) {
        const std::scoped_lock lock(*upkeep);
        most = std::max(most.load(), ++inside);
        std::this_thread::sleep_for(milliseconds(3));
        --inside;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(most, 1);
}

TEST(UpkeepTest, ALongOneKeepsItsLease) {
  LeasesInMemory leases;
  Upkeep upkeep(&leases, {milliseconds(200), milliseconds(5), milliseconds(2)});
  const std::scoped_lock lock(upkeep);
  std::this_thread::sleep_for(milliseconds(500));
  EXPECT_FALSE(leases.Take(kUpkeepLease, "another", milliseconds(1)));
}

TEST(UpkeepTest, WhoWaitsForAnotherProcessKeepsNothingOfItsOwnWaitingAndEndsWhenStopped) {
  LeasesInMemory leases;
  Upkeep here(&leases, Quick());
  Upkeep there(&leases, Quick());
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
  Upkeep upkeep(nullptr);
  upkeep.lock();
  EXPECT_FALSE(upkeep.own().try_lock());
  upkeep.unlock();
  EXPECT_TRUE(upkeep.own().try_lock());
  upkeep.own().unlock();
}

}  // namespace
}  // namespace novafeed
