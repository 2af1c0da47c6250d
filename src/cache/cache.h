// What is kept for a while so that it need not be made again: bytes by key, each with a time to live.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace novafeed {

// Port. Thread-safe. A cache may forget anything at any time, and one that fails slows nothing down: callers go on
// without it. Errors: kUnavailable "cache_unavailable".
class Cache {
 public:
  virtual ~Cache() = default;

  // Empty where nothing is kept under the key, or its time is over.
  virtual Result<std::optional<std::string>> Get(std::string_view key) = 0;
  // In place of what was kept. `ttl` is positive.
  virtual Status Put(std::string_view key, std::string value, std::chrono::milliseconds ttl) = 0;
  virtual Status Remove(std::string_view key) = 0;
};

}  // namespace novafeed
