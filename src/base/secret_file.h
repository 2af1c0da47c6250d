// A file of secrets that makes itself at the first use.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"

namespace novafeed {

// The text of DIRECTORY/NAME. Where it is missing, it is written first with what `make` returns, complete and durable,
// with mode 0600; where another process makes it meanwhile, that one's text. kInternal "bad_secret_file" where it
// cannot be made or read, or where others than its owner may.
Result<std::string> OpenSecretFile(const std::string& directory, const std::string& name,
                                   const std::function<std::string()>& make);

}  // namespace novafeed
