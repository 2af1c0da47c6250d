#include "adapters/postgres/retries.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include "adapters/postgres/errors.h"

namespace novafeed::postgres {
namespace {

constexpr int kLongestPauseMs = 64;

// Random, so that those who met once do not meet again.
void PauseBefore(int attempt) {
  thread_local std::minstd_rand random(std::random_device{}());
  const int longest = std::min(1 << std::min(attempt, 6), kLongestPauseMs);
  std::this_thread::sleep_for(std::chrono::microseconds(std::uniform_int_distribution(0, longest * 1000)(random)));
}

}  // namespace

void RunWithRetries(const std::function<void()>& attempt, const std::function<void()>& on_retry) {
  bool was_lost = false;
  for (int number = 1;; ++number) {
    try {
      attempt();
      return;
    } catch (const Conflict&) {
      if (number >= kMostAttempts) throw;
    } catch (const ConnectionLost&) {
      if (std::exchange(was_lost, true)) throw;
    }
    on_retry();
    PauseBefore(number);
  }
}

}  // namespace novafeed::postgres
