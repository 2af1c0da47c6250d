#include "cache/memory_cache.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <thread>
#include <vector>

#include "base/test_support.h"
#include "cache/cache_contract.h"

namespace novafeed {
namespace {

constexpr std::size_t kRoomy = 16UL << 20;

class MemoryCacheFixture : public ::testing::Test {
 protected:
  Cache& cache() { return cache_; }
  void Advance(std::chrono::milliseconds by) { clock_.Advance(by.count()); }

  ManualClock clock_{1000};
  Metrics metrics_;
  MemoryCache cache_{&clock_, kRoomy, &metrics_};
};
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, CacheContract, MemoryCacheFixture);

double MetricOf(const Metrics& metrics, const std::string& name) {
  const std::string text = metrics.Render();
  const std::size_t line = text.find("\n" + name + " ");
  return line == std::string::npos ? -1 : std::stod(text.substr(line + name.size() + 2));
}

TEST(MemoryCache, StaysWithinItsBytesAndLetsTheLeastRecentlyUsedGo) {
  ManualClock clock(0);
  Metrics metrics;
  MemoryCache cache(&clock, 16UL * 4096, &metrics);  // 4 KiB a shard
  const std::string value(1000, 'x');
  ASSERT_TRUE(cache.Put("kept", value, std::chrono::hours(1)));
  for (int i = 0; i < 2000; ++i) {
    ASSERT_TRUE(cache.Put("key" + std::to_string(i), value, std::chrono::hours(1)));
    ASSERT_EQ(cache.Get("kept").value(), value) << "after " << i;  // used all the time
    ASSERT_LE(MetricOf(metrics, "novafeed_cache_bytes"), 16 * 4096);
  }
  EXPECT_GT(MetricOf(metrics, "novafeed_cache_evictions_total"), 1900);
  EXPECT_EQ(cache.Get("key0").value(), std::nullopt);
}

TEST(MemoryCache, DoesNotKeepWhatIsGreaterThanItsRoomAndForgetsWhatWasThere) {
  ManualClock clock(0);
  Metrics metrics;
  MemoryCache cache(&clock, 16UL * 4096, &metrics);
  ASSERT_TRUE(cache.Put("key", "small", std::chrono::hours(1)));
  ASSERT_TRUE(cache.Put("key", std::string(5000, 'x'), std::chrono::hours(1)));
  EXPECT_EQ(cache.Get("key").value(), std::nullopt);
}

// Against a plain map with the same rules, where nothing has to go for want of room.
TEST(MemoryCache, IsAMapWithEnds) {
  std::mt19937_64 random(TestSeed());
  ManualClock clock(0);
  Metrics metrics;
  MemoryCache cache(&clock, kRoomy, &metrics);
  std::map<std::string, std::pair<std::string, TimeMs>> model;
  for (int step = 0; step < 20'000; ++step) {
    const std::string key = "key" + std::to_string(random() % 50);
    switch (random() % 4) {
      case 0: {
        const auto ttl = static_cast<TimeMs>(1 + random() % 100);
        model[key] = {std::to_string(step), clock.Now() + ttl};
        ASSERT_TRUE(cache.Put(key, std::to_string(step), std::chrono::milliseconds(ttl)));
        break;
      }
      case 1:
        model.erase(key);
        ASSERT_TRUE(cache.Remove(key));
        break;
      case 2:
        clock.Advance(static_cast<TimeMs>(random() % 5));
        break;
      default: {
        const auto place = model.find(key);
        const bool there = place != model.end() && clock.Now() < place->second.second;
        ASSERT_EQ(cache.Get(key).value(), there ? std::optional(place->second.first) : std::nullopt) << "step " << step;
      }
    }
  }
}

TEST(MemoryCache, ManyThreads) {
  ManualClock clock(0);
  Metrics metrics;
  MemoryCache cache(&clock, 16UL * 4096, &metrics);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&cache, thread] {
      for (int i = 0; i < 5000; ++i) {
        const std::string key = "key" + std::to_string(i % 40);
        static_cast<void>(cache.Put(key, key, std::chrono::hours(1)));
        const auto found = cache.Get(key).value();
        EXPECT_TRUE(!found || *found == key);
        if (i % 7 == thread) static_cast<void>(cache.Remove(key));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace novafeed
