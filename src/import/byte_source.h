// The bytes of a file or of standard input, unpacked where they are gzip or zstd (recognised by their first bytes).
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"

namespace novafeed {

// The code of the error of a source that was told to stop.
inline constexpr const char* kReadingStopped = "reading_stopped";

// Blocking; for one thread at a time.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // Fills the beginning of `out` and returns how much; 0 = the end. Waits where a pipe has nothing.
  // Errors: "unreadable_input", "truncated_input", "corrupt_input", kReadingStopped.
  virtual Result<std::size_t> Read(std::span<char> out) = 0;

  // Waits at most until `deadline`; false where nothing came by then, and Read would wait on. The end counts as
  // something. Errors: kReadingStopped.
  virtual Result<bool> WaitUntil(std::chrono::steady_clock::time_point deadline) = 0;

  // Starts again at the beginning. A pipe can do that once: until then, what it gave is kept in a temporary file.
  virtual Status Rewind() = 0;

  // Packed bytes read so far, and how many there are (unknown for a pipe): for showing progress.
  virtual std::int64_t packed_bytes() const = 0;
  virtual std::optional<std::int64_t> packed_size() const = 0;
};

// `path` "-" is standard input. Errors: "unreadable_input". `stop` (outlives the source; null = never): once it is set,
// also while a pipe is waited for, reading ends with kReadingStopped.
Result<std::unique_ptr<ByteSource>> OpenByteSource(const std::string& path, const std::atomic<bool>* stop = nullptr);

}  // namespace novafeed
