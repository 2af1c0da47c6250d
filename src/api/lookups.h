// Blocking reads of the graph that several routes share. Throw StoreError.
#pragma once

#include "base/result.h"
#include "graph/store.h"

namespace novafeed {

// kNotFound "unknown_user".
Result<User> RequireUser(GraphStore& graph, UserId id);
// kNotFound "unknown_post"; also for a deleted one.
Result<Post> RequireLivePost(GraphStore& graph, PostId id);

}  // namespace novafeed
