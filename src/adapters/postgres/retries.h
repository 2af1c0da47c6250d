// Doing it again where that is known to be right.
#pragma once

#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "adapters/postgres/connection_pool.h"

namespace novafeed::postgres {

// How often something is begun that Conflicts take back, before the last of them is the answer.
inline constexpr int kMostAttempts = 20;

// Calls `attempt` until no Conflict takes it back, with growing random pauses, and once more where the connection was
// lost; `on_retry` before each further call. Throws what the last one threw.
void RunWithRetries(const std::function<void()>& attempt, const std::function<void()>& on_retry);

// What `call` returns for a connection of the pool; it may be called again, so it must change nothing when it is done
// twice.
template <class F>
auto WithConnection(ConnectionPool* connections, const F& call) {
  std::optional<std::invoke_result_t<F, Connection&>> value;
  RunWithRetries([&] { value.emplace(call(*connections->Borrow())); }, [] {});
  return *std::move(value);
}

}  // namespace novafeed::postgres
