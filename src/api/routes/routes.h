// The routes of the public API, one table for each kind of thing. All of them need a token.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <string_view>
#include <vector>

#include "api/context.h"
#include "base/result.h"
#include "http/message.h"
#include "http/router.h"

namespace novafeed {

// Serves one authenticated request; an Error becomes a problem. The context outlives what is returned. A handler may
// throw StoreError.
using RouteHandler = std::function<boost::asio::awaitable<Result<HttpResponse>>(RequestContext*, PathParams)>;

struct ApiRoute {
  Method method;
  std::string_view pattern;
  RouteHandler handler;
};

std::vector<ApiRoute> FeedRoutes();
std::vector<ApiRoute> EventRoutes();
std::vector<ApiRoute> UserRoutes();
std::vector<ApiRoute> PostRoutes();
std::vector<ApiRoute> CommentRoutes();
std::vector<ApiRoute> SuggestionRoutes();
std::vector<ApiRoute> TrendingRoutes();

}  // namespace novafeed
