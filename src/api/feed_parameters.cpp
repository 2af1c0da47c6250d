#include "api/feed_parameters.h"

#include <string>
#include <string_view>

#include "api/context.h"
#include "api/parameters.h"

namespace novafeed {
namespace {

Result<FeedMode> ModeParam(const QueryParams& query) {
  const std::string_view mode = query.Get("mode").value_or("for_you");
  if (mode == "for_you") return FeedMode::kForYou;
  if (mode == "following") return FeedMode::kFollowing;
  return Fail(Failure::kInvalid, "bad_mode", "mode must be for_you or following.");
}

std::optional<std::string> TextParam(const QueryParams& query, std::string_view name) {
  const std::optional<std::string_view> text = query.Get(name);
  return text ? std::optional<std::string>(*text) : std::nullopt;
}

// What lets a caller see another engine's or another instant's ranking.
Status CheckScope(const QueryParams& query, const Caller& caller) {
  for (const std::string_view name : {"engine", "as_of", "trending_as_of"}) {
    if (!query.Get(name)) continue;
    if (Status allowed = RequirePlatform(caller, std::string(name) + "="); !allowed) return allowed;
  }
  return {};
}

}  // namespace

Result<FeedRequest> ParseFeedRequest(const QueryParams& query, const Caller& caller) {
  if (Status allowed = CheckScope(query, caller); !allowed) return tl::unexpected(allowed.error());
  const Result<std::size_t> limit = LimitParam(query);
  if (!limit) return tl::unexpected(limit.error());
  const auto offset = IntParam(query, "offset", 0, static_cast<std::int64_t>(kMaxOffset));
  if (!offset) return tl::unexpected(offset.error());
  const Result<FeedMode> mode = ModeParam(query);
  if (!mode) return tl::unexpected(mode.error());
  const auto as_of = IntParam(query, "as_of", 0, kMaxTime - 1);
  if (!as_of) return tl::unexpected(as_of.error());
  const auto trending_as_of = IntParam(query, "trending_as_of", 0, kMaxTime - 1);
  if (!trending_as_of) return tl::unexpected(trending_as_of.error());

  FeedRequest request;
  request.mode = *mode;
  request.limit = *limit;
  request.cursor = TextParam(query, "cursor");
  if (*offset) request.offset = static_cast<std::size_t>(**offset);
  request.as_of = *as_of;
  request.trending_as_of = *trending_as_of;
  request.engine = TextParam(query, "engine");
  return request;
}

Result<SuggestionRequest> ParseSuggestionRequest(const QueryParams& query, const Caller& caller) {
  if (Status allowed = CheckScope(query, caller); !allowed) return tl::unexpected(allowed.error());
  const Result<std::size_t> limit = LimitParam(query);
  if (!limit) return tl::unexpected(limit.error());
  const auto as_of = IntParam(query, "as_of", 0, kMaxTime - 1);
  if (!as_of) return tl::unexpected(as_of.error());

  SuggestionRequest request;
  request.limit = *limit;
  request.as_of = *as_of;
  request.engine = TextParam(query, "engine");
  return request;
}

}  // namespace novafeed
