#include "app/leader.h"

#include <exception>

#include "base/crypto.h"
#include "base/text.h"
#include "runtime/thread_name.h"

namespace novafeed {

Leader::Leader(Leases* leases, Metrics* metrics, LeaderOptions options)
    : leases_(leases),
      options_(options),
      holder_(ToHex(RandomBytes(16))),
      leads_metric_(metrics->AddGauge("novafeed_leader",
                                      "1 where this process does what only one of those that share the stores does.")) {
  leads_metric_.Set(leases_ == nullptr ? 1 : 0);
  if (leases_ == nullptr) return;
  Try();  // so that a process that is alone leads from the first moment
  thread_ = std::thread([this] { Run(); });
}

Leader::~Leader() {
  if (leases_ == nullptr) return;
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
  try {
    leases_->GiveBack(kLeaderLease, holder_);
  } catch (const std::exception& error) {
    Log(LogLevel::kWarn, "lease_not_given_back", {{"reason", std::string(error.what())}});  // it ends by itself
  }
}

std::uint64_t Leader::Term() const {
  if (leases_ == nullptr) return 1;
  return Steady::now().time_since_epoch().count() < leads_until_.load() ? term_.load() : 0;
}

void Leader::Run() {
  NameThisThread("leader");
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, options_.every, [this] { return stopping_; })) {
    lock.unlock();
    Try();
    lock.lock();
  }
}

void Leader::Try() {
  const Steady::time_point asked = Steady::now();
  try {
    const bool taken = leases_->Take(kLeaderLease, holder_, options_.ttl);
    if (taken && !Leads()) term_.fetch_add(1);  // it had ended by the answer
    leads_until_.store(taken ? (asked + options_.ttl).time_since_epoch().count() : 0);
  } catch (const std::exception& error) {
    // What is left of it is used up.
    if (failure_log_.Open()) Log(LogLevel::kWarn, "lease_not_taken", {{"reason", std::string(error.what())}});
  }
  Note(Leads());
}

void Leader::Note(bool leads) {
  leads_metric_.Set(leads ? 1 : 0);
  if (leads != led_) Log(LogLevel::kInfo, leads ? "leads" : "leads_no_more");
  led_ = leads;
}

}  // namespace novafeed
