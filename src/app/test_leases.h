// Leases for tests of what takes them.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>

#include "graph/leases.h"

namespace novafeed {

// One lease for each name, as long as its time is: what a store would keep.
class LeasesInMemory final : public Leases {
 public:
  bool Take(std::string_view name, std::string_view holder, std::chrono::milliseconds ttl) override {
    const std::scoped_lock lock(mutex_);
    if (away_) throw std::runtime_error("the store is away");
    const auto now = std::chrono::steady_clock::now();
    Held& held = held_[std::string(name)];
    if (held.until > now && held.holder != holder) return false;
    held = {std::string(holder), now + ttl};
    return true;
  }
  void GiveBack(std::string_view name, std::string_view holder) override {
    const std::scoped_lock lock(mutex_);
    const auto held = held_.find(std::string(name));
    if (held != held_.end() && held->second.holder == holder) held_.erase(held);
  }
  // When it ends, as it was taken last.
  std::chrono::steady_clock::time_point EndOf(std::string_view name) {
    const std::scoped_lock lock(mutex_);
    return held_[std::string(name)].until;
  }
  // Another holder has it now, whoever had it.
  void Steal(std::string_view name) {
    const std::scoped_lock lock(mutex_);
    held_[std::string(name)] = {"a thief", std::chrono::steady_clock::now() + std::chrono::hours(1)};
  }
  void SetAway(bool away) {
    const std::scoped_lock lock(mutex_);
    away_ = away;
  }

 private:
  struct Held {
    std::string holder;
    std::chrono::steady_clock::time_point until;
  };
  std::mutex mutex_;
  bool away_ = false;
  std::map<std::string, Held> held_;
};

}  // namespace novafeed
