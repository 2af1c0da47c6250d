#include "index/popularity.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace novafeed {
namespace {

using Groups = std::vector<std::set<std::uint32_t>>;

Groups GroupsOf(const Popularity& popularity) {
  Groups groups;
  popularity.WalkGroups([&](std::span<const std::uint32_t> group) {
    groups.emplace_back(group.begin(), group.end());
    return true;
  });
  return groups;
}

// By the plain way: counted, and sorted.
Groups Expected(const std::vector<std::uint32_t>& followers) {
  std::map<std::uint32_t, std::set<std::uint32_t>, std::greater<>> by_count;
  for (std::uint32_t user = 0; user < followers.size(); ++user) by_count[followers[user]].insert(user);
  Groups groups;
  for (const auto& [count, users] : by_count) groups.push_back(users);
  return groups;
}

TEST(Popularity, OfNobodyIsNothing) {
  EXPECT_TRUE(GroupsOf(Popularity()).empty());
}

TEST(Popularity, GroupsStandMostFollowersFirstThroughRandomHistories) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  Popularity popularity;
  std::vector<std::uint32_t> followers;
  for (int step = 0; step < 3000; ++step) {
    if (followers.empty() || random() % 20 == 0) {
      popularity.Add();
      followers.push_back(0);
    }
    const auto user = static_cast<std::uint32_t>(random() % followers.size() * (random() % 3) / 2);
    if (followers[user] > 0 && random() % 3 == 0) {
      popularity.Lower(user, followers[user]--);
    } else {
      popularity.Raise(user, followers[user]++);
    }
    if (step % 50 == 0) ASSERT_EQ(GroupsOf(popularity), Expected(followers)) << step;
  }
  Popularity loaded;
  loaded.Assign(followers);
  EXPECT_EQ(GroupsOf(loaded), Expected(followers));
  loaded.Raise(0, followers[0]++);
  loaded.Add();
  followers.push_back(0);
  EXPECT_EQ(GroupsOf(loaded), Expected(followers));
}

TEST(Popularity, AWalkEndsWhereItIsToldTo) {
  Popularity popularity;
  popularity.Assign(std::vector<std::uint32_t>{3, 1, 2});
  int groups = 0;
  popularity.WalkGroups([&](std::span<const std::uint32_t>) { return ++groups < 2; });
  EXPECT_EQ(groups, 2);
}

}  // namespace
}  // namespace novafeed
