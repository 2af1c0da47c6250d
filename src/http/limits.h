// What one HTTP listener puts up with.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include "http/byte_budget.h"

namespace novafeed {

struct HttpRequest;

struct HttpLimits {
  std::size_t max_header_bytes = 16 * 1024;
  std::size_t max_body_bytes = 1024 * 1024;          // as sent
  std::size_t max_unpacked_bytes = 8 * 1024 * 1024;  // after Content-Encoding: gzip
  std::size_t max_connections = 20'000;              // beyond: 503 and close
  std::chrono::milliseconds idle_timeout{75'000};    // between requests: closed without a word
  std::chrono::milliseconds header_timeout{10'000};  // from the first byte of a request to the end of its header: 408
  std::chrono::milliseconds body_timeout{30'000};    // for the whole body: 408
  std::chrono::milliseconds write_timeout{30'000};
  // How many bytes the body of this request may have, as sent or unpacked, where that is more than the limits above;
  // asked once its head is there, on its I/O thread. Empty: they hold for all.
  std::function<std::size_t(const HttpRequest& head)> body_allowance = nullptr;
  // Of all request bodies that are held at a time, of each listener that has it; beyond: 503. Null: no such limit.
  std::shared_ptr<ByteBudget> body_budget = nullptr;
};

}  // namespace novafeed
