// SIGTERM and SIGINT: the first asks to stop, the second ends the process at once.
#pragma once

#include <functional>
#include <memory>

namespace novafeed {

// Owned by the wiring, one a process. While it lives the two signals do not kill; afterwards they do again.
class StopSignals {
 public:
  // `on_stop` runs at most once, on a thread of its own, and must return soon (set a promise, notify): while it runs
  // the second signal is not seen. The second signal exits with status 128 + its number, without any clean-up.
  explicit StopSignals(std::function<void()> on_stop);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace novafeed
