// One connection to Redis: commands out in one piece, their replies back in their order.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/redis/channel.h"
#include "base/result.h"

struct redisReader;

namespace novafeed {

using RedisCommand = std::vector<std::string_view>;  // its name, then its arguments; their owner keeps them

struct RedisReply {
  enum class Kind : std::uint8_t { kNil, kText, kInteger, kError, kOther };
  Kind kind = Kind::kNil;
  std::string text;  // of kText (a status is one) and kError
};

// For one thread at a time. After an error it must not be used again: a late reply would be taken for another's.
class RedisConnection {
 public:
  explicit RedisConnection(RedisChannel channel);

  // One reply for each command. kUnavailable as of RedisChannel; what is no reply is kRedisLost.
  Result<std::vector<RedisReply>> Exchange(const std::vector<RedisCommand>& commands, RedisChannel::Deadline deadline);

 private:
  Result<RedisReply> ReadReply(RedisChannel::Deadline deadline);

  RedisChannel channel_;
  std::unique_ptr<redisReader, void (*)(redisReader*)> reader_;
};

}  // namespace novafeed
