// Names for threads, as `top -H` and debuggers show them.
#pragma once

#include <string_view>

namespace novafeed {

// Names the calling thread; Linux keeps the first 15 bytes.
void NameThisThread(std::string_view name);

}  // namespace novafeed
