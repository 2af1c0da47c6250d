// Which functions the read-only user may call: a list, so that what a later engine adds is refused until looked at.
#pragma once

#include <string_view>

namespace novafeed {

// Scalar, aggregate (with any combinators) and window functions. Compared without case: where the engine tells case
// apart, a name in another case is unknown to it.
bool IsAllowedFunction(std::string_view name);

// What may stand in FROM with arguments.
bool IsAllowedTableFunction(std::string_view name);

}  // namespace novafeed
