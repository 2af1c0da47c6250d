// GET /api/v1/trending.
#include <functional>
#include <string_view>
#include <utility>

#include "api/parameters.h"
#include "api/render.h"
#include "api/routes/routes.h"
#include "api/storage.h"
#include "timeline/trending_service.h"

namespace novafeed {
namespace {

namespace asio = boost::asio;

Result<TrendingWindow> WindowParam(const QueryParams& query) {
  const std::string_view window = query.Get("window").value_or("24h");
  if (window == "1h") return TrendingWindow::kHour;
  if (window == "24h") return TrendingWindow::kDay;
  return Fail(Failure::kInvalid, "bad_window", "window must be 1h or 24h.");
}

asio::awaitable<Result<HttpResponse>> GetTrending(RequestContext* context, PathParams) {
  const Result<TrendingWindow> window = WindowParam(context->query());
  if (!window) co_return tl::unexpected(window.error());
  const Result<std::size_t> limit = LimitParam(context->query(), kMaxTrendingPage);
  if (!limit) co_return tl::unexpected(limit.error());
  const Result<bool> explain = FlagParam(context->query(), "explain");
  if (!explain) co_return tl::unexpected(explain.error());

  co_await AwaitCarried(context);
  std::function<Result<TrendingPage>()> make = [service = context->live().trending, window = *window, limit = *limit] {
    return service->Page(window, limit);
  };
  const Result<TrendingPage> page = co_await AwaitResult(context->dependencies().readers, std::move(make));
  if (!page) co_return tl::unexpected(page.error());
  co_return JsonAnswer(200, RenderTrendingPage(*page, *explain));
}

}  // namespace

std::vector<ApiRoute> TrendingRoutes() {
  return {{Method::kGet, "/api/v1/trending", GetTrending}};
}

}  // namespace novafeed
