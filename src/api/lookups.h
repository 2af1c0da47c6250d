// Blocking reads of the graph that several routes share. Throw StoreError.
#pragma once

#include "base/result.h"
#include "graph/store.h"

namespace novafeed {

// kNotFound "unknown_user".
Result<User> RequireUser(GraphStore& graph, UserId id);
// kUnauthenticated "user_erased": for the subject of a token.
Status RefuseErased(GraphStore& graph, UserId subject);
// kNotFound "unknown_post"; also for a deleted one.
Result<Post> RequireLivePost(GraphStore& graph, PostId id);

}  // namespace novafeed
