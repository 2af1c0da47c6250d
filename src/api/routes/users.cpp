// Users, whom they follow, and who follows them.
#include <string>
#include <utility>

#include "api/bodies.h"
#include "api/lookups.h"
#include "api/parameters.h"
#include "api/render.h"
#include "api/routes/routes.h"
#include "api/storage.h"
#include "graph/commands.h"

namespace novafeed {
namespace {

namespace asio = boost::asio;
using Reply = Result<HttpResponse>;

std::string RenderUser(const RequestContext& context, const User& user) {
  std::string body;
  EntityWriter(&body).Write(user, context.live().index->CountsOf(user.id));
  return body;
}

asio::awaitable<Reply> PostUser(RequestContext* context, PathParams) {
  const Result<NewUser> request = ReadNewUser(*context);
  if (!request) co_return tl::unexpected(request.error());
  Command<User> create = [request = *request](GraphTransaction& tx) { return CreateUser(tx, request); };
  const Result<User> user = co_await ChangeGraph(context, std::move(create));
  co_return user.map([context](const User& created) {
    return Created("/api/v1/users/" + created.id.ToString(), RenderUser(*context, created));
  });
}

asio::awaitable<Reply> GetUser(RequestContext* context, PathParams params) {
  const Result<UserId> id = PathIdAs<UserId>(IdKind::kUser, params[0]);
  if (!id) co_return tl::unexpected(id.error());
  Query<User> get = [id = *id](GraphStore& graph) { return RequireUser(graph, id); };
  const Result<User> user = co_await ReadGraph(context, std::move(get));
  co_return user.map([context](const User& found) { return JsonAnswer(200, RenderUser(*context, found)); });
}

// What an erased user wrote, as far as it goes in a moment, which is all of it for nearly everybody. The rest goes soon
// (erasure/eraser.h).
asio::awaitable<Status> RemoveWritten(RequestContext* context, UserId id) {
  constexpr int kSteps = 10;
  for (int step = 0; step < kSteps; ++step) {
    Command<bool> remove = [id](GraphTransaction& tx) -> Result<bool> { return RemoveErased(tx, id, kErasedAtOnce); };
    const Result<bool> done = co_await WriteGraph(context, std::move(remove));
    if (!done) co_return tl::unexpected(done.error());
    if (*done) break;
  }
  co_return Status();
}

// What was cached for somebody before they changed whom they follow, or were erased, is no longer served to them.
asio::awaitable<void> NoteFollowsChanged(RequestContext* context, UserId user) {
  const ApiDependencies& dependencies = context->dependencies();
  std::function<Status()> note = [follows = dependencies.own_follows, user, written = context->written()] {
    follows->Note(user, written);
    return Status();
  };
  const Status noted = co_await AwaitResult(dependencies.readers, note);
  if (!noted) static_cast<void>(note());  // the pool is full
}

asio::awaitable<Reply> DeleteUser(RequestContext* context, PathParams params) {
  const Result<UserId> id = PathIdAs<UserId>(IdKind::kUser, params[0]);
  if (!id) co_return tl::unexpected(id.error());
  const Actor& actor = context->actor();
  const bool may = context->caller().scope == Scope::kAdmin || (actor && *actor == *id);
  if (!may) {
    co_return Fail(
        Failure::kForbidden, "not_yours",
        "A user is erased by themselves or by an admin: use a token of that user or of scope admin, or, with a "
        "service token, name that user in Novafeed-User.");
  }
  Command<void> erase = [id = *id](GraphTransaction& tx) { return EraseUser(tx, id); };
  const Status done = co_await WriteGraph(context, std::move(erase));
  if (!done) co_return tl::unexpected(done.error());
  const Status removed = co_await RemoveWritten(context, *id);
  if (!removed) co_return tl::unexpected(removed.error());
  co_await NoteFollowsChanged(context, *id);
  co_await AwaitWritten(context);
  co_return NoContent();
}

// Both directions of a follow: whom the path names, and the person who follows them or no longer does.
asio::awaitable<Reply> ChangeFollow(RequestContext* context, PathParams params, bool follow) {
  const Result<UserId> followee = PathIdAs<UserId>(IdKind::kUser, params[0]);
  if (!followee) co_return tl::unexpected(followee.error());
  const Result<UserId> follower = context->RequirePerson();
  if (!follower) co_return tl::unexpected(follower.error());
  Command<void> change = [follow, follower = *follower, followee = *followee](GraphTransaction& tx) {
    return follow ? PutFollow(tx, follower, followee, tx.Now()) : RemoveFollow(tx, follower, followee);
  };
  const Status done = co_await ChangeGraph(context, std::move(change));
  if (!done) co_return tl::unexpected(done.error());
  co_await NoteFollowsChanged(context, *follower);
  co_return NoContent();
}

asio::awaitable<Reply> PutFollowRoute(RequestContext* context, PathParams params) {
  return ChangeFollow(context, std::move(params), true);
}

asio::awaitable<Reply> DeleteFollowRoute(RequestContext* context, PathParams params) {
  return ChangeFollow(context, std::move(params), false);
}

// A newest-first list that hangs on a user: followers, following.
using UserList = ListPage<User> (GraphStore::*)(UserId, std::size_t, std::optional<ListCursor>);

asio::awaitable<Reply> GetUserList(RequestContext* context, PathParams params, UserList list) {
  const Result<UserId> id = PathIdAs<UserId>(IdKind::kUser, params[0]);
  if (!id) co_return tl::unexpected(id.error());
  const Result<ListRequest> wanted = ListParams(context->query());
  if (!wanted) co_return tl::unexpected(wanted.error());

  Query<ListPage<User>> get = [list, id = *id, wanted = *wanted](GraphStore& graph) {
    return RequireUser(graph, id).map([&](const User&) { return (graph.*list)(id, wanted.limit, wanted.after); });
  };
  const Result<ListPage<User>> page = co_await ReadGraph(context, std::move(get));
  co_return page.map([index = context->live().index](const ListPage<User>& found) {
    return JsonAnswer(200, RenderList("users", found, [index](EntityWriter& writer, const User& user) {
                        writer.Write(user, index->CountsOf(user.id));
                      }));
  });
}

asio::awaitable<Reply> GetFollowers(RequestContext* context, PathParams params) {
  return GetUserList(context, std::move(params), &GraphStore::Followers);
}

asio::awaitable<Reply> GetFollowing(RequestContext* context, PathParams params) {
  return GetUserList(context, std::move(params), &GraphStore::Following);
}

}  // namespace

std::vector<ApiRoute> UserRoutes() {
  return {{Method::kPost, "/api/v1/users", PostUser},
          {Method::kGet, "/api/v1/users/{}", GetUser},
          {Method::kDelete, "/api/v1/users/{}", DeleteUser},
          {Method::kPut, "/api/v1/users/{}/follow", PutFollowRoute},
          {Method::kDelete, "/api/v1/users/{}/follow", DeleteFollowRoute},
          {Method::kGet, "/api/v1/users/{}/followers", GetFollowers},
          {Method::kGet, "/api/v1/users/{}/following", GetFollowing}};
}

}  // namespace novafeed
