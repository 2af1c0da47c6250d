// What values of the cache share: posts as JSON with integers only.
#pragma once

#include <boost/json.hpp>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "base/json.h"
#include "base/result.h"
#include "candidates/candidates.h"

namespace novafeed {

// Fields of an object that is open.
inline void WritePostFacts(JsonWriter* json, PostId id, UserId author, TimeMs created_at, const Counters& counters) {
  json->Key("id").String(id.ToString()).Key("author").String(author.ToString()).Key("created_at").Int(created_at);
  json->Key("likes").Int(counters.likes).Key("comments").Int(counters.comments);
  json->Key("shares").Int(counters.shares).Key("impressions").Int(counters.impressions);
}

// Throws where a field is missing or wrong.
inline Uuid ReadCachedId(const boost::json::value& value) {
  const boost::json::string& text = value.as_string();
  const std::optional<Uuid> id = ParseUuid(std::string_view(text.data(), text.size()));
  if (!id) throw std::invalid_argument("no id");
  return *id;
}
inline void ReadPostFacts(const boost::json::object& post, PostId* id, UserId* author, TimeMs* created_at,
                          Counters* counters) {
  id->value = ReadCachedId(post.at("id"));
  author->value = ReadCachedId(post.at("author"));
  *created_at = post.at("created_at").as_int64();
  counters->likes = post.at("likes").as_int64();
  counters->comments = post.at("comments").as_int64();
  counters->shares = post.at("shares").as_int64();
  counters->impressions = post.at("impressions").as_int64();
}

// What `read` makes of the object; where it throws, or there is none: kInternal "bad_cached" (of another version).
template <class Read>
auto DecodeCached(std::string_view text, Read read)
    -> Result<decltype(read(std::declval<const boost::json::object&>()))> {
  const Result<boost::json::value> root = ParseJson(text);
  if (!root) return Fail(Failure::kInternal, "bad_cached", root.error().detail);
  try {
    return read(root->as_object());
  } catch (const std::exception& error) {
    return Fail(Failure::kInternal, "bad_cached", error.what());
  }
}

}  // namespace novafeed
