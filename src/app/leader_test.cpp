#include "app/leader.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

#include "base/metrics.h"

namespace novafeed {
namespace {

using std::chrono::milliseconds;

// One lease for each name, as long as its time is: what a store would keep.
class LeasesInMemory final : public Leases {
 public:
  bool Take(std::string_view name, std::string_view holder, milliseconds ttl) override {
    const std::scoped_lock lock(mutex_);
    if (away_) throw std::runtime_error("the store is away");
    const auto now = std::chrono::steady_clock::now();
    Held& held = held_[std::string(name)];
    if (held.until > now && held.holder != holder) return false;
    held = {std::string(holder), now + ttl};
    return true;
  }
  void GiveBack(std::string_view name, std::string_view holder) override {
    const std::scoped_lock lock(mutex_);
    const auto held = held_.find(std::string(name));
    if (held != held_.end() && held->second.holder == holder) held_.erase(held);
  }
  void SetAway(bool away) {
    const std::scoped_lock lock(mutex_);
    away_ = away;
  }

 private:
  struct Held {
    std::string holder;
    std::chrono::steady_clock::time_point until;
  };
  std::mutex mutex_;
  bool away_ = false;
  std::map<std::string, Held> held_;
};

bool Eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(1));
  }
  return true;
}

LeaderOptions Quick() {
  LeaderOptions options;
  options.ttl = milliseconds(500);
  options.every = milliseconds(5);
  return options;
}

TEST(LeaderTest, WhoHasTheStoresToItselfLeads) {
  Metrics metrics;
  const Leader leader(nullptr, &metrics);
  EXPECT_TRUE(leader.Leads());
}

TEST(LeaderTest, OneLeadsAndTheNextOneFollowsItAtOnce) {
  LeasesInMemory leases;
  Metrics metrics;
  auto first = std::make_unique<Leader>(&leases, &metrics, Quick());
  EXPECT_TRUE(first->Leads());
  const Leader second(&leases, &metrics, Quick());
  EXPECT_FALSE(second.Leads());
  first.reset();
  EXPECT_TRUE(Eventually([&] { return second.Leads(); }));
}

TEST(LeaderTest, WhoCannotReachTheStoreLeadsNoLongerThanItsLease) {
  LeasesInMemory leases;
  Metrics metrics;
  const Leader leader(&leases, &metrics, Quick());
  ASSERT_TRUE(leader.Leads());
  leases.SetAway(true);
  EXPECT_TRUE(Eventually([&] { return !leader.Leads(); }));
  leases.SetAway(false);
  EXPECT_TRUE(Eventually([&] { return leader.Leads(); }));
}

}  // namespace
}  // namespace novafeed
