#include "app/listen_address.h"

#include <arpa/inet.h>

#include <cstdint>
#include <string>

namespace novafeed {

bool IsLoopback(std::string_view listen) {
  const std::string host(listen.substr(0, listen.rfind(':')));
  if (host == "localhost" || host == "[::1]") return true;
  in_addr address{};
  constexpr std::uint32_t kLoopbackNetwork = 127;
  return inet_pton(AF_INET, host.c_str(), &address) == 1 && ntohl(address.s_addr) >> 24 == kLoopbackNetwork;
}

}  // namespace novafeed
