// A request and its answer as the rest of the house sees them: plain values, no Beast.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace novafeed {

enum class Method : std::uint8_t { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions, kOther };
std::string_view MethodName(Method method);

// True where the names of two headers are the same: ASCII, without case.
bool SameHeaderName(std::string_view a, std::string_view b);

// Header names compare without case; few enough for a linear search.
using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  Method method = Method::kGet;
  std::string path;   // as sent (percent-encoded), without the query
  std::string query;  // as sent, without '?'
  Headers headers;
  std::string body;  // unpacked (Content-Encoding: gzip), within the limits
  std::string remote_address;
  std::string request_id;  // from X-Request-Id where it is plain and short, else made

  // First header of that name; empty where absent.
  std::string_view Header(std::string_view name) const;
  // All headers of that name.
  std::vector<std::string_view> AllHeaders(std::string_view name) const;
};

// Every name but those that the server writes itself: Connection, Content-Length, Content-Type, Transfer-Encoding,
// X-Content-Type-Options and X-Request-Id in `headers` are ignored; a line break in a header is answered with 500.
struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  // A body that lives as long as the program (embedded assets); used instead of `body` where not empty.
  std::string_view static_body;
  Headers headers;
  bool close = false;  // end the connection after this answer
};

// Decoded query parameters in the order sent; a repeated name stands repeatedly.
class QueryParams {
 public:
  // "a=1&b=x%20y+z". Empty where an escape is malformed or the result is not UTF-8.
  static std::optional<QueryParams> Parse(std::string_view query);
  std::optional<std::string_view> Get(std::string_view name) const;  // the first
  std::vector<std::string_view> GetAll(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& all() const { return params_; }

 private:
  std::vector<std::pair<std::string, std::string>> params_;
};

// "%41" -> "A"; empty where malformed or not UTF-8. A '+' stays a '+' in paths.
std::optional<std::string> DecodePercent(std::string_view text, bool plus_is_space = false);

// All but letters, digits, '-', '.', '_' and '~' as %XX.
std::string EncodePercent(std::string_view text);

}  // namespace novafeed
