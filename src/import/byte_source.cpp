#include "import/byte_source.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <string_view>
#include <vector>

namespace novafeed {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kChunkBytes = std::size_t{256} << 10;
constexpr std::chrono::milliseconds kBetweenLooksAtStop{100};
constexpr std::string_view kGzipMagic = "\x1f\x8b";
constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using TemporaryFile = std::unique_ptr<std::FILE, CloseFile>;

// A file descriptor, read in chunks and able to start again.
class RawFile {
 public:
  static Result<std::unique_ptr<RawFile>> Open(const std::string& path, const std::atomic<bool>* stop) {
    // Not blocking: a pipe with a name is waited for in a way that sees `stop`.
    const int fd = path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    std::unique_ptr<RawFile> file(new RawFile(path, fd, stop));
    if (fd < 0) return file->Unreadable(std::strerror(errno));
    struct stat status = {};
    if (fstat(fd, &status) != 0) return file->Unreadable(std::strerror(errno));
    if (S_ISDIR(status.st_mode)) return file->Unreadable("it is a directory");
    file->start_ = lseek(fd, 0, SEEK_CUR);
    if (S_ISREG(status.st_mode)) file->size_ = status.st_size;
    return file;
  }

  ~RawFile() {
    if (fd_ > STDIN_FILENO) close(fd_);
  }
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;

  const std::string& name() const { return name_; }
  std::int64_t bytes_read() const { return bytes_read_; }
  std::optional<std::int64_t> size() const { return size_; }

  // At least `count` bytes, if there are so many; empty = the end. Valid until the next call.
  Result<std::string_view> Peek(std::size_t count) {
    while (end_ - begin_ < count) {
      Result<bool> more = Fill();
      if (!more) return tl::unexpected<Error>(std::move(more.error()));
      if (!*more) break;
    }
    return std::string_view(buffer_.data() + begin_, end_ - begin_);
  }

  void Consume(std::size_t count) { begin_ += count; }

  Result<bool> WaitUntil(SteadyClock::time_point deadline) {
    while (begin_ == end_ && kept_unread_ == 0) {
      if (Status stopped = CheckStop(); !stopped) return tl::unexpected<Error>(std::move(stopped.error()));
      const SteadyClock::time_point now = SteadyClock::now();
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now);
      if (IsReadable(std::clamp(left, std::chrono::milliseconds{0}, kBetweenLooksAtStop))) break;
      if (now >= deadline) return false;
    }
    return true;
  }

  Status CheckStop() const {
    if (stop_ == nullptr || !stop_->load()) return {};
    return Fail(Failure::kUnavailable, kReadingStopped, "Reading " + name_ + " was stopped: read it again.");
  }

  Status Rewind() {
    begin_ = end_ = 0;
    bytes_read_ = 0;
    if (start_ >= 0) {
      if (lseek(fd_, start_, SEEK_SET) < 0) return Unreadable(std::strerror(errno));
      return {};
    }
    if (!keep_ && kept_ != nullptr) return Unreadable("a pipe can be read again only once");
    keep_ = false;
    kept_unread_ = kept_bytes_;
    if (kept_ != nullptr) std::rewind(kept_.get());
    return {};
  }

 private:
  RawFile(const std::string& path, int fd, const std::atomic<bool>* stop)
      : name_(path == "-" ? "standard input" : path), fd_(fd), stop_(stop) {
    buffer_.resize(kChunkBytes);
  }

  tl::unexpected<Error> Unreadable(const std::string& reason) const {
    return Fail(Failure::kInvalid, "unreadable_input", "Cannot read " + name_ + ": " + reason + ".");
  }

  Result<bool> Fill() {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    const std::span<char> free = std::span(buffer_).subspan(end_);
    Result<std::size_t> got = ReadKept(free);
    if (got && *got == 0) got = ReadDescriptor(free);
    if (!got) return tl::unexpected<Error>(std::move(got.error()));
    end_ += *got;
    bytes_read_ += static_cast<std::int64_t>(*got);
    return *got > 0;
  }

