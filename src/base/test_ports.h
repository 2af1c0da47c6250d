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

inline sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

inline bool IsFree(int port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  const bool bound = bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
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
    const int port = static_cast<int>(kFirst + next++ % kPorts);
    if (IsFree(port)) return port;
  }
  throw std::runtime_error("no free port");
}

}  // namespace novafeed::testing
