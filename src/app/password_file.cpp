#include "app/password_file.h"

#include <fstream>
#include <stdexcept>

namespace novafeed {

std::string ReadPasswordFile(const std::string& path) {
  if (path.empty()) return "";
  std::ifstream file(path);
  std::string password;
  if (!std::getline(file, password)) {
    throw std::runtime_error("The password file " + path + " cannot be read, or is empty: check its path and owner.");
  }
  return password;
}

}  // namespace novafeed
