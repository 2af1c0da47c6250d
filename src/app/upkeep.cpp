#include "app/upkeep.h"

#include <exception>
#include <limits>
#include <utility>

#include "base/crypto.h"
#include "base/log.h"
#include "base/text.h"
#include "graph/store.h"
#include "runtime/thread_name.h"

namespace novafeed {

Upkeep::Upkeep(Leases* leases, Metrics* metrics, UpkeepOptions options)
    : leases_(leases),
      options_(options),
      lost_(metrics->AddCounter("novafeed_upkeep_lost_total",
                                "Times a check or a purge lost its lease: another process may have done upkeep.")) {}

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

void Upkeep::RequireHeld() const {
  if (!hold_ || Steady::now().time_since_epoch().count() < hold_->until.load()) return;
  throw StoreError(Error{Failure::kUnavailable, "upkeep_lost",
                         "Another process may do upkeep by now, so this one went no further: try again.", 1000});
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
  while (!TakeOnce(hold.get(), std::numeric_limits<Steady::rep>::max())) {
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, options_.look, [this] { return stopping_; })) {
      throw StoreError(Error{Failure::kUnavailable, "stopping", "The server is being stopped.", 0});
    }
  }
  hold->extending = std::thread([this, extended = hold.get()] { Extend(extended); });
  return hold;
}

bool Upkeep::TakeOnce(Hold* hold, Steady::rep answered_by) {
  const Steady::time_point asked = Steady::now();
  if (!leases_->Take(kUpkeepLease, hold->holder, options_.ttl)) return false;
  if (Steady::now().time_since_epoch().count() >= answered_by) return false;
  hold->until.store((asked + options_.ttl).time_since_epoch().count());
  return true;
}

void Upkeep::Extend(Hold* hold) {
  NameThisThread("upkeep");
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, options_.every, [hold] { return hold->over; })) {
    lock.unlock();
    const bool is_held = ExtendOnce(hold);
    lock.lock();
    if (!is_held) return;
  }
}

// False where it is lost: also where it was to be had again, because another may have had it in between.
bool Upkeep::ExtendOnce(Hold* hold) {
  bool is_held = false;
  try {
    is_held = TakeOnce(hold, hold->until.load());
  } catch (const std::exception& error) {
    is_held = Steady::now().time_since_epoch().count() < hold->until.load();  // what is left of it is used up
    Log(LogLevel::kWarn, "lease_not_taken", {{"reason", std::string(error.what())}});
  }
  if (is_held) return true;
  hold->until.store(0);
  lost_.Add();
  Log(LogLevel::kError, "upkeep_lost",
      {{"what_happens", "What goes on under it ends before its next step that changes something for good."}});
  return false;
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
