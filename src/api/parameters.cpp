#include "api/parameters.h"

#include <algorithm>
#include <boost/json/value.hpp>
#include <charconv>

#include "base/text.h"
#include "base/time.h"

namespace novafeed {
namespace {

tl::unexpected<Error> BadParam(std::string_view name, std::string detail) {
  return Fail(Failure::kInvalid, "bad_" + std::string(name), std::move(detail));
}

std::optional<std::int64_t> ParseDecimal(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string IdForm(IdKind kind) {
  return "a " + std::string(KindName(kind)) +
         " id is a UUID (8-4-4-4-12) or ext: and 1 to 128 bytes of your own id, without U+0000";
}

bool IsJson(std::string_view content_type) {
  std::string_view media_type = content_type.substr(0, content_type.find(';'));
  while (media_type.ends_with(' ') || media_type.ends_with('\t')) media_type.remove_suffix(1);
  return SameHeaderName(media_type, "application/json");
}

constexpr std::size_t kTimeBytes = 8;
constexpr std::size_t kListCursorBytes = kTimeBytes + 16;

std::optional<ListCursor> DecodeListCursor(std::string_view text) {
  const std::optional<std::string> bytes = DecodeBase64Url(text);
  if (!bytes || bytes->size() != kListCursorBytes) return std::nullopt;
  ListCursor cursor;
  std::uint64_t time = 0;
  for (std::size_t i = 0; i < kTimeBytes; ++i) time = time << 8 | static_cast<std::uint8_t>((*bytes)[i]);
  cursor.created_at = static_cast<TimeMs>(time);
  std::copy(bytes->begin() + kTimeBytes, bytes->end(), cursor.id.bytes.begin());
  return cursor;
}

}  // namespace

Result<Uuid> PathId(IdKind kind, std::string_view text) {
  const std::optional<ParsedId> id = ParseApiId(kind, text);
  if (!id) return BadParam("id", "The path holds no " + std::string(KindName(kind)) + " id: " + IdForm(kind) + ".");
  return id->id;
}

Result<QueryParams> ParseQuery(const HttpRequest& request) {
  std::optional<QueryParams> query = QueryParams::Parse(request.query);
  if (!query) return BadParam("query", "The query is not percent-encoded UTF-8: encode it again.");
  return *std::move(query);
}

Result<std::optional<std::int64_t>> IntParam(const QueryParams& query, std::string_view name, std::int64_t low,
                                             std::int64_t high) {
  const std::optional<std::string_view> text = query.Get(name);
  if (!text) return std::nullopt;
  const std::optional<std::int64_t> number = ParseDecimal(*text);
  if (!number || *number < low || *number > high) {
    return BadParam(name, std::string(name) + " must be a whole number from " + std::to_string(low) + " to " +
                              std::to_string(high) + ".");
  }
  return number;
}

Result<std::size_t> LimitParam(const QueryParams& query, std::size_t most) {
  return IntParam(query, "limit", 1, static_cast<std::int64_t>(most)).map([](std::optional<std::int64_t> limit) {
    return limit ? static_cast<std::size_t>(*limit) : kDefaultLimit;
  });
}

Result<bool> FlagParam(const QueryParams& query, std::string_view name) {
  return IntParam(query, name, 0, 1).map([](std::optional<std::int64_t> flag) { return flag == 1; });
}

Result<std::vector<NamedPost>> PostsParam(const QueryParams& query) {
  const std::string form = "posts must be 1 to " + std::to_string(kMaxLimit) + " ids with commas between them; ";
  const std::optional<std::string_view> list = query.Get("posts");
  if (!list) return BadParam("posts", form + "it is missing.");
  std::vector<NamedPost> posts;
  for (std::size_t from = 0; from <= list->size();) {
    const std::size_t end = std::min(list->find(',', from), list->size());
    const std::string_view name = list->substr(from, end - from);
    const std::optional<ParsedId> id = ParseApiId(IdKind::kPost, name);
    if (posts.size() == kMaxLimit) return BadParam("posts", form + "these are more.");
    if (!id) {
      const std::string place = std::to_string(posts.size() + 1);
      return BadParam("posts", form + "number " + place + " is none: " + IdForm(IdKind::kPost) + ".");
    }
    posts.push_back({std::string(name), PostId{id->id}});
    from = end + 1;
  }
  return posts;
}

std::string EncodeListCursor(const ListCursor& cursor) {
  std::string bytes;
  bytes.reserve(kListCursorBytes);
  const auto time = static_cast<std::uint64_t>(cursor.created_at);
  for (std::size_t i = kTimeBytes; i-- > 0;) bytes.push_back(static_cast<char>(time >> (8 * i)));
  bytes.append(cursor.id.bytes.begin(), cursor.id.bytes.end());
  return EncodeBase64Url(bytes);
}

Result<ListRequest> ListParams(const QueryParams& query) {
  const Result<std::size_t> limit = LimitParam(query);
  if (!limit) return tl::unexpected(limit.error());
  ListRequest request{*limit, std::nullopt};
  if (const std::optional<std::string_view> cursor = query.Get("cursor")) {
    request.after = DecodeListCursor(*cursor);
    if (!request.after) return BadParam("cursor", "cursor is none of this list: send next_cursor as it was answered.");
  }
  return request;
}

Result<boost::json::value> JsonBody(const HttpRequest& request) {
  if (!IsJson(request.Header("Content-Type"))) {
    return Fail(Failure::kUnsupported, "not_json", "Send the body as JSON, with Content-Type: application/json.");
  }
  return ParseJson(request.body);
}

Result<std::optional<ParsedId>> OptionalId(JsonFields* fields, IdKind kind, std::string_view name) {
  const Result<std::optional<std::string>> text = fields->OptionalString(name);
  if (!text) return tl::unexpected(text.error());
  if (!*text) return std::nullopt;
  std::optional<ParsedId> id = ParseApiId(kind, **text);
  if (!id) return Fail(Failure::kUnprocessable, "bad_id", std::string(name) + " is no id: " + IdForm(kind) + ".");
  return id;
}

}  // namespace novafeed
