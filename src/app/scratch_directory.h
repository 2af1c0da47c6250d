// A temporary directory, gone with this.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

namespace novafeed {

// Throws std::runtime_error with a sentence where it cannot be made.
class ScratchDirectory {
 public:
  ScratchDirectory() : path_(std::filesystem::temp_directory_path() / "novafeed-XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) {
      throw std::runtime_error("cannot make a temporary directory (" + path_ + "): set TMPDIR to one with room.");
    }
  }
  ~ScratchDirectory() {
    std::error_code left_behind;  // in the system's temporary directory, which is cleaned
    std::filesystem::remove_all(path_, left_behind);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace novafeed