  // What a pipe gave before it was rewound.
  Result<std::size_t> ReadKept(std::span<char> out) {
    if (kept_unread_ == 0) return 0;
    const std::size_t got = std::fread(out.data(), 1, out.size(), kept_.get());
    if (got == 0) return Unreadable("its temporary file is broken");
    kept_unread_ -= got;
    return got;
  }

  Result<std::size_t> ReadDescriptor(std::span<char> out) {
    ssize_t got = 0;
    do {
      const Result<bool> ready = WaitUntil(SteadyClock::time_point::max());
      if (!ready) return tl::unexpected<Error>(ready.error());
      got = read(fd_, out.data(), out.size());
    } while (got < 0 && (errno == EINTR || errno == EAGAIN));
    if (got < 0) return Unreadable(std::strerror(errno));
    const std::span<char> bytes = out.first(static_cast<std::size_t>(got));
    if (start_ < 0 && keep_ && !Keep(bytes)) return Unreadable("no room for its temporary file");
    return bytes.size();
  }

  bool Keep(std::span<const char> bytes) {
    if (kept_ == nullptr) kept_.reset(std::tmpfile());
    kept_bytes_ += bytes.size();
    return kept_ != nullptr && std::fwrite(bytes.data(), 1, bytes.size(), kept_.get()) == bytes.size();
  }

  // Also true at the end, and where reading will tell what is wrong.
  bool IsReadable(std::chrono::milliseconds patience) const {
    struct pollfd polled = {fd_, POLLIN, 0};
    return poll(&polled, 1, static_cast<int>(patience.count())) > 0;
  }

  std::string name_;
  int fd_;
  const std::atomic<bool>* stop_;
  off_t start_ = -1;  // where it begins; -1 = a pipe
  std::optional<std::int64_t> size_;
  std::int64_t bytes_read_ = 0;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool keep_ = true;    // a pipe that may still be rewound
  TemporaryFile kept_;  // what a pipe gave so far
  std::size_t kept_bytes_ = 0;
  std::size_t kept_unread_ = 0;  // of what is kept, once it is rewound
};

tl::unexpected<Error> Corrupt(const RawFile& file, const char* reason) {
  return Fail(Failure::kInvalid, "corrupt_input",
              file.name() + " is damaged (" + (reason == nullptr ? "its packed data is wrong" : reason) +
                  "): get an intact copy and import it again, it goes on where it was.");
}

tl::unexpected<Error> Truncated(const RawFile& file) {
  return Fail(Failure::kInvalid, "truncated_input",
              file.name() + " ends in the middle of its packed data: get the whole file and import it again, it goes " +
                  "on where it was.");
}

// One packing. Made anew for each pass over the file.
class Unpacker {
 public:
  virtual ~Unpacker() = default;
  virtual Result<std::size_t> Read(std::span<char> out) = 0;
};

class PlainReader final : public Unpacker {
 public:
  explicit PlainReader(RawFile* file) : file_(file) {}

  Result<std::size_t> Read(std::span<char> out) override {
    const Result<std::string_view> packed = file_->Peek(1);
    if (!packed) return tl::unexpected<Error>(packed.error());
    const std::size_t count = std::min(out.size(), packed->size());
    std::copy_n(packed->data(), count, out.data());
    file_->Consume(count);
    return count;
  }

 private:
  RawFile* file_;
};

