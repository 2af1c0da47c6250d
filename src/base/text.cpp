#include "base/text.h"

#include <array>
#include <cstdint>

namespace novafeed {
namespace {

constexpr char32_t kInvalid = 0xffffffff;

// The code point that starts at `*at`, moving `*at` behind it; kInvalid (and one byte on) where there is none.
// The table is that of RFC 3629: it leaves no room for overlong forms, surrogates, or code points over U+10FFFF.
char32_t TakeCodePoint(std::string_view text, std::size_t* at) {
  const auto byte_at = [text](std::size_t index) { return static_cast<unsigned char>(text[index]); };
  const std::size_t start = (*at)++;
  const unsigned lead = byte_at(start);
  if (lead < 0x80) return lead;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() - start < length) return kInvalid;
  const unsigned second = byte_at(start + 1);
  const unsigned low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const unsigned high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return kInvalid;
  char32_t point = ((lead & (0x7fu >> length)) << 6) | (second & 0x3f);
  for (std::size_t i = start + 2; i < start + length; ++i) {
    if ((byte_at(i) & 0xc0) != 0x80) return kInvalid;
    point = (point << 6) | (byte_at(i) & 0x3f);
  }
  *at = start + length;
  return point;
}

constexpr bool IsControl(char32_t point) {
  return point < 0x20 || (point >= 0x7f && point < 0xa0);
}

// Line and paragraph separator; the marks, embeddings, overrides and isolates that turn the direction of text.
constexpr bool IsSeparatorOrBidi(char32_t point) {
  return point == 0x061c || (point >= 0x200e && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
         (point >= 0x2066 && point <= 0x2069);
}

constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::int8_t, 256> MakeBase64Values() {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < kBase64Url.size(); ++i) {
    values[static_cast<unsigned char>(kBase64Url[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}

constexpr std::array<std::int8_t, 256> kBase64Values = MakeBase64Values();

}  // namespace

std::optional<std::size_t> CountCodePoints(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++count) {
    if (TakeCodePoint(text, &at) == kInvalid) return std::nullopt;
  }
  return count;
}

bool HasCharacterZero(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

bool IsPrintable(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const char32_t point = TakeCodePoint(text, &at);
    if (point == kInvalid || IsControl(point) || IsSeparatorOrBidi(point)) return false;
  }
  return true;
}

std::string RepairUtf8(std::string_view text) {
  std::string repaired;
  repaired.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    if (TakeCodePoint(text, &at) == kInvalid) {
      repaired.append("\xef\xbf\xbd");
    } else {
      repaired.append(text, start, at - start);
    }
  }
  return repaired;
}

std::string EncodeBase64Url(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t buffer = 0;
  int bits = 0;
  for (const char c : bytes) {
    buffer = (buffer << 8) | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6;) {
      bits -= 6;
      text.push_back(kBase64Url[(buffer >> bits) & 63]);
    }
  }
  if (bits > 0) text.push_back(kBase64Url[(buffer << (6 - bits)) & 63]);
  return text;
}

std::optional<std::string> DecodeBase64Url(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t buffer = 0;
  int bits = 0;
  for (const char c : text) {
    const int value = kBase64Values[static_cast<unsigned char>(c)];
    if (value < 0) return std::nullopt;
    buffer = (buffer << 6) | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push_back(static_cast<char>((buffer >> bits) & 0xff));
    }
  }
  if ((buffer & ((1u << bits) - 1)) != 0) return std::nullopt;
  return bytes;
}

}  // namespace novafeed
