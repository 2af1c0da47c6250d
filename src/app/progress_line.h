// One line on standard error that says how far long work is.
#pragma once

#include <chrono>
#include <string>

namespace novafeed {

// For one thread. On a terminal, the line is replaced each time, and cleared when this is destroyed.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  bool is_terminal() const { return is_terminal_; }

  // On a terminal, at most five times a second: what comes sooner is dropped. Elsewhere nothing.
  void Show(const std::string& text);
  // Always, and also where standard error is no terminal: a line of its own there.
  void Print(const std::string& text);

 private:
  const bool is_terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace novafeed
