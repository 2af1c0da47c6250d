// Content-Encoding: gzip, put on.
#pragma once

#include <string>
#include <string_view>

namespace novafeed {

// One gzip member. Throws std::bad_alloc where there is no memory.
std::string Gzip(std::string_view text);

}  // namespace novafeed
