// Bytes to and from Redis, with or without TLS, each step until a deadline.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "adapters/redis/address.h"
#include "base/result.h"
#include "base/tls.h"

namespace novafeed {

// Codes of the errors of this room's inside; others see "cache_unavailable" alone.
inline constexpr const char* kRedisCannotConnect = "cannot_connect";
inline constexpr const char* kRedisTimeout = "timeout";
inline constexpr const char* kRedisLost = "connection_lost";

// Blocking; for one thread at a time. After an error nothing more can be done with it.
class RedisChannel {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  // `trust` is null where the address is without TLS, and need not outlive this.
  static Result<RedisChannel> Connect(const RedisAddress& address, const TlsTrust* trust, Deadline deadline);
  RedisChannel(RedisChannel&& other) noexcept;
  RedisChannel& operator=(RedisChannel&&) = delete;
  ~RedisChannel();

  Status SendAll(std::string_view bytes, Deadline deadline);
  // At least one byte, at most `out`.
  Result<std::size_t> Receive(std::span<char> out, Deadline deadline);

 private:
  explicit RedisChannel(int socket) : socket_(socket) {}
  Status WaitFor(short events, Deadline deadline) const;
  Status FinishConnect(Deadline deadline) const;
  Status ShakeHands(const std::string& host, const TlsTrust& trust, Deadline deadline);
  Status SendRaw(std::string_view bytes, Deadline deadline) const;
  Result<std::size_t> ReceiveRaw(std::span<char> out, Deadline deadline) const;
  // Carries what the session wants to send, and waits for what it needs.
  Status Feed(Deadline deadline);

  int socket_;
  std::optional<TlsSession> tls_;
};

}  // namespace novafeed
