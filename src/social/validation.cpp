#include "social/validation.h"

#include <cstddef>
#include <optional>
#include <string>

#include "base/text.h"
#include "social/entities.h"

namespace novafeed {
namespace {

// What is checked, in the words of the error.
struct Bounds {
  const char* code;
  const char* what;
  std::size_t min;
  std::size_t max;
};

constexpr Bounds kText = {"bad_text", "The text", 1, kMaxTextCodePoints};
constexpr Bounds kOptionalText = {"bad_text", "The text", 0, kMaxTextCodePoints};
constexpr Bounds kHandle = {"bad_handle", "The handle", 1, kMaxHandleCodePoints};
constexpr Bounds kName = {"bad_name", "The name", 0, kMaxNameCodePoints};

tl::unexpected<Error> Bad(const Bounds& bounds, const std::string& rest) {
  return Fail(Failure::kUnprocessable, bounds.code, bounds.what + rest);
}

Status Check(std::string_view text, const Bounds& bounds) {
  const std::optional<std::size_t> length = CountCodePoints(text);
  if (!length) return Bad(bounds, " is not valid UTF-8; send UTF-8.");
  if (HasCharacterZero(text)) return Bad(bounds, " has the character U+0000, which no text may have; leave it out.");
  if (*length >= bounds.min && *length <= bounds.max) return {};
  return Bad(bounds, " has " + std::to_string(*length) + " characters; send " + std::to_string(bounds.min) + " to " +
                         std::to_string(bounds.max) + ".");
}

}  // namespace

Status ValidateText(std::string_view text) {
  return Check(text, kText);
}

Status ValidateOptionalText(std::string_view text) {
  return Check(text, kOptionalText);
}

Status ValidateHandle(std::string_view handle) {
  if (Status checked = Check(handle, kHandle); !checked) return checked;
  if (!IsPrintable(handle)) {
    return Bad(kHandle, " has control characters, line separators or text direction controls; leave them out.");
  }
  return {};
}

Status ValidateName(std::string_view name) {
  return Check(name, kName);
}

}  // namespace novafeed
