// Comments under a post.
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

std::string RenderComment(const Comment& comment) {
  std::string body;
  EntityWriter(&body).Write(comment);
  return body;
}

asio::awaitable<Reply> PostComment(RequestContext* context, PathParams params) {
  const Result<PostId> post = PathIdAs<PostId>(IdKind::kPost, params[0]);
  if (!post) co_return tl::unexpected(post.error());
  const Result<UserId> user = context->RequirePerson();
  if (!user) co_return tl::unexpected(user.error());
  Result<NewText> body = ReadNewText(*context, IdKind::kComment);
  if (!body) co_return tl::unexpected(body.error());
  NewComment request{std::move(body->id), *post, *user, std::move(body->text)};
  Command<Comment> create = [request = std::move(request)](GraphTransaction& tx) { return CreateComment(tx, request); };
  const Result<Comment> comment = co_await ChangeGraph(context, std::move(create));
  co_return comment.map([](const Comment& created) { return JsonAnswer(201, RenderComment(created)); });
}

asio::awaitable<Reply> GetComments(RequestContext* context, PathParams params) {
  const Result<PostId> post = PathIdAs<PostId>(IdKind::kPost, params[0]);
  if (!post) co_return tl::unexpected(post.error());
  const Result<ListRequest> wanted = ListParams(context->query());
  if (!wanted) co_return tl::unexpected(wanted.error());

  Query<ListPage<Comment>> get = [post = *post, wanted = *wanted](GraphStore& graph) {
    return RequireLivePost(graph, post).map([&](const Post&) {
      return graph.CommentsOn(post, wanted.limit, wanted.after);
    });
  };
  const Result<ListPage<Comment>> page = co_await ReadGraph(context, std::move(get));
  co_return page.map([](const ListPage<Comment>& found) {
    const auto write = [](EntityWriter& writer, const Comment& comment) { writer.Write(comment); };
    return JsonAnswer(200, RenderList("comments", found, write));
  });
}

asio::awaitable<Reply> DeleteCommentRoute(RequestContext* context, PathParams params) {
  const Result<CommentId> id = PathIdAs<CommentId>(IdKind::kComment, params[0]);
  if (!id) co_return tl::unexpected(id.error());
  Command<void> remove = [actor = context->actor(), id = *id](GraphTransaction& tx) {
    return DeleteComment(tx, actor, id);
  };
  const Status done = co_await ChangeGraph(context, std::move(remove));
  co_return done.map(NoContent);
}

}  // namespace

std::vector<ApiRoute> CommentRoutes() {
  return {{Method::kPost, "/api/v1/posts/{}/comments", PostComment},
          {Method::kGet, "/api/v1/posts/{}/comments", GetComments},
          {Method::kDelete, "/api/v1/comments/{}", DeleteCommentRoute}};
}

}  // namespace novafeed
