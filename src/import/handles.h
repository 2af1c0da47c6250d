// Handles that an import has to make up. Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "social/ids.h"

namespace novafeed {

// The handle of a user of whom only the id is known: that id, cut to the length of a handle, with "_" in place of what
// does not belong into one.
std::string HandleFromId(const ParsedId& id);

// `wanted`, or `wanted` with the number that follows a run of taken ones from "-2" on, cut to fit. Asks about
// logarithmically many handles, and gives the same answer for the same set of taken ones.
std::string NextFreeHandle(const std::string& wanted, const std::function<bool(const std::string&)>& is_taken);

// True where NextFreeHandle(wanted) may have given `handle`.
bool IsHandleFor(std::string_view handle, const std::string& wanted);

}  // namespace novafeed
