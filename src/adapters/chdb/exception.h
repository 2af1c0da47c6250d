// ClickHouse's errors, as its HTTP interface gives them: a number, a text, a status. Pure.
#pragma once

#include <string>
#include <string_view>

namespace novafeed {

// ClickHouse's numbers that Novafeed itself answers with.
enum class ClickHouseCode : int {
  kBadArguments = 36,
  kNotImplemented = 48,
  kSyntaxError = 62,
  kUnknownDatabase = 81,
  kUnknownSetting = 115,
  kReadonly = 164,
  kUnknownFormat = 73,
  kUnknownTypeOfQuery = 78,
  kRequiredPassword = 194,
  kTooManyQueries = 202,
  kTooManyRowsOrBytes = 396,
  kSettingConstraint = 452,
  kAccessDenied = 497,
  kAuthenticationFailed = 516,
  kUnknownException = 1002,
};

// What a query ends with where it fails.
struct ClickHouseError {
  int code = 0;
  std::string text;  // whole: "Code: 62. DB::Exception: Syntax error: … (SYNTAX_ERROR)"
};

// Of Novafeed's own making: "Code: 164. DB::Exception: `sentence` (READONLY)".
ClickHouseError MakeClickHouseError(ClickHouseCode code, std::string_view sentence);

// Of the engine's: the number is read from the text; 1002 (UNKNOWN_EXCEPTION) where it has none.
ClickHouseError ReadClickHouseError(std::string text);

// The status that ClickHouse's server answers with.
int HttpStatusOf(int code);

}  // namespace novafeed
