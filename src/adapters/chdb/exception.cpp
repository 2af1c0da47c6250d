#include "adapters/chdb/exception.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <utility>

namespace novafeed {
namespace {

constexpr std::string_view kPrefix = "Code: ";

std::string_view NameOf(ClickHouseCode code) {
  switch (code) {
    case ClickHouseCode::kBadArguments:
      return "BAD_ARGUMENTS";
    case ClickHouseCode::kNotImplemented:
      return "NOT_IMPLEMENTED";
    case ClickHouseCode::kSyntaxError:
      return "SYNTAX_ERROR";
    case ClickHouseCode::kUnknownDatabase:
      return "UNKNOWN_DATABASE";
    case ClickHouseCode::kUnknownSetting:
      return "UNKNOWN_SETTING";
    case ClickHouseCode::kReadonly:
      return "READONLY";
    case ClickHouseCode::kUnknownFormat:
      return "UNKNOWN_FORMAT";
    case ClickHouseCode::kUnknownTypeOfQuery:
      return "UNKNOWN_TYPE_OF_QUERY";
    case ClickHouseCode::kRequiredPassword:
      return "REQUIRED_PASSWORD";
    case ClickHouseCode::kTooManyQueries:
      return "TOO_MANY_SIMULTANEOUS_QUERIES";
    case ClickHouseCode::kTooManyRowsOrBytes:
      return "TOO_MANY_ROWS_OR_BYTES";
    case ClickHouseCode::kSettingConstraint:
      return "SETTING_CONSTRAINT_VIOLATION";
    case ClickHouseCode::kAccessDenied:
      return "ACCESS_DENIED";
    case ClickHouseCode::kAuthenticationFailed:
      return "AUTHENTICATION_FAILED";
    case ClickHouseCode::kUnknownException:
      break;
  }
  return "UNKNOWN_EXCEPTION";
}

struct StatusRule {
  int status;
  std::initializer_list<int> codes;
};

// As src/Server/HTTP/exceptionCodeToHTTPStatus.cpp of ClickHouse has it; all others are 500.
const std::array<StatusRule, 10> kStatusRules{{
    {400,
     {6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223, 321, 376, 427, 441, 675, 676}},
    {401, {194}},
    {403, {192, 193, 497, 512, 516}},
    {404, {46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511}},
    {408, {159}},
    {411, {381}},
    {413, {229}},
    {415, {779}},
    {501, {48}},
    {503, {76, 209, 439}},
}};

}  // namespace

ClickHouseError MakeClickHouseError(ClickHouseCode code, std::string_view sentence) {
  const int number = static_cast<int>(code);
  std::string text(kPrefix);
  text.append(std::to_string(number)).append(". DB::Exception: ").append(sentence);
  text.append(" (").append(NameOf(code)).append(")");
  return {number, std::move(text)};
}

ClickHouseError ReadClickHouseError(std::string text) {
  int code = static_cast<int>(ClickHouseCode::kUnknownException);
  if (text.starts_with(kPrefix)) {
    std::from_chars(text.data() + kPrefix.size(), text.data() + text.size(), code);
  }
  return {code, std::move(text)};
}

int HttpStatusOf(int code) {
  for (const StatusRule& rule : kStatusRules) {
    if (std::find(rule.codes.begin(), rule.codes.end(), code) != rule.codes.end()) return rule.status;
  }
  return 500;
}

}  // namespace novafeed
