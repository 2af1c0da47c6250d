// The Server-Timing header: stages of an answer and how long each took.
#pragma once

#include <chrono>
#include <string_view>

#include "http/message.h"

namespace novafeed {

// Appends "stage;dur=<milliseconds>" to the answer's header.
void AddServerTiming(HttpResponse* response, std::string_view stage, std::chrono::microseconds took);

}  // namespace novafeed
