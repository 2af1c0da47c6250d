// The bytes of a file or of standard input, unpacked where they are gzip or zstd (recognised by their first bytes).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"

namespace novafeed {

// Blocking; for one thread at a time.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // Fills the beginning of `out` and returns how much; 0 = the end.
  // Errors: "unreadable_input", "truncated_input", "corrupt_input".
  virtual Result<std::size_t> Read(std::span<char> out) = 0;

  // Starts again at the beginning. A pipe can do that once: until then, what it gave is kept in a temporary file.
  virtual Status Rewind() = 0;

  // Packed bytes read so far, and how many there are (unknown for a pipe): for showing progress.
  virtual std::int64_t packed_bytes() const = 0;
  virtual std::optional<std::int64_t> packed_size() const = 0;
};

// `path` "-" is standard input. Errors: "unreadable_input".
Result<std::unique_ptr<ByteSource>> OpenByteSource(const std::string& path);

}  // namespace novafeed
