// What a request says in its path, query and body, checked. Pure.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "graph/store.h"
#include "http/message.h"
#include "social/ids.h"

namespace novafeed {

inline constexpr std::size_t kDefaultLimit = 20;
inline constexpr std::size_t kMaxLimit = 100;

// --- Path. kInvalid "bad_id".
Result<Uuid> PathId(IdKind kind, std::string_view text);
template <class Id>
Result<Id> PathIdAs(IdKind kind, std::string_view text) {
  return PathId(kind, text).map([](const Uuid& id) { return Id{id}; });
}

// --- Query. kInvalid "bad_<name>", also where a parameter is given and empty.
Result<QueryParams> ParseQuery(const HttpRequest& request);  // "bad_query"
// A decimal number within [low, high]; empty where it is absent.
Result<std::optional<std::int64_t>> IntParam(const QueryParams& query, std::string_view name, std::int64_t low,
                                             std::int64_t high);
// limit=1..`most`, kDefaultLimit where absent.
Result<std::size_t> LimitParam(const QueryParams& query, std::size_t most = kMaxLimit);
// 0 or 1; false where absent.
Result<bool> FlagParam(const QueryParams& query, std::string_view name);

// A post, and what the request calls it.
struct NamedPost {
  std::string name;
  PostId id;
};
// posts=<id>,<id>,…: 1 to kMaxLimit of them, in the order sent. (No external id that has a comma can be among them.)
Result<std::vector<NamedPost>> PostsParam(const QueryParams& query);

// The place in a newest-first list that a page ended at: opaque text in cursor= and next_cursor. It gives no access
// that the list itself does not give, so it is not signed.
std::string EncodeListCursor(const ListCursor& cursor);

// Which page of a newest-first list.
struct ListRequest {
  std::size_t limit = kDefaultLimit;
  std::optional<ListCursor> after;
};
// limit=, cursor=.
Result<ListRequest> ListParams(const QueryParams& query);

// --- Body.
// The JSON document of a request. kUnsupported "not_json" unless it is sent as application/json; kInvalid
// "malformed_json".
Result<boost::json::value> JsonBody(const HttpRequest& request);
// kUnprocessable "bad_id" where the field is there and is no id.
Result<std::optional<ParsedId>> OptionalId(JsonFields* fields, IdKind kind, std::string_view name);

}  // namespace novafeed
