#include "adapters/chdb/clickhouse_request.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace novafeed {
namespace {

constexpr std::string_view kParamPrefix = "param_";
constexpr std::size_t kLongestQueryId = 128;

// Hints of ClickHouse's interface that mean nothing here: every answer is whole before its first byte is sent.
constexpr auto kIgnored = std::to_array<std::string_view>({
    "wait_end_of_query",
    "buffer_size",
    "send_progress_in_http_headers",
    "http_headers_progress_interval_ms",
    "http_zlib_compression_level",
    "quota_key",
    "http_response_buffer_size",
    "client_protocol_version",
});

// What is not spoken, unless it is turned off.
constexpr auto kUnspoken = std::to_array<std::string_view>({
    "compress",
    "decompress",
    "session_id",
    "session_check",
    "session_timeout",
    "stacktrace",
    "role",
    "close_session",
});

template <class List>
bool Contains(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

tl::unexpected<ClickHouseError> Refuse(ClickHouseCode code, std::string_view sentence) {
  return tl::unexpected(MakeClickHouseError(code, sentence));
}

// base64 as Basic authentication has it, with padding.
std::optional<std::string> DecodeBase64(std::string_view text) {
  std::string url_form(text.substr(0, std::min(text.find('='), text.size())));
  std::replace(url_form.begin(), url_form.end(), '+', '-');
  std::replace(url_form.begin(), url_form.end(), '/', '_');
  return DecodeBase64Url(url_form);
}

std::optional<ClickHouseCredentials> DecodeBasic(std::string_view header) {
  constexpr std::string_view kScheme = "Basic ";
  if (!SameHeaderName(header.substr(0, kScheme.size()), kScheme)) return std::nullopt;
  const std::optional<std::string> pair = DecodeBase64(header.substr(kScheme.size()));
  if (!pair) return std::nullopt;
  const std::size_t colon = std::min(pair->find(':'), pair->size());
  return ClickHouseCredentials{pair->substr(0, colon), pair->substr(std::min(colon + 1, pair->size()))};
}

// ClickHouse's headers first, then Basic, then the parameters. Of one that is malformed nothing is taken.
std::optional<ClickHouseCredentials> FindCredentials(const HttpRequest& request, const QueryParams& params) {
  const std::string_view user = request.Header("X-ClickHouse-User");
  const std::string_view key = request.Header("X-ClickHouse-Key");
  if (!user.empty() || !key.empty()) return ClickHouseCredentials{std::string(user), std::string(key)};
  if (const std::string_view header = request.Header("Authorization"); !header.empty()) return DecodeBasic(header);
  const auto named = params.Get("user");
  const auto password = params.Get("password");
  if (!named && !password) return std::nullopt;
  return ClickHouseCredentials{std::string(named.value_or("")), std::string(password.value_or(""))};
}

bool IsOn(std::string_view value) {
  return !value.empty() && value != "0" && value != "false";
}

// Also none at all. It goes into a header of the answer.
bool IsFormatName(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool TakesGzip(const HttpRequest& request) {
  return request.Header("Accept-Encoding").find("gzip") != std::string_view::npos;
}

// Puts one parameter of the URL where it belongs.
ClickHouseResult<void> Place(std::string_view name, std::string_view value, const HttpRequest& request,
                             ClickHouseRequest* parsed) {
  if (name == "query") {
    parsed->query += value;
  } else if (name == "database") {
    parsed->database = value;
  } else if (name == "default_format") {
    parsed->format = value;
  } else if (name == "query_id") {
    parsed->query_id = value;
  } else if (name == "enable_http_compression") {
    parsed->compress_answer = IsOn(value) && TakesGzip(request);
  } else if (name.starts_with(kParamPrefix)) {
    parsed->params.emplace_back(name.substr(kParamPrefix.size()), value);
  } else if (Contains(kUnspoken, name)) {
    if (IsOn(value)) {
      return Refuse(ClickHouseCode::kNotImplemented, "The parameter " + std::string(name) + " is not spoken here.");
    }
  } else if (name != "user" && name != "password" && !Contains(kIgnored, name)) {
    parsed->settings.emplace_back(name, value);
  }
  return {};
}

}  // namespace

ClickHouseResult<ClickHouseRequest> ParseClickHouseRequest(const HttpRequest& request) {
  const std::optional<QueryParams> params = QueryParams::Parse(request.query);
  if (!params) {
    return Refuse(ClickHouseCode::kBadArguments, "The parameters in the URL are not percent-encoded UTF-8.");
  }
  ClickHouseRequest parsed;
  parsed.credentials = FindCredentials(request, *params);
  parsed.database = request.Header("X-ClickHouse-Database");
  parsed.format = request.Header("X-ClickHouse-Format");
  for (const auto& [name, value] : params->all()) {
    if (auto placed = Place(name, value, request, &parsed); !placed) {
      return tl::unexpected(std::move(placed.error()));
    }
  }
  if (!IsFormatName(parsed.format)) {
    return Refuse(ClickHouseCode::kUnknownFormat, "Unknown format: a name has letters, digits and _ only.");
  }
  if (!parsed.query_id.empty() && (parsed.query_id.size() > kLongestQueryId || !IsPrintable(parsed.query_id))) {
    return Refuse(ClickHouseCode::kBadArguments, "query_id takes at most 128 printable characters.");
  }
  return parsed;
}

bool IsLoopbackHost(std::string_view host) {
  const std::size_t bracket = host.rfind(']');
  const std::size_t colon = host.rfind(':');
  const bool has_port = colon != host.npos && (bracket == host.npos || colon > bracket);
  const std::string_view name = host.substr(0, has_port ? colon : host.size());
  return name == "127.0.0.1" || SameHeaderName(name, "localhost") || name == "[::1]";
}

}  // namespace novafeed
