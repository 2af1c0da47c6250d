// What only a demo offers: a list of users, and a token for any of them.
//
//   GET  /demo/users?prefix=&limit=   {"users":[User...]}, by handle: those whose handle, or a
//                                     word of whose name, begins so, in whatever case
//   POST /demo/token {"user_id"}      {"token","expires_at"}, user scope
#pragma once

#include <functional>

#include "access/tokens.h"
#include "api/service.h"
#include "base/time.h"
#include "graph/store.h"
#include "index/feed_index.h"
#include "runtime/blocking_pool.h"

namespace novafeed {

// All outlive the service.
struct DemoDependencies {
  const Clock* clock = nullptr;
  const KeyRing* keys = nullptr;
  GraphStore* graph = nullptr;
  BlockingPool* readers = nullptr;
  std::function<UserCounts(UserId)> counts;  // from the live index; not asked before the API is open
};

// Before the server starts. Without these routes the paths answer 404, by which the page knows that this is no demo.
void AddDemoRoutes(ApiService* api, const DemoDependencies& dependencies);

}  // namespace novafeed
