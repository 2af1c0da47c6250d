// What is known of ClickHouse's output formats: their content types, and which can be put together from pieces. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace novafeed {

// "text/plain; charset=UTF-8" for a format that is not known here.
const char* ContentTypeOf(std::string_view format);

// True where the engine's pieces of an answer, each whole in itself, make the whole one behind each other, once the
// header that each begins with is left out of all but the first.
bool ComesInPieces(std::string_view format);

// The bytes of the header that a piece begins with; empty where the piece is malformed or the format has no pieces.
std::optional<std::size_t> HeaderSize(std::string_view format, std::string_view piece);

}  // namespace novafeed
