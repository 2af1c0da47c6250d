#include "api/server_timing.h"

#include <algorithm>
#include <string>

namespace novafeed {
namespace {

constexpr std::string_view kHeader = "Server-Timing";

// 1234 -> "1.234"
std::string Milliseconds(std::chrono::microseconds duration) {
  const std::string fraction = std::to_string(duration.count() % 1000);
  return std::to_string(duration.count() / 1000) + "." + std::string(3 - fraction.size(), '0') + fraction;
}

}  // namespace

void AddServerTiming(HttpResponse* response, std::string_view stage, std::chrono::microseconds took) {
  const std::string entry = std::string(stage) + ";dur=" + Milliseconds(took);
  const auto header = std::find_if(response->headers.begin(), response->headers.end(),
                                   [](const auto& candidate) { return candidate.first == kHeader; });
  if (header == response->headers.end()) {
    response->headers.emplace_back(kHeader, entry);
  } else {
    header->second += ", " + entry;
  }
}

void AddServerTimings(HttpResponse* response, std::span<const std::pair<std::string_view, std::int64_t>> stages) {
  for (const auto& [stage, took_us] : stages) AddServerTiming(response, stage, std::chrono::microseconds(took_us));
}

}  // namespace novafeed
