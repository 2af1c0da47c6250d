// The lines of an import, and the places between them: what a file is known by.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/crypto.h"
#include "base/result.h"
#include "import/byte_source.h"

namespace novafeed {

// A longer line is no action: it is rejected, and only its beginning is kept.
inline constexpr std::size_t kMaxImportLineBytes = std::size_t{1} << 20;
inline constexpr std::size_t kKeptOfLongLine = 1024;

// A place between two lines of an input, and the content up to there.
struct Mark {
  std::int64_t offset = 0;  // bytes of unpacked content
  std::int64_t lines = 0;
  std::string sha256;  // of those bytes, in hex
  friend bool operator==(const Mark&, const Mark&) = default;
};

std::string Sha256Hex(std::string_view bytes);

// The beginning of any input.
Mark StartMark();

struct InputLine {
  std::int64_t number = 0;  // from 1
  std::string_view text;    // without its line end; valid until the next call
  bool too_long = false;    // then `text` is only its beginning
  bool whole = true;        // false: the last line, and no line end behind it
};

// Blocking; for one thread at a time.
class LineInput {
 public:
  explicit LineInput(std::unique_ptr<ByteSource> source);
  LineInput(const LineInput&) = delete;
  LineInput& operator=(const LineInput&) = delete;

  // False at the end. Errors: those of ByteSource::Read; the lines before hold.
  Result<bool> Next(InputLine* line);

  // Whether Next has something to say without waiting: a line, or the end. Waits for it until `deadline`.
  // Errors: as of Next.
  Result<bool> WaitUntil(std::chrono::steady_clock::time_point deadline);

  // Behind the last whole line that Next gave.
  Mark MarkHere();
  std::int64_t offset() const { return offset_; }
  std::int64_t lines() const { return lines_; }

  Status Rewind();
  const ByteSource& source() const { return *source_; }

 private:
  Result<bool> Refill();
  Result<bool> TakeLongLine(InputLine* line);
  void TakeLine(std::size_t length, InputLine* line);
  void TakeLineWithoutEnd(InputLine* line);
  void Consume(std::size_t bytes);
  void HashConsumed();
  std::string_view Unread() const { return {buffer_.data() + begin_, end_ - begin_}; }

  std::unique_ptr<ByteSource> source_;
  std::unique_ptr<Sha256Stream> digest_;  // of the content up to hashed_
  std::vector<char> buffer_;
  std::size_t hashed_ = 0;
  std::size_t begin_ = 0;  // first byte not consumed
  std::size_t end_ = 0;
  std::int64_t offset_ = 0;
  std::int64_t lines_ = 0;
  bool ended_ = false;
  std::string long_line_;  // the kept beginning of one
};

}  // namespace novafeed
