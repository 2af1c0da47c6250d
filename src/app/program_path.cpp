#include "app/program_path.h"

#include <filesystem>
#include <stdexcept>
#include <system_error>

namespace novafeed {

namespace fs = std::filesystem;

std::string ProgramPath() {
  std::error_code error;
  const fs::path path = fs::read_symlink("/proc/self/exe", error);
  if (error) throw std::runtime_error("/proc/self/exe cannot be read (" + error.message() + "): mount /proc.");
  return path.string();
}

std::string FromProgramFolder(const std::string& path) {
  return (fs::path(ProgramPath()).parent_path() / path).lexically_normal().string();
}

}  // namespace novafeed
