// Passwords that settings name by their files.
#pragma once

#include <string>

namespace novafeed {

// The first line of the file; "" where `path` is. Throws std::runtime_error with a sentence where it cannot be read.
std::string ReadPasswordFile(const std::string& path);

}  // namespace novafeed
