// Structured logging: one JSON object a line on standard error. Call sites name an event and its fields.
#pragma once

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "base/time.h"

namespace novafeed {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

// A named value of a log line. Never a secret.
struct LogField {
  std::string_view name;
  std::variant<std::int64_t, double, std::string> value;
};

// Thread-safe; never throws and never waits for standard error: lines go through a bounded queue to a thread of its
// own, and where that queue is full the oldest line is dropped and counted. `event` is stable snake_case, for machines.
// Text that is not UTF-8 is repaired. What is queued is written before the process exits normally.
void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

// How many lines were dropped because standard error was slower than the log. For a metric.
std::uint64_t DroppedLogLines();

// One line as Log() writes it, without the newline. Pure; `at` in milliseconds since 1970.
std::string FormatLogLine(TimeMs at, LogLevel level, std::string_view event, std::initializer_list<LogField> fields);

// Lines below `level` are dropped. Called once by the wiring, before threads start.
void SetLogLevel(LogLevel level);

// Open() is true at most once in `interval_ms` for each gate: for warnings that could flood. Thread-safe.
class LogGate {
 public:
  explicit LogGate(std::int64_t interval_ms) : interval_ms_(interval_ms) {}
  bool Open();

 private:
  const std::int64_t interval_ms_;
  std::atomic<std::int64_t> next_ms_{0};  // of the steady clock
};

}  // namespace novafeed
