#include "app/listen_address.h"

#include <arpa/inet.h>

#include <cstdint>
#include <string>

namespace novafeed {

bool IsLoopback(std::string_view listen) {
  const std::string_view host = listen.substr(0, listen.rfind(':'));
  return !host.starts_with('/') && host != "::1" && IsOnThisMachine(host);
}

bool IsOnThisMachine(std::string_view host) {
  if (host == "localhost" || host == "::1" || host == "[::1]" || host.starts_with('/')) return true;
  in_addr address{};
  constexpr std::uint32_t kLoopbackNetwork = 127;
  const std::string text(host);
  return inet_pton(AF_INET, text.c_str(), &address) == 1 && ntohl(address.s_addr) >> 24 == kLoopbackNetwork;
}

}  // namespace novafeed
