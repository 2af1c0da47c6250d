// Posts, a user's list of them, and likes.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

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

// What the index has counted; nothing yet where it has not seen the post.
Counters CountersOf(const FeedIndex& index, PostId id) {
  const std::optional<IndexedPost> post = index.FindPost(id);
  return post ? CountersOf(post->totals) : Counters();
}

std::string RenderPost(const RequestContext& context, const Post& post) {
  std::string body;
  EntityWriter(&body).Write(post, CountersOf(*context.live().index, post.id));
  return body;
}

asio::awaitable<Reply> PostPost(RequestContext* context, PathParams) {
  const Result<UserId> author = context->RequirePerson();
  if (!author) co_return tl::unexpected(author.error());
  Result<NewText> body = ReadNewText(*context, IdKind::kPost);
  if (!body) co_return tl::unexpected(body.error());
  NewPost request{std::move(body->id), *author, std::move(body->text)};
  Command<Post> create = [request = std::move(request)](GraphTransaction& tx) { return CreatePost(tx, request); };
  const Result<Post> post = co_await ChangeGraph(context, std::move(create));
  co_return post.map([context](const Post& created) {
    return Created("/api/v1/posts/" + created.id.ToString(), RenderPost(*context, created));
  });
}

asio::awaitable<Reply> GetPost(RequestContext* context, PathParams params) {
  const Result<PostId> id = PathIdAs<PostId>(IdKind::kPost, params[0]);
  if (!id) co_return tl::unexpected(id.error());
  Query<Post> get = [id = *id](GraphStore& graph) { return RequireLivePost(graph, id); };
  const Result<Post> post = co_await ReadGraph(context, std::move(get));
  co_return post.map([context](const Post& found) { return JsonAnswer(200, RenderPost(*context, found)); });
}

asio::awaitable<Reply> PatchPost(RequestContext* context, PathParams params) {
  const Result<PostId> id = PathIdAs<PostId>(IdKind::kPost, params[0]);
  if (!id) co_return tl::unexpected(id.error());
  Result<std::string> text = ReadText(*context);
  if (!text) co_return tl::unexpected(text.error());
  Command<Post> edit = [actor = context->actor(), id = *id, text = *std::move(text)](GraphTransaction& tx) {
    return EditPost(tx, actor, id, text);
  };
  const Result<Post> post = co_await ChangeGraph(context, std::move(edit));
  co_return post.map([context](const Post& edited) { return JsonAnswer(200, RenderPost(*context, edited)); });
}

asio::awaitable<Reply> DeletePostRoute(RequestContext* context, PathParams params) {
  const Result<PostId> id = PathIdAs<PostId>(IdKind::kPost, params[0]);
  if (!id) co_return tl::unexpected(id.error());
  Command<void> remove = [actor = context->actor(), id = *id](GraphTransaction& tx) {
    return DeletePost(tx, actor, id);
  };
  const Status done = co_await ChangeGraph(context, std::move(remove));
  co_return done.map(NoContent);
}

asio::awaitable<Reply> ChangeLike(RequestContext* context, PathParams params, bool like) {
  const Result<PostId> post = PathIdAs<PostId>(IdKind::kPost, params[0]);
  if (!post) co_return tl::unexpected(post.error());
  const Result<UserId> user = context->RequirePerson();
  if (!user) co_return tl::unexpected(user.error());
  Command<void> change = [like, user = *user, post = *post](GraphTransaction& tx) {
    return like ? PutLike(tx, user, post, tx.Now()) : RemoveLike(tx, user, post);
  };
  const Status done = co_await ChangeGraph(context, std::move(change));
  co_return done.map(NoContent);
}

asio::awaitable<Reply> PutLikeRoute(RequestContext* context, PathParams params) {
  return ChangeLike(context, std::move(params), true);
}

asio::awaitable<Reply> DeleteLikeRoute(RequestContext* context, PathParams params) {
  return ChangeLike(context, std::move(params), false);
}

// {"liked":[…]}: of the named posts those that are liked, as the request names them.
std::string RenderLiked(const std::vector<NamedPost>& named, std::vector<PostId> liked) {
  std::ranges::sort(liked);
  std::string body;
  JsonWriter json(&body);
  json.BeginObject().Key("liked").BeginArray();
  for (const NamedPost& post : named) {
    if (std::ranges::binary_search(liked, post.id)) json.String(post.name);
  }
  json.EndArray().EndObject();
  return body;
}

// Waits for no position: the graph itself has every like that was answered.
asio::awaitable<Reply> GetLikes(RequestContext* context, PathParams) {
  const Result<UserId> user = context->RequirePerson();
  if (!user) co_return tl::unexpected(user.error());
  const Result<std::vector<NamedPost>> named = PostsParam(context->query());
  if (!named) co_return tl::unexpected(named.error());
  std::vector<PostId> posts;
  for (const NamedPost& post : *named) posts.push_back(post.id);
  Query<std::vector<PostId>> get = [user = *user, posts = std::move(posts)](GraphStore& graph) {
    return Result<std::vector<PostId>>(graph.LikedAmong(user, posts));
  };
  const Result<std::vector<PostId>> liked = co_await QueryGraph(&context->dependencies(), std::move(get));
  co_return liked.map([&](const std::vector<PostId>& found) { return JsonAnswer(200, RenderLiked(*named, found)); });
}

asio::awaitable<Reply> GetPostsOfUser(RequestContext* context, PathParams params) {
  const Result<UserId> author = PathIdAs<UserId>(IdKind::kUser, params[0]);
  if (!author) co_return tl::unexpected(author.error());
  const Result<ListRequest> wanted = ListParams(context->query());
  if (!wanted) co_return tl::unexpected(wanted.error());

  Query<ListPage<Post>> get = [author = *author, wanted = *wanted](GraphStore& graph) {
    return RequireUser(graph, author).map([&](const User&) {
      return graph.PostsOf(author, wanted.limit, wanted.after);
    });
  };
  const Result<ListPage<Post>> page = co_await ReadGraph(context, std::move(get));
  co_return page.map([index = context->live().index](const ListPage<Post>& found) {
    return JsonAnswer(200, RenderList("posts", found, [index](EntityWriter& writer, const Post& post) {
                        writer.Write(post, CountersOf(*index, post.id));
                      }));
  });
}

}  // namespace

std::vector<ApiRoute> PostRoutes() {
  return {{Method::kPost, "/api/v1/posts", PostPost},
          {Method::kGet, "/api/v1/posts/{}", GetPost},
          {Method::kPatch, "/api/v1/posts/{}", PatchPost},
          {Method::kDelete, "/api/v1/posts/{}", DeletePostRoute},
          {Method::kPut, "/api/v1/posts/{}/like", PutLikeRoute},
          {Method::kDelete, "/api/v1/posts/{}/like", DeleteLikeRoute},
          {Method::kGet, "/api/v1/likes", GetLikes},
          {Method::kGet, "/api/v1/users/{}/posts", GetPostsOfUser}};
}

}  // namespace novafeed
