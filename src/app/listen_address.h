// What the wiring must know of an address to listen on.
#pragma once

#include <string_view>

namespace novafeed {

// True where only this machine can reach "127.0.0.1:8080", "[::1]:0", "localhost:8080". Names other than localhost are
// not looked up: they count as public.
bool IsLoopback(std::string_view listen);

// The same of a host alone: "127.0.0.1", "::1", "[::1]", "localhost", or the path of a socket.
bool IsOnThisMachine(std::string_view host);

}  // namespace novafeed
