#include "api/lookups.h"

#include <optional>
#include <utility>

namespace novafeed {

Result<User> RequireUser(GraphStore& graph, UserId id) {
  std::optional<User> user = graph.GetUser(id);
  if (user) return *std::move(user);
  return Fail(Failure::kNotFound, "unknown_user", "There is no user " + id.ToString() + "; check the id.");
}

Status RefuseErased(GraphStore& graph, UserId subject) {
  if (!graph.IsRetired(RetiredKind::kUser, subject.value)) return {};
  return Fail(Failure::kUnauthenticated, "user_erased", "The token's user was erased: it is good for nothing now.");
}

Result<Post> RequireLivePost(GraphStore& graph, PostId id) {
  std::optional<Post> post = graph.GetPost(id);
  if (post && !post->deleted_at) return *std::move(post);
  return Fail(Failure::kNotFound, "unknown_post",
              "There is no post " + id.ToString() + ", or it was deleted; check the id.");
}

}  // namespace novafeed
