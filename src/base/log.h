// Structured logging: one JSON object a line on standard error. Call sites name an event and its fields.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace novafeed {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

// A named value of a log line. Never a secret.
struct LogField {
  std::string_view name;
  std::variant<std::int64_t, double, std::string> value;
};

// Thread-safe; never throws and never blocks on a full queue for long. `event` is stable snake_case, for machines.
void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

// Lines below `level` are dropped. Called once by the wiring, before threads start.
void SetLogLevel(LogLevel level);

// True at most once in `interval_ms` for each call site's `gate`: for warnings that could flood.
class LogGate {
 public:
  explicit LogGate(std::int64_t interval_ms) : interval_ms_(interval_ms) {}
  bool Open();

 private:
  std::int64_t interval_ms_;
  std::int64_t last_ms_ = -1;  // guarded by a lock inside Open
};

}  // namespace novafeed
