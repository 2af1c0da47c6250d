// The second listener: metrics and administration (contract, section 5). Loopback by default, admin token required.
//
//   GET  /metrics         Prometheus text
//   GET  /admin/status    positions, sizes
//   GET  /admin/rank      ?user=&as_of=&trending_as_of=: what `novafeed rank` prints
//   POST /admin/snapshot  writes the index's snapshot now
//   POST /admin/import    one chunk of `novafeed import --url` (import/wire.h)
//   POST /admin/clock     {"now":ms}: moves the test clock
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <string>

#include "access/tokens.h"
#include "api/dispatcher.h"
#include "app/rank_desk.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "capture/change.h"
#include "graph/store.h"
#include "http/message.h"
#include "http/server.h"
#include "index/applier.h"
#include "runtime/blocking_pool.h"
#include "stream/event_log.h"

namespace novafeed {

// All outlive the service.
struct AdminDependencies {
  const Clock* clock = nullptr;
  const KeyRing* keys = nullptr;
  Metrics* metrics = nullptr;
  GraphStore* graph = nullptr;
  ChangeFeed* changes = nullptr;
  EventLog* events = nullptr;
  BlockingPool* workers = nullptr;  // where routes run: they read files and build indexes
  bool metrics_need_token = true;
  std::function<Status(TimeMs)> move_clock;         // empty: there is no test clock
  std::function<Result<Position>()> save_snapshot;  // blocking; the position that the file holds
};

// What exists only once the index has booted.
struct AdminLive {
  const FeedIndex* index = nullptr;
  const IndexApplier* applier = nullptr;
  RankDesk* desk = nullptr;
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

 private:
  // A route's work, on a worker thread: the JSON of the answer.
  using Work = Result<std::string> (AdminService::*)(const HttpRequest& request);

  void AddRoute(Method method, const std::string& pattern, Work work);
  Status CheckAdmin(const HttpRequest& request) const;
  boost::asio::awaitable<HttpResponse> Serve(Work work, const HttpRequest* request);
  boost::asio::awaitable<HttpResponse> ServeMetrics(const HttpRequest* request);

  Result<std::string> ShowStatus(const HttpRequest& request);
  Result<std::string> Rank(const HttpRequest& request);
  Result<std::string> SaveSnapshot(const HttpRequest& request);
  Result<std::string> Import(const HttpRequest& request);
  Result<std::string> MoveClock(const HttpRequest& request);

  const AdminDependencies dependencies_;
  const Gauge dropped_log_lines_;
  AdminLive live_;  // written once, before open_
  std::atomic<bool> open_{false};
  Dispatcher dispatcher_;
};

}  // namespace novafeed
