// The contract of every cache, against a real Redis: as it is, and behind TLS and a password.
#include <gtest/gtest.h>

#include <algorithm>

#include <string>

#include "adapters/redis/open.h"
#include "adapters/redis/test_server.h"
#include "cache/cache_contract.h"

namespace novafeed {
namespace {

using testing::RedisServer;

template <RedisServer::Mode kMode>
class RedisFixture : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = new RedisServer(kMode); }
  static void TearDownTestSuite() { delete server_; }
  void SetUp() override { server_->Ask({"FLUSHALL"}); }

  Cache& cache() { return *cache_; }
  // Until Redis' own clock has gone on.
  void Advance(std::chrono::milliseconds by) {
    server_->Ask({"SET", "advance", "", "PX", std::to_string(by.count())});
    ASSERT_TRUE(Eventually([] { return server_->Ask({"GET", "advance"}).kind == RedisReply::Kind::kNil; }));
  }

  static inline RedisServer* server_ = nullptr;
  Metrics metrics_;
  std::unique_ptr<Cache> cache_ = OpenRedisCache(server_->Options(), &metrics_).value();
};

using PlainRedis = RedisFixture<RedisServer::Mode::kPlain>;
using TlsRedis = RedisFixture<RedisServer::Mode::kTls>;
INSTANTIATE_TYPED_TEST_SUITE_P(Redis, CacheContract, PlainRedis);
INSTANTIATE_TYPED_TEST_SUITE_P(RedisWithTls, CacheContract, TlsRedis);

TEST_F(PlainRedis, KeysValuesAndTimesStandInRedisAsTheyAre) {
  ASSERT_TRUE(cache_->Put("feed:v1:ann:0:20", "page", std::chrono::seconds(60)));
  EXPECT_EQ(server_->Ask({"GET", "feed:v1:ann:0:20"}).text, "page");
  EXPECT_EQ(server_->Ask({"EXPIRE", "feed:v1:ann:0:20", "60", "GT"}).kind, RedisReply::Kind::kInteger);
  const std::string held =
      "return tostring(redis.call('PTTL', KEYS[1]) > 50000 and redis.call('PTTL', KEYS[1]) <= 60000)";
  EXPECT_EQ(server_->Ask({"EVAL", held, "1", "feed:v1:ann:0:20"}).text, "true");
  server_->Ask({"SET", "suggest:users:ann", "others"});
  EXPECT_EQ(cache_->Get("suggest:users:ann").value(), "others");
}

TEST_F(PlainRedis, TakesADatabaseOfItsOwn) {
  RedisOptions options = server_->Options();
  options.url += "/3";
  const auto third = OpenRedisCache(options, &metrics_).value();
  ASSERT_TRUE(third->Put("key", "three", std::chrono::seconds(60)));
  EXPECT_EQ(third->Get("key").value(), "three");
  EXPECT_EQ(cache_->Get("key").value(), std::nullopt);
}

template <class Fixture>
class LargeValues : public Fixture {};
using Fixtures = ::testing::Types<PlainRedis, TlsRedis>;
TYPED_TEST_SUITE(LargeValues, Fixtures);

TYPED_TEST(LargeValues, GoThereAndBack) {
  std::string value;
  for (int i = 0; value.size() < (4U << 20); ++i) value += std::to_string(i) + '\0';
  ASSERT_TRUE(this->cache().Put("large", value, std::chrono::seconds(60)));
  EXPECT_EQ(this->cache().Get("large").value(), value);
}

TEST_F(TlsRedis, ManyThreadsShareAFewConnections) {
  RedisOptions options = server_->Options();
  options.connections = 2;
  const auto cache = OpenRedisCache(options, &metrics_).value();
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 6; ++thread) {
    threads.emplace_back([&cache, thread] {
      for (int i = 0; i < 150; ++i) {
        const std::string key = "key" + std::to_string(thread);
        EXPECT_TRUE(cache->Put(key, std::to_string(i), std::chrono::seconds(60)));
        const auto found = cache->Get(key);
        ASSERT_TRUE(found) << found.error().detail;
        EXPECT_EQ(*found, std::to_string(i));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string clients = server_->Ask({"CLIENT", "LIST", "TYPE", "normal"}).text;
  EXPECT_LE(std::ranges::count(clients, '\n'), 2 + 1 + 1) << clients;  // the fixture's, and who asks
}

}  // namespace
}  // namespace novafeed
