// What a handle, a display name and a text must look like (contract, section 2). Pure; shared by every way in. None of
// them has the character U+0000, nor has an external id (ids.h): PostgreSQL cannot keep it, and what one store takes
// in, all do.
#pragma once

#include <string_view>

#include "base/result.h"

namespace novafeed {

// 1 to kMaxTextCodePoints code points of UTF-8; any others, controls too: text is shown as text, never as markup.
// kUnprocessable "bad_text".
Status ValidateText(std::string_view text);

// For what may have no text (imported posts): 0 to kMaxTextCodePoints. kUnprocessable "bad_text".
Status ValidateOptionalText(std::string_view text);

// 1 to kMaxHandleCodePoints printable code points. kUnprocessable "bad_handle".
Status ValidateHandle(std::string_view handle);

// 0 to kMaxNameCodePoints code points. kUnprocessable "bad_name".
Status ValidateName(std::string_view name);

}  // namespace novafeed
