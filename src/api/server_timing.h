// The Server-Timing header: stages of an answer and how long each took.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "http/message.h"

namespace novafeed {

// Appends "stage;dur=<milliseconds>" to the answer's header.
void AddServerTiming(HttpResponse* response, std::string_view stage, std::chrono::microseconds took);
// Each stage with its microseconds.
void AddServerTimings(HttpResponse* response, std::span<const std::pair<std::string_view, std::int64_t>> stages);

}  // namespace novafeed
