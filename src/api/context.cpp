#include "api/context.h"

#include <algorithm>
#include <utility>

#include "api/parameters.h"

namespace novafeed {
namespace {

constexpr std::string_view kPositionHeader = "Novafeed-Position";
constexpr std::string_view kUserHeader = "Novafeed-User";

// The token of "Bearer <token>" (the scheme in any case); empty where it is something else.
std::string_view BearerToken(std::string_view authorization) {
  constexpr std::string_view kScheme = "Bearer ";
  const bool is_bearer = SameHeaderName(authorization.substr(0, kScheme.size()), kScheme);
  return is_bearer ? authorization.substr(kScheme.size()) : std::string_view();
}

Status Join(std::string_view text, Position* position) {
  const Result<Position> decoded = DecodePosition(text, position->generation);
  if (!decoded) return tl::unexpected(decoded.error());
  *position = Union(*position, *decoded);
  return {};
}

}  // namespace

Result<Caller> Authenticate(const HttpRequest& request, const KeyRing& keys, TimeMs now) {
  const std::string_view token = BearerToken(request.Header("Authorization"));
  if (token.empty()) {
    return Fail(Failure::kUnauthenticated, "no_token", "Send a token: Authorization: Bearer <token>.");
  }
  return VerifyToken(keys, token, now);
}

bool SpeaksForPlatform(const Caller& caller) {
  return caller.scope != Scope::kUser;
}

Status RequirePlatform(const Caller& caller, std::string_view what) {
  if (SpeaksForPlatform(caller)) return {};
  return Fail(Failure::kForbidden, "scope_required", std::string(what) + " needs a token of scope service or admin.");
}

Status RequireAdmin(const Caller& caller) {
  if (caller.scope == Scope::kAdmin) return {};
  return Fail(Failure::kForbidden, "scope_required", "This needs a token of scope admin.");
}

Result<std::optional<UserId>> PersonOf(const HttpRequest& request, const Caller& caller) {
  const std::string_view named = request.Header(kUserHeader);
  if (named.empty()) return SpeaksForPlatform(caller) ? std::nullopt : std::optional(caller.subject);
  const std::optional<ParsedId> id = ParseApiId(IdKind::kUser, named);
  if (!id) {
    return Fail(Failure::kInvalid, "bad_id",
                "The header Novafeed-User holds no user id: send a UUID or ext:<your id>.");
  }
  const UserId person{id->id};
  if (!SpeaksForPlatform(caller) && person != caller.subject) {
    return Fail(Failure::kForbidden, "other_user",
                "A user's token acts for that user only: leave Novafeed-User away, or use a service token.");
  }
  return person;
}

Result<Position> CarriedPosition(const HttpRequest& request, const QueryParams& query, const std::string& generation) {
  Position position{generation, 0, {}};
  for (const auto& texts : {query.GetAll("min_position"), request.AllHeaders(kPositionHeader)}) {
    for (const std::string_view text : texts) {
      const Status joined = Join(text, &position);
      if (!joined) return tl::unexpected(joined.error());
    }
  }
  return position;
}

Error AsSent(Error error, const HttpRequest& request, const std::vector<std::string>& path_params) {
  const auto put_back = [&error](std::string_view sent) {
    for (const IdKind kind : {IdKind::kUser, IdKind::kPost, IdKind::kComment}) {
      const std::optional<ParsedId> id = ParseApiId(kind, sent);
      if (!id || !id->external_id) return;
      const std::string uuid = id->id.ToString();
      if (const std::size_t at = error.detail.find(uuid); at != error.detail.npos) {
        error.detail.replace(at, uuid.size(), sent);
      }
    }
  };
  for (const std::string& param : path_params) put_back(param);
  put_back(request.Header(kUserHeader));
  return error;
}

Result<RequestContext> RequestContext::Make(const ApiDependencies* dependencies, const LiveIndex* live,
                                            const std::string& generation, const HttpRequest* request,
                                            const Caller& caller) {
  Result<QueryParams> query = ParseQuery(*request);
  if (!query) return tl::unexpected(query.error());
  const Result<std::optional<UserId>> person = PersonOf(*request, caller);
  if (!person) return tl::unexpected(person.error());
  Result<Position> carried = CarriedPosition(*request, *query, generation);
  if (!carried) return tl::unexpected(carried.error());

  RequestContext context;
  context.dependencies_ = dependencies;
  context.live_ = live;
  context.request_ = request;
  context.query_ = *std::move(query);
  context.caller_ = caller;
  context.person_ = *person;
  context.carried_ = *std::move(carried);
  context.written_ = Position{generation, 0, {}};
  return context;
}

Result<UserId> RequestContext::RequirePerson() const {
  if (person_) return *person_;
  return Fail(Failure::kInvalid, "user_required", "Name the person that this is for in the header Novafeed-User.");
}

void RequestContext::NoteChanges(std::int64_t sequence) {
  written_.changes = std::max(written_.changes, sequence);
  wrote_ = true;
}

void RequestContext::NoteEvents(const EventPoints& points) {
  written_.events = Union(written_.events, points);
  wrote_ = true;
}

void RequestContext::Mark(HttpResponse* response) const {
  if (wrote_) response->headers.emplace_back(kPositionHeader, EncodePosition(Union(carried_, written_)));
  if (behind_) response->headers.emplace_back("Novafeed-Degraded", "behind");
}

}  // namespace novafeed
