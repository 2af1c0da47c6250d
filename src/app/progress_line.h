// One line on a terminal that says how far long work is; silent where standard error is no terminal.
#pragma once

#include <chrono>
#include <string>

namespace novafeed {

// For one thread. The line is cleared when this is destroyed.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Replaces the line, at most five times a second: what comes sooner is dropped.
  void Show(const std::string& text);

 private:
  const bool is_terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace novafeed
