// Where Redis is, from its URL. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace novafeed {

struct RedisAddress {
  bool tls = false;
  std::string user;  // empty: the default one
  std::string host;  // without brackets
  std::string port = "6379";
  std::string database = "0";
  friend bool operator==(const RedisAddress&, const RedisAddress&) = default;
};

// kInvalid "bad_redis_url", also for a URL with a password in it: what stands in a setting is printed.
Result<RedisAddress> ParseRedisUrl(std::string_view url);

}  // namespace novafeed
