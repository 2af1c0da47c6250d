// The second listener: metrics and administration (contract, section 5). Loopback by default, admin token required.
//
//   GET  /metrics         Prometheus text
//   GET  /admin/status    positions, sizes
//   GET  /admin/rank      ?user=&as_of=&trending_as_of=&engine=: what `novafeed rank` prints
//   POST /admin/snapshot  writes the index's snapshot now
//   POST /admin/purge     purges what was erased now
//   POST /admin/import    one chunk of `novafeed import --url` (import/wire.h); also on the public listener
//   POST /admin/check     ?repair=1: what `novafeed check` prints as JSON
//   POST /admin/clock     {"now":ms}: moves the test clock
//   POST /admin/warehouse/rewind  {"changes"?:n,"events"?:n,"state"?:bool}: lands a part of the log, or the state of
//   the
//                         graph, in the warehouse again
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "access/tokens.h"
#include "api/dispatcher.h"
#include "app/check_desk.h"
#include "app/rank_desk.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "capture/change.h"
#include "erasure/eraser.h"
#include "graph/store.h"
#include "http/message.h"
#include "http/server.h"
#include "index/applier.h"
#include "runtime/blocking_pool.h"
#include "stream/event_log.h"
#include "warehouse/filler.h"

namespace novafeed {

inline constexpr std::string_view kImportPath = "/admin/import";

// All outlive the service.
struct AdminDependencies {
  const Clock* clock = nullptr;
  const KeyRing* keys = nullptr;
  Metrics* metrics = nullptr;
  GraphStore* graph = nullptr;
  ChangeFeed* changes = nullptr;
  EventLog* events = nullptr;
  BlockingPool* workers = nullptr;   // where routes run: they read files and write the graph
  BlockingPool* builders = nullptr;  // where rankings that need an index of their own run
  BlockingPool* checkers = nullptr;  // where checks run
  bool metrics_need_token = true;
  std::function<Status(TimeMs)> move_clock;         // empty: there is no test clock
  std::function<Result<Position>()> save_snapshot;  // blocking; the position that the file holds
  std::function<PurgeReport()> purge;               // blocking; throws StoreError
};

// What exists only once the index has booted.
struct AdminLive {
  const FeedIndex* index = nullptr;
  const IndexApplier* applier = nullptr;
  RankDesk* desk = nullptr;
  WarehouseFiller* warehouse = nullptr;  // null where there is none
  CheckDesk* check = nullptr;            // null where there is no warehouse
};

// Owned by the wiring; outlives the HttpServer that it answers for. Until Open(), what needs the index answers 503
// "booting".
class AdminService {
 public:
  explicit AdminService(AdminDependencies dependencies);
  AdminService(const AdminService&) = delete;
  AdminService& operator=(const AdminService&) = delete;

  // The index has booted. Once, from any thread.
  void Open(const AdminLive& live);

  RequestHandler handler() { return dispatcher_.handler(); }

  // The same POST /admin/import for the public listener, the one that others than this machine can reach.
  Handler import_handler();
  // What the body of such a request may have there, from its head: a chunk's size with an admin's token, else nothing
  // beyond the listener's own limit.
  std::size_t BodyAllowance(const HttpRequest& head) const;

 private:
  // A route's work, on a worker thread: the JSON of the answer.
  using Work = Result<std::string> (AdminService::*)(const HttpRequest& request);

  void AddRoute(Method method, const std::string& pattern, Work work);
  // An admin's token, whose subject was not erased since.
  boost::asio::awaitable<Status> CheckAdmin(const HttpRequest* request) const;
  boost::asio::awaitable<HttpResponse> Serve(Work work, const HttpRequest* request);
  boost::asio::awaitable<HttpResponse> ServeRank(const HttpRequest* request);
  boost::asio::awaitable<HttpResponse> ServeCheck(const HttpRequest* request);
  boost::asio::awaitable<HttpResponse> ServeMetrics(const HttpRequest* request);

  Result<std::string> ShowStatus(const HttpRequest& request);
  Result<std::string> SaveSnapshot(const HttpRequest& request);
  Result<std::string> Purge(const HttpRequest& request);
  Result<std::string> Import(const HttpRequest& request);
  Result<std::string> MoveClock(const HttpRequest& request);
  Result<std::string> RewindWarehouse(const HttpRequest& request);

  const AdminDependencies dependencies_;
  const Gauge dropped_log_lines_;
  AdminLive live_;  // written once, before open_
  std::atomic<bool> open_{false};
  Dispatcher dispatcher_;
};

}  // namespace novafeed