// One or more gzip members behind each other.
class GzipReader final : public Unpacker {
 public:
  explicit GzipReader(RawFile* file) : file_(file) {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    if (inflateInit2(&stream_, kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  ~GzipReader() override { inflateEnd(&stream_); }
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  Result<std::size_t> Read(std::span<char> out) override {
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    while (stream_.avail_out == out.size()) {
      const Result<std::string_view> packed = file_->Peek(1);
      if (!packed) return tl::unexpected<Error>(packed.error());
      if (packed->empty() && between_members_) break;
      if (packed->empty()) return Truncated(*file_);
      if (Status step = Inflate(*packed); !step) return tl::unexpected<Error>(std::move(step.error()));
    }
    return out.size() - stream_.avail_out;
  }

 private:
  Status Inflate(std::string_view packed) {
    if (between_members_) inflateReset(&stream_);
    between_members_ = false;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));  // zlib does not write there
    stream_.avail_in = static_cast<uInt>(packed.size());
    const int code = inflate(&stream_, Z_NO_FLUSH);
    file_->Consume(packed.size() - stream_.avail_in);
    if (code == Z_STREAM_END) between_members_ = true;
    if (code != Z_OK && code != Z_STREAM_END) return Corrupt(*file_, stream_.msg);
    return {};
  }

  RawFile* file_;
  z_stream stream_ = {};
  bool between_members_ = false;
};

class ZstdReader final : public Unpacker {
 public:
  explicit ZstdReader(RawFile* file) : file_(file), stream_(ZSTD_createDStream()) {
    if (stream_ == nullptr) throw std::bad_alloc();
  }

  Result<std::size_t> Read(std::span<char> out) override {
    ZSTD_outBuffer unpacked = {out.data(), out.size(), 0};
    while (unpacked.pos == 0) {
      const Result<std::string_view> packed = file_->Peek(1);
      if (!packed) return tl::unexpected<Error>(packed.error());
      if (packed->empty() && between_frames_) break;
      ZSTD_inBuffer input = {packed->data(), packed->size(), 0};
      const std::size_t code = ZSTD_decompressStream(stream_.get(), &unpacked, &input);
      file_->Consume(input.pos);
      if (ZSTD_isError(code) != 0) return Corrupt(*file_, ZSTD_getErrorName(code));
      between_frames_ = code == 0;
      if (packed->empty() && unpacked.pos == 0 && !between_frames_) return Truncated(*file_);
    }
    return unpacked.pos;
  }

 private:
  struct Free {
    void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
  };

  RawFile* file_;
  std::unique_ptr<ZSTD_DStream, Free> stream_;
  bool between_frames_ = false;
};

class UnpackedFile final : public ByteSource {
 public:
  explicit UnpackedFile(std::unique_ptr<RawFile> file) : file_(std::move(file)) {}

  Result<std::size_t> Read(std::span<char> out) override {
    if (Status stopped = file_->CheckStop(); !stopped) return tl::unexpected<Error>(std::move(stopped.error()));
    if (unpacker_ == nullptr) {
      const Result<std::string_view> start = file_->Peek(kZstdMagic.size());
      if (!start) return tl::unexpected<Error>(start.error());
      unpacker_ = UnpackerFor(*start);
    }
    return unpacker_->Read(out);
  }

  Result<bool> WaitUntil(SteadyClock::time_point deadline) override { return file_->WaitUntil(deadline); }

  Status Rewind() override {
    unpacker_.reset();
    return file_->Rewind();
  }

  std::int64_t packed_bytes() const override { return file_->bytes_read(); }
  std::optional<std::int64_t> packed_size() const override { return file_->size(); }

 private:
  std::unique_ptr<Unpacker> UnpackerFor(std::string_view start) const {
    if (start.starts_with(kGzipMagic)) return std::make_unique<GzipReader>(file_.get());
    if (start.starts_with(kZstdMagic)) return std::make_unique<ZstdReader>(file_.get());
    return std::make_unique<PlainReader>(file_.get());
  }

  std::unique_ptr<RawFile> file_;
  std::unique_ptr<Unpacker> unpacker_;
};

}  // namespace

Result<std::unique_ptr<ByteSource>> OpenByteSource(const std::string& path, const std::atomic<bool>* stop) {
  Result<std::unique_ptr<RawFile>> file = RawFile::Open(path, stop);
  if (!file) return tl::unexpected<Error>(std::move(file.error()));
  return std::make_unique<UnpackedFile>(std::move(*file));
}

}  // namespace novafeed
