// One running `serve`: every object that it is made of, in the order in which they are made.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "access/rate_limit.h"
#include "access/tokens.h"
#include "api/service.h"
#include "app/admin_service.h"
#include "app/check_desk.h"
#include "app/data_directory.h"
#include "app/feed_stack.h"
#include "app/index_erasure.h"
#include "app/index_healer.h"
#include "app/periodic_job.h"
#include "app/pipeline_route.h"
#include "app/purge_follower.h"
#include "app/rank_desk.h"
#include "app/stores.h"
#include "app/upkeep.h"
#include "app/viewer_jobs.h"
#include "app/warehouse_erasure.h"
#include "app/warehouse_rows.h"
#include "app/warehouse_stack.h"
#include "base/metrics.h"
#include "base/settings.h"
#include "base/time.h"
#include "cache/cache.h"
#include "erasure/eraser.h"
#include "http/server.h"
#include "index/boot.h"
#include "runtime/blocking_pool.h"
#include "runtime/io_threads.h"
#include "timeline/feed_engines.h"
#include "timeline/hot_posts.h"
#include "timeline/trending_service.h"
#include "warehouse/ingest_errors.h"

namespace novafeed {

struct NodeOptions {
  bool demo = false;                 // anybody may act as any user
  std::optional<TimeMs> test_clock;  // hold the clock there
};

// Lifecycle: the constructor opens everything and listens (/readyz answers 503); Boot() brings the index up and opens
// the API; Stop() drains, saves the snapshot and stops the threads. The destructor alone stops without draining.
// Used by one thread; what it is made of runs on its own.
class Node {
 public:
  // `settings` and `directory` (whose lock is held) outlive the node. Throws std::runtime_error or StoreError.
  Node(const Settings& settings, const DataDirectory& directory, KeyRing keys, const NodeOptions& options);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // What `progress` throws ends the boot.
  void Boot(const BootProgress& progress);
  // Lets running requests end, for a while; then nothing runs any more.
  void Stop();

  // A token for this user, as `novafeed token` makes it.
  std::string UserToken(UserId user) const;
  // A token by which this program acts for its people.
  std::string ServiceToken() const;
  std::string url() const { return "http://" + public_server_.address(); }
  const Clock& clock() const { return *clock_; }
  Stores& stores() { return stores_; }

 private:
  HttpLimits PublicLimits();
  HttpLimits AdminLimits() const;
  ApiDependencies MakeApiDependencies();
  AdminDependencies MakeAdminDependencies();
  PipelineDependencies MakePipelineDependencies(bool for_everybody) const;
  std::function<void()> WhereItLeads(std::function<void()> job) const;
  void Announce() const;
  BootSources WithWarehouse(BootSources sources) const;
  void ReportBoot(const BootedIndex& booted);
  void StartWarehouse();
  bool LetWarehouseStandIn(std::optional<Position>* end);
  std::unique_ptr<ErasureConsumer> MakeWarehouseErasure();
  void StartJobs();
  bool WarehouseIsCurrent() const;
  std::vector<CandidateEngine*> HotPostsEngines() const;
  void RefreshHotPosts();
  void Quiesce(std::chrono::milliseconds grace);
  Status MoveClock(TimeMs now);
  Result<Position> SaveSnapshotNow();
  void SaveSnapshotIfChanged();
  void KeepDeadLetters();
  void TakeIngestErrors();
  void ReportLags();
  Position AppliedByAll();
  void ForgetOld();
  void RemoveErasedUsers();
  void PurgeIfDue();
  PurgeReport Purge();
  void FollowPurges();
  void PurgeWhatCameAgain();
  std::unique_ptr<PurgeFollower> MakePurgeFollower();
  std::unique_ptr<CheckDesk> MakeCheckDesk();
  Status RebuildIndexNow();

  const Settings& settings_;
  const DataDirectory& directory_;
  const KeyRing keys_;
  ManualClock* test_clock_ = nullptr;  // clock_, where it is held
  const std::unique_ptr<Clock> clock_;
  Metrics metrics_;
  const Counter snapshot_failures_;
  const std::shared_ptr<ByteBudget> body_budget_;  // of both listeners
  // Before all that runs, so that its contexts go last: what still runs may post to them. What the coroutines in them
  // count, as they go with their context, stands above.
  IoThreads io_;
  Stores stores_;
  RateLimiter limiter_;
  const std::unique_ptr<Cache> cache_;
  BlockingPool readers_;
  BlockingPool admin_workers_;
  BlockingPool warehouse_pages_;  // where pages wait for the warehouse
  BlockingPool rank_builder_;     // one thread: indexes for other instants are built one after the other
  BlockingPool checkers_;         // one thread: a check takes as long as the data is large
  FeedEngines engines_;
  ViewerCaches caches_;
  std::unique_ptr<LiveIndexStack> feed_;  // from Boot on, as the next four
  std::unique_ptr<RankDesk> desk_;
  std::unique_ptr<IndexErasure> index_erasure_;
  std::unique_ptr<IndexHealer> healer_;
  std::unique_ptr<ErasureConsumer> warehouse_erasure_;
  WarehouseErasure* shared_warehouse_ = nullptr;  // the same, where other processes use it, too
  std::unique_ptr<Eraser> eraser_;
  std::unique_ptr<PurgeFollower> purge_follower_;  // null where the stores are this process's own
  std::mutex clock_mutex_;                         // one move at a time
  std::atomic<bool> stopping_{false};
  std::mutex snapshot_mutex_;                  // one snapshot at a time; guards saved_
  Position saved_;                             // what the snapshot file surely holds
  Upkeep upkeep_;                              // a purge or a check at a time: a purge changes the log
  std::unique_ptr<WarehouseStack> warehouse_;  // null where there is none, as the next three
  std::unique_ptr<WarehouseRows> warehouse_rows_;
  std::unique_ptr<IngestErrors> ingest_errors_;  // null where ClickHouse does not land the log by itself
  std::unique_ptr<WarehouseFeedStack> warehouse_feed_;
  std::unique_ptr<HotPosts> hot_posts_;  // from Boot on, as the next three
  std::unique_ptr<TrendingService> trending_;
  std::unique_ptr<ViewerJobs> viewer_jobs_;  // null where there is no warehouse
  std::unique_ptr<CheckDesk> check_;
  ApiService api_;
  AdminService admin_;
  HttpServer public_server_;
  HttpServer admin_server_;
  std::vector<std::unique_ptr<PeriodicJob>> jobs_;
};

}  // namespace novafeed
