// Upkeep (a check, a purge): one at a time, among all processes that share their stores.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/metrics.h"
#include "graph/leases.h"

namespace novafeed {

inline constexpr std::string_view kUpkeepLease = "upkeep";

struct UpkeepOptions {
  std::chrono::milliseconds ttl{6000};    // of the lease: how long the others wait for a process that died
  std::chrono::milliseconds every{1000};  // how often it is extended
  std::chrono::milliseconds look{100};    // how often one that another has is asked for
};

// A lock (for std::scoped_lock) over this process's mutex and, where stores are shared, a lease. A lease guards no data
// (graph/leases.h): what is done under it bears a second one, badly at times, so it is kept from it. Thread-safe.
class Upkeep {
 public:
  // Both outlive it. `leases` is null where this process has its stores to itself.
  Upkeep(Leases* leases, Metrics* metrics, UpkeepOptions options = {});
  Upkeep(const Upkeep&) = delete;
  Upkeep& operator=(const Upkeep&) = delete;

  // Waits as long as it takes. Throws StoreError, kUnavailable "stopping" once Stop() was called.
  void lock();
  void unlock();

  // For whoever holds it, before each step that changes something for good: throws StoreError kUnavailable
  // "upkeep_lost" where the lease is not surely this upkeep's any more. Lost once, it stays so. Never blocks.
  void RequireHeld() const;

  // Whoever must not meet upkeep of this process, and is no upkeep for all, holds this.
  std::mutex& own() { return own_; }
  // Whoever waits for another process waits no more. For good.
  void Stop();

 private:
  using Steady = std::chrono::steady_clock;

  // The lease while it is held.
  struct Hold {
    std::string holder;
    std::atomic<Steady::rep> until{0};  // it is surely held; 0: it is lost
    std::thread extending;
    bool over = false;  // guarded by mutex_
  };

  std::unique_ptr<Hold> Take();
  bool TakeOnce(Hold* hold, Steady::rep answered_by);
  void Extend(Hold* hold);
  bool ExtendOnce(Hold* hold);
  void GiveBack(Hold* hold);

  Leases* const leases_;
  const UpkeepOptions options_;
  const Counter lost_;
  std::mutex own_;
  std::unique_ptr<Hold> hold_;  // guarded by own_; null where nothing is shared
  std::mutex mutex_;            // guards what follows
  std::condition_variable changed_;
  bool stopping_ = false;
};

}  // namespace novafeed
