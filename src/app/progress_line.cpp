#include "app/progress_line.h"

#include <unistd.h>

#include <iostream>

namespace novafeed {
namespace {

constexpr std::chrono::milliseconds kInterval{200};
constexpr const char* kClearLine = "\r\x1b[K";

}  // namespace

ProgressLine::ProgressLine() : is_terminal_(isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (shown_) std::cerr << kClearLine << std::flush;
}

void ProgressLine::Show(const std::string& text) {
  const auto now = std::chrono::steady_clock::now();
  if (!is_terminal_ || now < next_) return;
  Print(text);
  next_ = now + kInterval;
}

void ProgressLine::Print(const std::string& text) {
  if (is_terminal_) {
    std::cerr << kClearLine << text << std::flush;
    shown_ = true;
  } else {
    std::cerr << text << "\n";
  }
}

}  // namespace novafeed
