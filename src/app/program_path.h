// Where the running program lies.
#pragma once

#include <string>

namespace novafeed {

// The file that this process runs, without symbolic links. Throws std::runtime_error where /proc does not say.
std::string ProgramPath();

// `path` as it is where it begins with '/'; otherwise from the folder of ProgramPath().
std::string FromProgramFolder(const std::string& path);

}  // namespace novafeed
