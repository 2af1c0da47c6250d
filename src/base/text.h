// Text checks that more than one room needs.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace novafeed {

// Number of code points of valid UTF-8 (no surrogates, no overlong forms); empty where the text is not valid UTF-8.
std::optional<std::size_t> CountCodePoints(std::string_view text);

// True where the text has the character U+0000 (which is a byte of its own in UTF-8).
bool HasCharacterZero(std::string_view text);

// True where the text is valid UTF-8 without control characters (C0, DEL, C1), line separators or bidi controls.
bool IsPrintable(std::string_view text);

// The text with each byte that is no part of valid UTF-8 replaced by U+FFFD: for logs and messages.
std::string RepairUtf8(std::string_view text);

// base64url without padding (RFC 4648, section 5). Decoding is strict: no padding, no other characters,
// no non-zero trailing bits.
std::string EncodeBase64Url(std::string_view bytes);
std::optional<std::string> DecodeBase64Url(std::string_view text);

}  // namespace novafeed
