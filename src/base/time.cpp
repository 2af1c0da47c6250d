#include "base/time.h"

#include <chrono>
#include <cstdio>

namespace novafeed {
namespace {

// Reads exactly `count` digits at `*at`, moving it on.
bool TakeNumber(std::string_view text, std::size_t* at, int count, int* number) {
  if (text.size() < *at + static_cast<std::size_t>(count)) return false;
  int value = 0;
  for (int i = 0; i < count; ++i) {
    const char digit = text[(*at)++];
    if (digit < '0' || digit > '9') return false;
    value = value * 10 + (digit - '0');
  }
  *number = value;
  return true;
}

bool TakeChar(std::string_view text, std::size_t* at, char lower, char upper) {
  if (*at >= text.size() || (text[*at] != lower && text[*at] != upper)) return false;
  ++*at;
  return true;
}

// Milliseconds of ".123456", truncated; 0 where there is no fraction; -1 where a point has no digit behind it.
int TakeFraction(std::string_view text, std::size_t* at) {
  if (*at >= text.size() || text[*at] != '.') return 0;
  ++*at;
  int milliseconds = 0;
  int digits = 0;
  for (; *at < text.size() && text[*at] >= '0' && text[*at] <= '9'; ++*at, ++digits) {
    if (digits < 3) milliseconds = milliseconds * 10 + (text[*at] - '0');
  }
  if (digits == 0) return -1;
  for (; digits < 3; ++digits) milliseconds *= 10;
  return milliseconds;
}

// Minutes east of UTC of "Z" or "+01:30" at the end of the text.
std::optional<int> TakeOffset(std::string_view text, std::size_t* at) {
  if (TakeChar(text, at, 'z', 'Z')) return 0;
  if (*at >= text.size() || (text[*at] != '+' && text[*at] != '-')) return std::nullopt;
  const int sign = text[(*at)++] == '+' ? 1 : -1;
  int hours = 0;
  int minutes = 0;
  if (!TakeNumber(text, at, 2, &hours) || !TakeChar(text, at, ':', ':') || !TakeNumber(text, at, 2, &minutes) ||
      hours > 23 || minutes > 59) {
    return std::nullopt;
  }
  return sign * (hours * 60 + minutes);
}

}  // namespace

std::optional<TimeMs> ParseRfc3339(std::string_view text) {
  std::size_t at = 0;
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  const bool read =
      TakeNumber(text, &at, 4, &year) && TakeChar(text, &at, '-', '-') && TakeNumber(text, &at, 2, &month) &&
      TakeChar(text, &at, '-', '-') && TakeNumber(text, &at, 2, &day) &&
      (TakeChar(text, &at, 't', 'T') || TakeChar(text, &at, ' ', ' ')) && TakeNumber(text, &at, 2, &hour) &&
      TakeChar(text, &at, ':', ':') && TakeNumber(text, &at, 2, &minute) && TakeChar(text, &at, ':', ':') &&
      TakeNumber(text, &at, 2, &second);
  if (!read) return std::nullopt;
  const int fraction = TakeFraction(text, &at);
  const std::optional<int> offset = TakeOffset(text, &at);
  if (fraction < 0 || !offset || at != text.size()) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;

  using std::chrono::year_month_day;
  const year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                            std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return std::nullopt;
  const TimeMs days = std::chrono::sys_days{date}.time_since_epoch().count();
  const TimeMs seconds = ((days * 24 + hour) * 60 + minute - *offset) * 60 + second;
  const TimeMs result = seconds * kMsPerSecond + fraction;
  if (result < 0 || result >= kMaxTime) return std::nullopt;
  return result;
}

std::string FormatRfc3339(TimeMs at) {
  const std::int64_t day = DayOf(at);
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
  const auto rest = static_cast<int>(at - day * kMsPerDay);
  char text[48];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), rest / 3'600'000,
                rest / 60'000 % 60, rest / 1000 % 60, rest % 1000);
  return text;
}

TimeMs SystemClock::Now() const {
  using std::chrono::duration_cast;
  return duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace novafeed
