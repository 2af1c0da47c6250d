#include "import/handles.h"

#include <charconv>
#include <cstdint>

#include "base/text.h"
#include "social/entities.h"

namespace novafeed {
namespace {

constexpr std::size_t CodePointBytes(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
}

std::string CutToCodePoints(std::string_view text, std::size_t count) {
  std::size_t end = 0;
  for (; end < text.size() && count > 0; --count) end += CodePointBytes(text[end]);
  return std::string(text.substr(0, end));
}

std::string Numbered(const std::string& wanted, std::int64_t number) {
  const std::string suffix = "-" + std::to_string(number);
  return CutToCodePoints(wanted, kMaxHandleCodePoints - suffix.size()) + suffix;
}

}  // namespace

std::string HandleFromId(const ParsedId& id) {
  if (!id.external_id) return id.id.ToString();
  std::string handle;
  const std::string_view text = *id.external_id;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view point = text.substr(at, CodePointBytes(text[at]));
    handle.append(IsPrintable(point) ? point : "_");
    at += point.size();
  }
  return CutToCodePoints(handle, kMaxHandleCodePoints);
}

std::string NextFreeHandle(const std::string& wanted, const std::function<bool(const std::string&)>& is_taken) {
  if (!is_taken(wanted)) return wanted;
  std::int64_t free = 2;
  while (is_taken(Numbered(wanted, free))) free *= 2;
  std::int64_t taken = free / 2;  // its handle is taken (1: the bare one), that of `free` is not: halve between them
  while (free - taken > 1) {
    const std::int64_t middle = taken + (free - taken) / 2;
    if (is_taken(Numbered(wanted, middle))) {
      taken = middle;
    } else {
      free = middle;
    }
  }
  return Numbered(wanted, free);
}

bool IsHandleFor(std::string_view handle, const std::string& wanted) {
  if (handle == wanted) return true;
  const std::size_t dash = handle.rfind('-');
  if (dash == std::string_view::npos) return false;
  std::int64_t number = 0;
  const char* end = handle.data() + handle.size();
  const auto [rest, error] = std::from_chars(handle.data() + dash + 1, end, number);
  return error == std::errc() && rest == end && number >= 2 && handle == Numbered(wanted, number);
}

}  // namespace novafeed
