#include "adapters/clickhouse/protocol.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

namespace novafeed {
namespace {

constexpr std::int64_t kRetryAfterMs = 1000;
constexpr std::size_t kLongestDetail = 1000;

// ClickHouse's numbers: TIMEOUT_EXCEEDED, and TOO_MANY_SIMULTANEOUS_QUERIES.
constexpr int kTimeoutExceeded = 159;
constexpr int kTooManyQueries = 202;

Error Unavailable(std::string detail) {
  return {Failure::kUnavailable, "olap_unavailable", std::move(detail), kRetryAfterMs};
}

Error TimedOut() {
  return {Failure::kUnavailable, "olap_timeout", "The analytical engine did not answer in time: try again.",
          kRetryAfterMs};
}

// ClickHouse reads the values of parameters with the escapes of TabSeparated.
std::string EscapeParam(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '\\':
        escaped += "\\\\";
        break;
      case '\t':
        escaped += "\\t";
        break;
      case '\n':
        escaped += "\\n";
        break;
      case '\r':
        escaped += "\\r";
        break;
      case '\0':
        escaped += "\\0";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

// Where a comment or quoted text that begins at `at` ends; `at` where none does. What does not end goes to the end.
std::size_t EndOfToken(std::string_view script, std::size_t at) {
  const std::string_view rest = script.substr(at);
  if (rest.starts_with("--")) return std::min(script.find('\n', at), script.size());
  if (rest.starts_with("/*")) {
    const std::size_t end = script.find("*/", at + 2);
    return end == script.npos ? script.size() : end + 2;
  }
  const char quote = rest.front();
  if (quote != '\'' && quote != '"' && quote != '`') return at;
  for (std::size_t end = at + 1; end < script.size(); ++end) {
    if (script[end] == '\\') {
      ++end;
    } else if (script[end] == quote) {
      return end + 1;  // of a doubled quote: the next round goes on with its second half
    }
  }
  return script.size();
}

bool IsSpace(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

// True where there is anything but blanks and comments.
bool SaysSomething(std::string_view statement) {
  for (std::size_t at = 0; at < statement.size();) {
    const bool is_comment = statement.substr(at).starts_with("--") || statement.substr(at).starts_with("/*");
    if (!is_comment && !IsSpace(statement[at])) return true;
    at = std::max(at + 1, EndOfToken(statement, at));
  }
  return false;
}

void AppendParam(std::string* target, std::string_view name, std::string_view value) {
  target->append(target->ends_with('?') ? "" : "&").append(EncodePercent(name)).append("=");
  target->append(EncodePercent(value));
}

int ExceptionCode(const HttpResponse& response) {
  for (const auto& [name, value] : response.headers) {
    if (!SameHeaderName(name, "X-ClickHouse-Exception-Code")) continue;
    int code = -1;
    std::from_chars(value.data(), value.data() + value.size(), code);
    return code;
  }
  return 0;
}

std::string TextOf(std::string_view body) {
  while (!body.empty() && IsSpace(body.back())) body.remove_suffix(1);
  return std::string(body.substr(0, kLongestDetail));
}

}  // namespace

std::optional<std::string> HttpUrlOf(std::string_view url) {
  if (constexpr std::string_view kTls = "https://"; url.starts_with(kTls) && url.size() > kTls.size()) {
    return std::string(url);
  }
  for (const std::string_view scheme : {"clickhouse://", "http://"}) {
    if (url.starts_with(scheme) && url.size() > scheme.size()) {
      return "http://" + std::string(url.substr(scheme.size()));
    }
  }
  return std::nullopt;
}

std::vector<std::string_view> SplitStatements(std::string_view script) {
  std::vector<std::string_view> statements;
  std::size_t begin = 0;
  const auto take = [&](std::size_t end) {
    const std::string_view statement = script.substr(begin, end - begin);
    if (SaysSomething(statement)) statements.push_back(statement);
    begin = end + 1;
  };
  std::size_t at = 0;
  while (at < script.size()) {
    const std::size_t end = EndOfToken(script, at);
    if (end == at && script[at] == ';') take(at);
    at = std::max(at + 1, end);
  }
  if (begin < script.size()) take(script.size());
  return statements;
}

std::string RenderTarget(std::string_view query, const OlapParams& params, const OlapCall& call) {
  std::string target = "/?";
  if (!query.empty()) AppendParam(&target, "query", query);
  // A server holds the whole answer back until it is sure, so that its status can be believed.
  AppendParam(&target, "wait_end_of_query", "1");
  AppendParam(&target, "max_execution_time", MaxExecutionTime(call.deadline));
  for (const auto& [name, value] : call.settings) AppendParam(&target, name, value);
  for (const auto& [name, value] : params) AppendParam(&target, "param_" + name, EscapeParam(value));
  return target;
}

std::string MaxExecutionTime(std::chrono::milliseconds deadline) {
  constexpr auto kSteps = std::to_array<std::int64_t>({1, 2, 5, 10, 30, 60, 120, 300, 600, 1800});
  for (const std::int64_t step : kSteps) {
    if (deadline.count() <= step * 1000) return std::to_string(step);
  }
  return std::to_string((deadline.count() + 3'599'999) / 3'600'000 * 3600);
}

std::optional<Error> ErrorOf(const HttpResponse& response) {
  const int code = ExceptionCode(response);
  if (code == 0 && response.status == 200) return std::nullopt;
  if (code == kTimeoutExceeded) return TimedOut();
  std::string text = TextOf(response.body);
  if (code == kTooManyQueries || response.status == 503) return Unavailable(std::move(text));
  return Error{Failure::kInternal, "olap_error",
               "The analytical engine answered " + std::to_string(response.status) + ": " + text, 0};
}

Error ErrorOf(const Error& network) {
  if (network.code == "timeout") return TimedOut();
  return Unavailable(network.detail);
}

}  // namespace novafeed
