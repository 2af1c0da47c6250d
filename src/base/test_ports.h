// For tests that start servers.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <random>
#include <stdexcept>

namespace novafeed::testing {

inline bool IsFree(unsigned port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const bool bound = bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(descriptor);
  return bound;
}

// A port of the loopback interface that nobody has now, another one at each call. It lies below those that the system
// gives to outgoing connections: these would take it while a server is down, before it comes back.
inline int FreePort() {
  constexpr unsigned kFirst = 20'000;
  constexpr unsigned kPorts = 12'000;
  static std::atomic<unsigned> next = std::random_device()();
  for (unsigned tries = 0; tries < kPorts; ++tries) {
    const unsigned port = kFirst + next++ % kPorts;
    if (IsFree(port)) return static_cast<int>(port);
  }
  throw std::runtime_error("no free port");
}

}  // namespace novafeed::testing
