// The cache in Redis: all that other rooms see of this adapter.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "base/result.h"
#include "cache/cache.h"

namespace novafeed {

struct RedisOptions {
  // "redis://host:6379/0", or "rediss://" for TLS; "user@" before the host names a user of Redis' access lists. Without
  // a port 6379, without a number database 0.
  std::string url;
  std::string password_file;    // empty: there is none. A line end behind the password does not count
  std::string ca_file;          // of TLS: whom to trust, as PEM; empty: whom the system trusts
  std::size_t connections = 4;  // at most; each carries one call at a time
  // A name is resolved by the system's resolver, whose own time-outs hold; everything else of a connection by this.
  std::chrono::milliseconds connect_timeout{200};
  std::chrono::milliseconds call_timeout{50};  // of each call, a wait for a connection included
  int failures_to_open = 5;                    // one after the other, until calls are refused at once
  std::chrono::milliseconds open_for{1000};    // until one call tries again
};

// Connects with the first call, so Redis need not be there yet. kInvalid "bad_redis_url", "bad_password_file",
// "bad_ca_file". `metrics` outlives it. Keys and values stand in Redis as they are.
Result<std::unique_ptr<Cache>> OpenRedisCache(const RedisOptions& options, Metrics* metrics);

}  // namespace novafeed
