#include "adapters/redis/address.h"

#include <gtest/gtest.h>

namespace novafeed {
namespace {

TEST(ParseRedisUrl, TakesHostsPortsDatabasesAndUsers) {
  EXPECT_EQ(ParseRedisUrl("redis://cache").value(), (RedisAddress{false, "", "cache", "6379", "0"}));
  EXPECT_EQ(ParseRedisUrl("redis://127.0.0.1:7000/").value(), (RedisAddress{false, "", "127.0.0.1", "7000", "0"}));
  EXPECT_EQ(ParseRedisUrl("rediss://nova@cache.example:1/3").value(),
            (RedisAddress{true, "nova", "cache.example", "1", "3"}));
  EXPECT_EQ(ParseRedisUrl("redis://[::1]:7000").value(), (RedisAddress{false, "", "::1", "7000", "0"}));
}

TEST(ParseRedisUrl, RefusesOthersAndPasswords) {
  for (const char* url : {"", "cache:6379", "http://cache", "redis://", "redis://:6379", "redis://cache:x",
                          "redis://cache:", "redis://cache:123456", "redis://cache/x", "redis://[::1", "redis://a b",
                          "redis://cache?db=1", "redis://a@b@c"}) {
    const auto address = ParseRedisUrl(url);
    ASSERT_FALSE(address) << url;
    EXPECT_EQ(address.error().code, "bad_redis_url");
  }
  const auto secret = ParseRedisUrl("redis://nova:hunter2@cache");
  ASSERT_FALSE(secret);
  EXPECT_EQ(secret.error().detail.find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace novafeed
