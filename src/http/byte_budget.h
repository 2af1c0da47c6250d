// How many bytes several may hold together: without it, limits for each are no limit for all.
#pragma once

#include <atomic>
#include <cstddef>

namespace novafeed {

// Thread-safe.
class ByteBudget {
 public:
  explicit ByteBudget(std::size_t most) : most_(most) {}
  ByteBudget(const ByteBudget&) = delete;
  ByteBudget& operator=(const ByteBudget&) = delete;

  std::size_t held() const { return held_.load(std::memory_order_relaxed); }

 private:
  friend class BudgetShare;

  // False where that would be more than all may hold.
  bool Take(std::size_t bytes) {
    std::size_t held = held_.load(std::memory_order_relaxed);
    do {
      if (bytes > most_ - held) return false;
    } while (!held_.compare_exchange_weak(held, held + bytes, std::memory_order_relaxed));
    return true;
  }
  void GiveBack(std::size_t bytes) { held_.fetch_sub(bytes, std::memory_order_relaxed); }

  const std::size_t most_;
  std::atomic<std::size_t> held_{0};
};

// What one of them holds; given back at its end. For one thread at a time.
class BudgetShare {
 public:
  explicit BudgetShare(ByteBudget* budget) : budget_(budget) {}  // null: there is no limit
  ~BudgetShare() { Resize(0); }
  BudgetShare(const BudgetShare&) = delete;
  BudgetShare& operator=(const BudgetShare&) = delete;

  // From now on it holds `bytes`. False, and as before, where the budget does not have them.
  bool Resize(std::size_t bytes) {
    if (budget_ == nullptr || bytes == bytes_) return true;
    if (bytes > bytes_ && !budget_->Take(bytes - bytes_)) return false;
    if (bytes < bytes_) budget_->GiveBack(bytes_ - bytes);
    bytes_ = bytes;
    return true;
  }

 private:
  ByteBudget* const budget_;
  std::size_t bytes_ = 0;
};

}  // namespace novafeed
