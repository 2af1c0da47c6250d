// Microseconds since the last call, for Server-Timing.
#pragma once

#include <chrono>
#include <cstdint>

namespace novafeed {

class Stopwatch {
 public:
  std::int64_t Lap() {
    const auto now = std::chrono::steady_clock::now();
    const auto lap = std::chrono::duration_cast<std::chrono::microseconds>(now - last_).count();
    last_ = now;
    return lap;
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace novafeed
