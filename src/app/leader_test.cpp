#include "app/leader.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>

#include "app/test_leases.h"
#include "base/metrics.h"
#include "base/test_support.h"

namespace novafeed {
namespace {

using std::chrono::milliseconds;

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
  EXPECT_EQ(leader.Term(), 1);
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
  EXPECT_EQ(leader.Term(), 1);
  leases.SetAway(true);
  EXPECT_TRUE(Eventually([&] { return !leader.Leads(); }));
  leases.SetAway(false);
  EXPECT_TRUE(Eventually([&] { return leader.Leads(); }));
  EXPECT_EQ(leader.Term(), 2) << "another one may have led meanwhile";
}

}  // namespace
}  // namespace novafeed
