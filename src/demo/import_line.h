// An action as the line of an import file that says it (contract, section 3): the reverse of ParseImportLine. Pure.
#pragma once

#include <string>

#include "import/actions.h"

namespace novafeed {

// Without the line end. External ids are written as they are, others as UUIDs; `at` in milliseconds.
std::string FormatImportLine(const ImportAction& action);

}  // namespace novafeed
