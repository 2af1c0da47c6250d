// SipHash-2-4 with a key of zeros: what ClickHouse's sipHash64(String) gives, so that both sides of a comparison hash
// the same bytes to the same number.
#pragma once

#include <cstdint>
#include <string_view>

namespace novafeed {

std::uint64_t SipHash64(std::string_view bytes);

}  // namespace novafeed
