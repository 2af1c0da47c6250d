// Which of the processes that share their stores does what only one has to do: relays, jobs, upkeep.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/log.h"
#include "base/metrics.h"
#include "graph/leases.h"

namespace novafeed {

inline constexpr std::string_view kLeaderLease = "leader";

struct LeaderOptions {
  std::chrono::milliseconds ttl{6000};    // of the lease: how long the others wait for one that died
  std::chrono::milliseconds every{1000};  // how often it is extended, or tried for
};

// Owned by the wiring. Tries for the lease on a thread of its own until its end, which gives it back. Thread-safe.
class Leader {
 public:
  // `leases` and `metrics` outlive it. `leases` is null where this process has its stores to itself: then it leads,
  // always.
  Leader(Leases* leases, Metrics* metrics, LeaderOptions options = {});
  ~Leader();
  Leader(const Leader&) = delete;
  Leader& operator=(const Leader&) = delete;

  // Which term this process is in, from 1 on: 0 where it does not surely hold the lease now, and another one than
  // before where another process may have had it in between. Never blocks.
  std::uint64_t Term() const;
  bool Leads() const { return Term() != 0; }

 private:
  using Steady = std::chrono::steady_clock;

  void Run();
  void Try();
  void Note(bool leads);

  Leases* const leases_;
  const LeaderOptions options_;
  const std::string holder_;  // this process, now
  const Gauge leads_metric_;
  std::atomic<std::uint64_t> term_{0};
  std::atomic<Steady::rep> leads_until_{0};
  bool led_ = false;  // the thread's
  LogGate failure_log_{10'000};
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace novafeed
