#include "import/source.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

namespace novafeed {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{256} << 10;

std::string_view WithoutCarriageReturn(std::string_view text) {
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string Sha256Hex(std::string_view bytes) {
  return ToHex(AsView(Sha256(bytes)));
}

Mark StartMark() {
  return {0, 0, Sha256Hex("")};
}

LineInput::LineInput(std::unique_ptr<ByteSource> source)
    : source_(std::move(source)), digest_(std::make_unique<Sha256Stream>()), buffer_(kBufferBytes) {}

Result<bool> LineInput::Next(InputLine* line) {
  *line = {};
  line->number = lines_ + 1;
  std::size_t searched = 0;
  while (!ended_) {
    const std::string_view unread = Unread();
    const std::size_t length = unread.find('\n', searched);
    if (length != std::string_view::npos) {
      TakeLine(length, line);
      return true;
    }
    searched = unread.size();
    if (searched > kMaxImportLineBytes) return TakeLongLine(line);
    Result<bool> more = Refill();
    if (!more) return more;
    ended_ = !*more;
  }
  if (begin_ == end_) return false;
  TakeLineWithoutEnd(line);
  return true;
}

Result<bool> LineInput::WaitUntil(std::chrono::steady_clock::time_point deadline) {
  while (!ended_ && Unread().size() <= kMaxImportLineBytes && Unread().find('\n') == std::string_view::npos) {
    const Result<bool> ready = source_->WaitUntil(deadline);
    if (!ready || !*ready) return ready;
    const Result<bool> more = Refill();
    if (!more) return more;
    ended_ = !*more;
  }
  return true;
}

Mark LineInput::MarkHere() {
  HashConsumed();
  return {offset_, lines_, ToHex(AsView(digest_->Snapshot()))};
}

Status LineInput::Rewind() {
  digest_ = std::make_unique<Sha256Stream>();
  hashed_ = begin_ = end_ = 0;
  offset_ = lines_ = 0;
  ended_ = false;
  return source_->Rewind();
}

// Makes room and reads on; false at the end.
Result<bool> LineInput::Refill() {
  HashConsumed();
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  hashed_ = begin_ = 0;
  if (end_ == buffer_.size()) buffer_.resize(buffer_.size() * 2);
  const Result<std::size_t> got = source_->Read(std::span(buffer_).subspan(end_));
  if (!got) return tl::unexpected<Error>(got.error());
  end_ += *got;
  return *got > 0;
}

void LineInput::TakeLine(std::size_t length, InputLine* line) {
  line->text = WithoutCarriageReturn(Unread().substr(0, length));
  line->too_long = length > kMaxImportLineBytes;
  if (line->too_long) line->text = line->text.substr(0, kKeptOfLongLine);
  Consume(length + 1);
  ++lines_;
}

// Not consumed: it may be only the beginning of a line that is still being written.
void LineInput::TakeLineWithoutEnd(InputLine* line) {
  line->text = WithoutCarriageReturn(Unread());
  line->whole = false;
  begin_ = end_;
  hashed_ = end_;
}

// Drops what is read of the line until its end comes (or the end of the input, which then counts as its line end).
Result<bool> LineInput::TakeLongLine(InputLine* line) {
  long_line_ = Unread().substr(0, kKeptOfLongLine);
  std::size_t rest = std::string_view::npos;
  while (rest == std::string_view::npos && !ended_) {
    Consume(end_ - begin_);
    Result<bool> more = Refill();
    if (!more) return more;
    ended_ = !*more;
    rest = Unread().find('\n');
  }
  Consume(rest == std::string_view::npos ? end_ - begin_ : rest + 1);
  ++lines_;
  line->text = long_line_;
  line->too_long = true;
  return true;
}

void LineInput::Consume(std::size_t bytes) {
  begin_ += bytes;
  offset_ += static_cast<std::int64_t>(bytes);
}

void LineInput::HashConsumed() {
  digest_->Update({buffer_.data() + hashed_, begin_ - hashed_});
  hashed_ = begin_;
}

}  // namespace novafeed
