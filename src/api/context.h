// Who asks, for whom, and after which writes: what every route knows before it starts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/tokens.h"
#include "api/dependencies.h"
#include "base/result.h"
#include "graph/commands.h"
#include "http/message.h"
#include "stream/position.h"

namespace novafeed {

// The bearer token of a request. kUnauthenticated: "no_token", and the codes of VerifyToken.
Result<Caller> Authenticate(const HttpRequest& request, const KeyRing& keys, TimeMs now);

// Service and admin tokens speak for the platform itself.
bool SpeaksForPlatform(const Caller& caller);
// kForbidden "scope_required"; `what` says what needs the scope ("engine=").
Status RequirePlatform(const Caller& caller, std::string_view what);
Status RequireAdmin(const Caller& caller);

// The person of a request: a user token's subject, or whom a platform's token names in Novafeed-User.
// kInvalid "bad_id"; kForbidden "other_user" where a user token names another person.
Result<std::optional<UserId>> PersonOf(const HttpRequest& request, const Caller& caller);

// The union of what the request carries in min_position= and Novafeed-Position. kInvalid "bad_position",
// "other_generation".
Result<Position> CarriedPosition(const HttpRequest& request, const QueryParams& query, const std::string& generation);

// The same error in the caller's words: with "ext:ada" where its sentence has the UUID that this stands for, in the
// path or in Novafeed-User.
Error AsSent(Error error, const HttpRequest& request, const std::vector<std::string>& path_params);

// One authenticated request on its way through a route. Lives in the coroutine that serves the request, on the
// connection's I/O thread.
class RequestContext {
 public:
  // Fails as PersonOf, CarriedPosition and ParseQuery do. `generation` is the data set's; all else outlives the
  // context.
  static Result<RequestContext> Make(const ApiDependencies* dependencies, const LiveIndex* live,
                                     const std::string& generation, const HttpRequest* request, const Caller& caller);

  const ApiDependencies& dependencies() const { return *dependencies_; }
  const LiveIndex& live() const { return *live_; }
  const HttpRequest& request() const { return *request_; }
  const QueryParams& query() const { return query_; }
  const Caller& caller() const { return caller_; }

  // On whose behalf a write is done: the person, or the platform itself.
  const Actor& actor() const { return person_; }
  // kInvalid "user_required".
  Result<UserId> RequirePerson() const;

  // What reads wait for, and what the answer to a write includes.
  const Position& carried() const { return carried_; }

  // The parts of a write, as they become durable.
  void NoteChanges(std::int64_t sequence);
  void NoteEvents(const EventPoints& points);
  // Zero where nothing was written.
  const Position& written() const { return written_; }

  // The index had not caught up within the time that an answer waits.
  void NoteBehind() { behind_ = true; }
  bool behind() const { return behind_; }
  // Adds what the notes say to an answer: Novafeed-Position, Novafeed-Degraded.
  void Mark(HttpResponse* response) const;

 private:
  RequestContext() = default;

  const ApiDependencies* dependencies_ = nullptr;
  const LiveIndex* live_ = nullptr;
  const HttpRequest* request_ = nullptr;
  QueryParams query_;
  Caller caller_;
  std::optional<UserId> person_;
  Position carried_;
  Position written_;
  bool wrote_ = false;
  bool behind_ = false;
};

}  // namespace novafeed
