// Instants and calendar steps. All instants are integer milliseconds since 1970, UTC (contract, section 1).
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace novafeed {

using TimeMs = std::int64_t;

inline constexpr TimeMs kMsPerSecond = 1000;
inline constexpr TimeMs kMsPerHour = 3'600'000;
inline constexpr TimeMs kMsPerDay = 24 * kMsPerHour;

// The range that any time in a request or an import may have: 1970 to 2100, the whole year included.
inline constexpr TimeMs kMaxTime = 4'133'980'800'000;

// Number of the clock hour / UTC day that holds `at`; floors, also before 1970.
constexpr std::int64_t HourOf(TimeMs at) {
  return at >= 0 ? at / kMsPerHour : -((-at + kMsPerHour - 1) / kMsPerHour);
}
constexpr std::int64_t DayOf(TimeMs at) {
  return at >= 0 ? at / kMsPerDay : -((-at + kMsPerDay - 1) / kMsPerDay);
}

// RFC 3339 date-time ("2026-11-22T12:00:00.1239+01:00"); a finer fraction is truncated to milliseconds.
// Empty where the text is not one, or lies outside [0, kMaxTime).
std::optional<TimeMs> ParseRfc3339(std::string_view text);

// "2026-11-22T12:00:00.123Z"
std::string FormatRfc3339(TimeMs at);

// The one source of the wall clock: everything that needs "now" is given a Clock. Implementations are thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimeMs Now() const = 0;
};

class SystemClock final : public Clock {
 public:
  TimeMs Now() const override;
};

// A clock that stands still until it is moved: tests, and `serve --test-clock`.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(TimeMs now) : now_(now) {}
  TimeMs Now() const override { return now_.load(); }
  void Set(TimeMs now) { now_.store(now); }
  void Advance(TimeMs by) { now_.fetch_add(by); }

 private:
  std::atomic<TimeMs> now_;
};

}  // namespace novafeed
