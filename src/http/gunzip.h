// Content-Encoding: gzip, taken off.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace novafeed {

// Unpacks exactly one gzip member. kTooLarge "body_too_large" once more than `max_bytes` come out (no more than that is
// ever held), kInvalid "bad_gzip" for anything that is not whole and right to its checksum.
Result<std::string> Gunzip(std::string_view packed, std::size_t max_bytes);

}  // namespace novafeed
