#include "http/gunzip.h"

#include <zlib.h>

#include <algorithm>
#include <memory>
#include <new>

namespace novafeed {
namespace {

constexpr int kGzipOnly = 16 + MAX_WBITS;
constexpr std::size_t kFirstPiece = 16 * 1024;

struct InflateEnd {
  void operator()(z_stream* stream) const { inflateEnd(stream); }
};

}  // namespace

Result<std::string> Gunzip(std::string_view packed, std::size_t max_bytes) {
  z_stream stream{};
  if (inflateInit2(&stream, kGzipOnly) != Z_OK) throw std::bad_alloc();
  const std::unique_ptr<z_stream, InflateEnd> guard(&stream);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));  // zlib only reads it
  stream.avail_in = static_cast<uInt>(packed.size());

  std::string unpacked;
  int status = Z_OK;
  while (status == Z_OK && unpacked.size() <= max_bytes) {
    const std::size_t filled = unpacked.size();
    // One byte beyond the limit tells "more than" from "just".
    unpacked.resize(std::min(std::max(filled * 2, kFirstPiece), max_bytes + 1));
    stream.next_out = reinterpret_cast<Bytef*>(unpacked.data()) + filled;
    stream.avail_out = static_cast<uInt>(unpacked.size() - filled);
    status = inflate(&stream, Z_NO_FLUSH);
    unpacked.resize(unpacked.size() - stream.avail_out);
  }
  if (unpacked.size() > max_bytes) {
    return Fail(Failure::kTooLarge, "body_too_large",
                "The unpacked body is longer than " + std::to_string(max_bytes) + " bytes: send it in parts.");
  }
  if (status != Z_STREAM_END || stream.avail_in != 0) {
    return Fail(Failure::kInvalid, "bad_gzip", "The body is not one whole gzip member: pack it again.");
  }
  return unpacked;
}

}  // namespace novafeed
