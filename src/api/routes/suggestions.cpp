// Whom to follow: GET /api/v1/discover/suggested-users, and its dismissals.
#include <functional>
#include <utility>

#include "api/feed_parameters.h"
#include "api/parameters.h"
#include "api/render.h"
#include "api/routes/routes.h"
#include "api/server_timing.h"
#include "api/storage.h"

namespace novafeed {
namespace {

namespace asio = boost::asio;
using Reply = Result<HttpResponse>;

// Whom an answer names, from the graph; who is not there was erased meanwhile.
void Introduce(GraphStore& graph, UserId id, People* people) {
  if (people->contains(id)) return;
  if (std::optional<User> user = graph.GetUser(id)) people->emplace(id, *std::move(user));
}

// Blocking.
Result<SuggestedPeople> Find(GraphStore& graph, const SuggestionService& service, SuggestionRequest request,
                             bool explain) {
  request.dismissed = graph.DismissedBy(request.viewer);
  Result<SuggestionList> list = service.Suggest(request);
  if (!list) return tl::unexpected(list.error());
  SuggestedPeople found{*std::move(list), {}};
  for (const Suggestion& suggestion : found.list.users) {
    Introduce(graph, suggestion.user, &found.people);
    if (!explain) continue;
    for (const UserId& mutual : suggestion.mutual) Introduce(graph, mutual, &found.people);
  }
  return found;
}

asio::awaitable<Result<SuggestedPeople>> FindOnPool(RequestContext* context, ChosenEngine engine,
                                                    SuggestionRequest request, bool explain) {
  const ApiDependencies& dependencies = context->dependencies();
  std::function<Result<SuggestedPeople>()> find = [graph = dependencies.graph, service = engine.suggestions,
                                                   request = std::move(request),
                                                   explain] { return Find(*graph, *service, request, explain); };
  co_return co_await AwaitResult(dependencies.PoolOf(*engine.feed), std::move(find));
}

asio::awaitable<Reply> GetSuggestedUsers(RequestContext* context, PathParams) {
  const Result<UserId> viewer = context->RequirePerson();
  if (!viewer) co_return tl::unexpected(viewer.error());
  Result<SuggestionRequest> request = ParseSuggestionRequest(context->query(), context->caller());
  if (!request) co_return tl::unexpected(request.error());
  const Result<bool> explain = FlagParam(context->query(), "explain");
  if (!explain) co_return tl::unexpected(explain.error());
  request->viewer = *viewer;

  const Result<ChosenEngine> engine = context->dependencies().engines->Choose(request->engine);
  if (!engine) co_return tl::unexpected(engine.error());
  const Status checked = engine->suggestions->Check(*request);
  if (!checked) co_return tl::unexpected(checked.error());
  request->wanted = context->carried();
  co_await AwaitPosition(context, &engine->feed->progress(), request->wanted);

  Result<SuggestedPeople> found = co_await FindOnPool(context, *engine, *std::move(request), *explain);
  if (!found) co_return tl::unexpected(engine->stands_in ? BootingError() : found.error());
  if (context->behind()) found->list.degraded.push_back("behind");
  if (engine->stands_in) found->list.degraded.push_back("booting");
  HttpResponse response = JsonAnswer(200, RenderSuggestions(*found, *explain));
  AddServerTimings(&response, found->list.timings);
  co_return response;
}

asio::awaitable<Reply> DismissSuggestedUser(RequestContext* context, PathParams params) {
  const Result<UserId> dismissed = PathIdAs<UserId>(IdKind::kUser, params[0]);
  if (!dismissed) co_return tl::unexpected(dismissed.error());
  const Result<UserId> viewer = context->RequirePerson();
  if (!viewer) co_return tl::unexpected(viewer.error());
  Command<void> dismiss = [viewer = *viewer, dismissed = *dismissed](GraphTransaction& tx) {
    return DismissSuggestion(tx, viewer, dismissed);
  };
  const Status done = co_await ChangeGraph(context, std::move(dismiss));
  co_return done.map(NoContent);
}

}  // namespace

std::vector<ApiRoute> SuggestionRoutes() {
  return {{Method::kGet, "/api/v1/discover/suggested-users", GetSuggestedUsers},
          {Method::kDelete, "/api/v1/discover/suggested-users/{}", DismissSuggestedUser}};
}

}  // namespace novafeed
