// For the tests of all rooms: random seeds that are printed, temporary directories, and waiting for something to be so.
// Not for product code.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>

namespace novafeed {

// A fresh seed, or NOVAFEED_TEST_SEED to repeat a run; printed, so that a failure can be repeated.
inline std::uint64_t TestSeed() {
  const char* given = std::getenv("NOVAFEED_TEST_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::printf("NOVAFEED_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

// Asks until `condition` holds, for a minute at most: whether it does.
inline bool Eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

// The same for what a test cannot go on without: throws where it waits in vain.
inline void WaitUntil(const std::string& what, const std::function<bool()>& condition) {
  if (!Eventually(condition)) throw std::runtime_error("waited in vain: " + what);
}

// A directory that exists as long as this object.
class TempDirectory {
 public:
  TempDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "novafeed-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a temporary directory " + name);
    path_ = name;
  }
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace novafeed
