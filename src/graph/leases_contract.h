// The tests that every adapter of Leases passes. For tests only.
//
//   const LeasesFactory kFactory = {"postgres", [](const std::filesystem::path& directory) { … }};
//   INSTANTIATE_TEST_SUITE_P(Postgres, LeasesContract, ::testing::Values(kFactory));
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/test_support.h"
#include "graph/leases.h"

namespace novafeed {

// Opens the leases of a directory, none at first, as one more process would.
struct LeasesFactory {
  std::string name;
  std::function<std::shared_ptr<Leases>(const std::filesystem::path& directory)> open;

  friend void PrintTo(const LeasesFactory& factory, std::ostream* out) { *out << factory.name; }
};

class LeasesContract : public ::testing::TestWithParam<LeasesFactory> {
 protected:
  static constexpr std::chrono::milliseconds kLong = std::chrono::minutes(10);
  static constexpr std::chrono::milliseconds kShort{50};

  std::shared_ptr<Leases> Open() { return GetParam().open(directory_.path()); }

  // Tries until it is free.
  static void TakeWhenFree(Leases* leases, const std::string& name, const std::string& holder) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!leases->Take(name, holder, kLong)) {
      if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("the lease never ended: " + name);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  // By the store's clock.
  static void AwaitThatAShortLeaseWouldBeOver(Leases* leases) {
    ASSERT_TRUE(leases->Take("short", "nobody", kShort));
    TakeWhenFree(leases, "short", "somebody");
  }

  TempDirectory directory_;
};

TEST_P(LeasesContract, OneHolderHasItAndOthersDoNot) {
  const auto one = Open();
  const auto two = Open();
  EXPECT_TRUE(one->Take("jobs", "one", kLong));
  EXPECT_FALSE(two->Take("jobs", "two", kLong));
  EXPECT_TRUE(one->Take("jobs", "one", kLong)) << "and goes on having it";
  EXPECT_FALSE(two->Take("jobs", "two", kLong));
  EXPECT_FALSE(one->Take("jobs", "another of one", kLong)) << "holders count, not processes";
}

TEST_P(LeasesContract, NamesAreLeasesOfTheirOwn) {
  const auto leases = Open();
  EXPECT_TRUE(leases->Take("jobs", "one", kLong));
  EXPECT_TRUE(leases->Take("Jobs", "two", kLong));
  EXPECT_TRUE(leases->Take("relay", "two", kLong)) << "and one may have several";
  EXPECT_FALSE(leases->Take("relay", "one", kLong));
}

TEST_P(LeasesContract, ItEndsWithItsTimeAndNotBefore) {
  const auto one = Open();
  const auto two = Open();
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(one->Take("jobs", "one", kShort));
  TakeWhenFree(two.get(), "jobs", "two");
  EXPECT_GE(std::chrono::steady_clock::now() - start, kShort);
  EXPECT_FALSE(one->Take("jobs", "one", kLong)) << "it belongs to another now";
}

TEST_P(LeasesContract, WhoWasLateMayStillExtendWhatNobodyTook) {
  const auto leases = Open();
  ASSERT_TRUE(leases->Take("jobs", "one", kShort));
  AwaitThatAShortLeaseWouldBeOver(leases.get());
  EXPECT_TRUE(leases->Take("jobs", "one", kLong));
  EXPECT_FALSE(leases->Take("jobs", "two", kLong));
}

TEST_P(LeasesContract, TheLastTakeSaysWhenItEnds) {
  const auto leases = Open();
  ASSERT_TRUE(leases->Take("longer", "one", kShort));
  ASSERT_TRUE(leases->Take("longer", "one", kLong));
  ASSERT_TRUE(leases->Take("shorter", "one", kLong));
  ASSERT_TRUE(leases->Take("shorter", "one", kShort));
  AwaitThatAShortLeaseWouldBeOver(leases.get());
  EXPECT_FALSE(leases->Take("longer", "two", kLong));
  EXPECT_TRUE(leases->Take("shorter", "two", kLong));
}

TEST_P(LeasesContract, WhatIsGivenBackIsFreeAtOnce) {
  const auto one = Open();
  const auto two = Open();
  ASSERT_TRUE(one->Take("jobs", "one", kLong));
  one->GiveBack("jobs", "one");
  EXPECT_TRUE(two->Take("jobs", "two", kLong));
  one->GiveBack("jobs", "one");
  EXPECT_FALSE(one->Take("jobs", "one", kLong)) << "one gives back what one has, and no more";
  one->GiveBack("never taken", "one");
  EXPECT_TRUE(two->Take("never taken", "two", kLong));
}

TEST_P(LeasesContract, ItOutlivesItsHolderUntilItsEnd) {
  const auto two = Open();
  auto one = Open();
  ASSERT_TRUE(one->Take("long", "one", kLong));
  ASSERT_TRUE(one->Take("short", "one", kShort));
  one.reset();
  EXPECT_FALSE(two->Take("long", "two", kLong));
  TakeWhenFree(two.get(), "short", "two");
}

TEST_P(LeasesContract, OfManyWhoTryAtOnceOneGetsIt) {
  constexpr int kRounds = 20;
  constexpr std::size_t kThreads = 6;
  const std::vector<std::shared_ptr<Leases>> processes = {Open(), Open()};
  for (int round = 0; round < kRounds; ++round) {
    // Free by its end in every other round, not there in the others.
    const std::string name = "round " + std::to_string(round);
    if (round % 2 == 0) {
      ASSERT_TRUE(processes[0]->Take(name, "before", kShort));
      AwaitThatAShortLeaseWouldBeOver(processes[1].get());
      processes[1]->GiveBack("short", "somebody");
    }
    std::vector<char> got(kThreads, 0);
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (std::size_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] { got[i] = processes[i % 2]->Take(name, "holder " + std::to_string(i), kLong); });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(std::count(got.begin(), got.end(), 1), 1) << name;
  }
}

}  // namespace novafeed
