#include "app/upkeep.h"

#include <exception>
#include <utility>

#include "base/crypto.h"
#include "base/log.h"
#include "base/text.h"
#include "graph/store.h"
#include "runtime/thread_name.h"

namespace novafeed {

Upkeep::Upkeep(Leases* leases, UpkeepOptions options) : leases_(leases), options_(options) {}

// The lease first: whoever waits for another process keeps nothing of this one waiting.
void Upkeep::lock() {
  std::unique_ptr<Hold> hold = leases_ == nullptr ? nullptr : Take();
  own_.lock();
  hold_ = std::move(hold);
}

void Upkeep::unlock() {
  const std::unique_ptr<Hold> hold = std::move(hold_);
  own_.unlock();
  if (hold) GiveBack(hold.get());
}

void Upkeep::Stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

std::unique_ptr<Upkeep::Hold> Upkeep::Take() {
  auto hold = std::make_unique<Hold>();
  hold->holder = ToHex(RandomBytes(16));  // this upkeep: another of this process waits as those of others do
  while (!leases_->Take(kUpkeepLease, hold->holder, options_.ttl)) {
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, options_.look, [this] { return stopping_; })) {
      throw StoreError(Error{Failure::kUnavailable, "stopping", "The server is being stopped.", 0});
    }
  }
  hold->extending = std::thread([this, extended = hold.get()] { Extend(extended); });
  return hold;
}

void Upkeep::Extend(Hold* hold) {
  NameThisThread("upkeep");
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, options_.every, [hold] { return hold->over; })) {
    lock.unlock();
    try {
      static_cast<void>(leases_->Take(kUpkeepLease, hold->holder, options_.ttl));
    } catch (const std::exception& error) {
      Log(LogLevel::kWarn, "lease_not_taken", {{"reason", std::string(error.what())}});
    }
    lock.lock();
  }
}

void Upkeep::GiveBack(Hold* hold) {
  {
    const std::scoped_lock lock(mutex_);
    hold->over = true;
  }
  changed_.notify_all();
  hold->extending.join();
  try {
    leases_->GiveBack(kUpkeepLease, hold->holder);
  } catch (const std::exception& error) {
    Log(LogLevel::kWarn, "lease_not_given_back", {{"reason", std::string(error.what())}});  // it ends by itself
  }
}

}  // namespace novafeed
