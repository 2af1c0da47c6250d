// Rows as the change table keeps them: compact, versioned bytes. Pure.
//
// A version byte, then the fields in the order of the struct: ids as 16 bytes, integers as zigzag varints, text with
// its length before it, an optional value after a byte 0 or 1. A new field needs a new version; old ones stay readable.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "capture/change.h"

namespace novafeed::sqlite {

// The numbers are stored: never renumber.
enum class RowKind : std::uint8_t { kUser = 1, kPost = 2, kComment = 3, kLike = 4, kFollow = 5 };

constexpr RowKind KindOf(const User&) {
  return RowKind::kUser;
}
constexpr RowKind KindOf(const Post&) {
  return RowKind::kPost;
}
constexpr RowKind KindOf(const Comment&) {
  return RowKind::kComment;
}
constexpr RowKind KindOf(const Like&) {
  return RowKind::kLike;
}
constexpr RowKind KindOf(const Follow&) {
  return RowKind::kFollow;
}

// Replaces `bytes` (whose memory is used again).
void EncodeRow(const User& row, std::string* bytes);
void EncodeRow(const Post& row, std::string* bytes);
void EncodeRow(const Comment& row, std::string* bytes);
void EncodeRow(const Like& row, std::string* bytes);
void EncodeRow(const Follow& row, std::string* bytes);

// kInternal "bad_row" where the bytes are not exactly one row of that kind.
Result<Row> DecodeRow(RowKind kind, std::string_view bytes);

}  // namespace novafeed::sqlite
