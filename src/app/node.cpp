#include "app/node.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <thread>
#include <utility>

#include "app/demo_routes.h"
#include "app/embedded_assets.h"
#include "app/olap_files.h"
#include "app/open_cache.h"
#include "app/pipeline_route.h"
#include "app/settings_table.h"
#include "base/log.h"
#include "check/truth.h"
#include "import/wire.h"
#include "index/snapshot.h"
#include "warehouse/sql.h"

namespace novafeed {
namespace {

constexpr std::chrono::hours kForgetEvery{1};
constexpr std::chrono::seconds kReportLagEvery{1};
constexpr std::chrono::seconds kHealEvery{1};
constexpr std::chrono::seconds kKeepDeadLettersEvery{1};
constexpr std::size_t kIngestErrorsAtOnce = 100;
constexpr std::chrono::seconds kHotPostsDeadline{2};    // of keeping them in the warehouse
constexpr std::chrono::milliseconds kRemoveEvery{500};  // an erased user's posts are out of every answer in 5 s
constexpr std::chrono::milliseconds kLookForPurgeEvery{30'000};
constexpr std::chrono::milliseconds kFollowPurgesEvery{1000};
// Longer than any topic is kept (deploy/kafka/topics.toml): then nothing names who was purged.
constexpr TimeMs kKeepPurged = 31 * kMsPerDay;
constexpr TimeMs kTokenLife = kMsPerDay;
constexpr std::chrono::milliseconds kBootAgainEvery{500};  // where there is nothing to boot from yet
constexpr std::size_t kReadQueue = 10'000;
constexpr std::size_t kWarehousePages = 4;   // at a time
constexpr std::size_t kWarehouseQueue = 64;  // who would wait longer for a page than it may take is told so at once
constexpr std::chrono::milliseconds kLookIntoWarehouseEvery{100};
constexpr std::size_t kAdminThreads = 4;
constexpr std::size_t kAdminQueue = 64;
constexpr std::size_t kAdminConnections = 200;

std::size_t IoThreadCount(const Settings& settings) {
  const auto wanted = static_cast<std::size_t>(settings.Int("serve.io_threads"));
  return wanted > 0 ? wanted : std::max(1U, std::thread::hardware_concurrency());
}

RateRule RuleOf(const Settings& settings, const std::string& who) {
  return {settings.Number("rate." + who + "_per_second"), settings.Number("rate." + who + "_burst")};
}

std::unique_ptr<Clock> MakeClock(std::optional<TimeMs> held_at, ManualClock** held) {
  if (!held_at) return std::make_unique<SystemClock>();
  auto clock = std::make_unique<ManualClock>(*held_at);
  *held = clock.get();
  return clock;
}

// That a source is missing or busy is ordinary; that one is wrong, or that the log has lost what follows it, is not.
LogLevel LevelOf(const PassedOver& passed) {
  if (passed.code == kBootMismatch || passed.code == "log_forgotten") return LogLevel::kError;
  return passed.code == "broken_snapshot" || passed.code == "olap_error" ? LogLevel::kWarn : LogLevel::kInfo;
}

std::unique_ptr<WarehouseFeedStack> MakeWarehouseFeed(const Settings& settings, const KeyRing& keys,
                                                      WarehouseStack* warehouse, Stores* stores, ViewerCaches* caches,
                                                      const Clock* clock, Metrics* metrics) {
  if (warehouse == nullptr) return nullptr;
  return std::make_unique<WarehouseFeedStack>(
      &warehouse->reader(), &warehouse->filler(), stores->graph.get(), EngineOptions(settings),
      CursorCodec(keys.cursor_key, stores->graph->Generation()), caches, clock, metrics);
}

}  // namespace

Node::Node(const Settings& settings, const DataDirectory& directory, KeyRing keys, const NodeOptions& options)
    : settings_(settings),
      directory_(directory),
      keys_(std::move(keys)),
      clock_(MakeClock(options.test_clock, &test_clock_)),
      snapshot_failures_(metrics_.AddCounter("novafeed_snapshot_failures_total",
                                             "Times the index's snapshot file could not be written.")),
      body_budget_(std::make_shared<ByteBudget>(static_cast<std::size_t>(settings.Size("limits.held_bodies")))),
      io_(IoThreadCount(settings)),
      stores_(OpenStores(directory.path(), settings, clock_.get(), &metrics_)),
      limiter_(static_cast<std::size_t>(settings.Int("rate.max_callers"))),
      cache_(OpenCache(settings, clock_.get(), &metrics_)),
      readers_("reader", static_cast<std::size_t>(settings.Int("serve.read_threads")), kReadQueue, &metrics_),
      admin_workers_("admin", kAdminThreads, kAdminQueue, &metrics_),
      warehouse_pages_("warehouse_page", kWarehousePages, kWarehouseQueue, &metrics_),
      rank_builder_("rank", 1, kAdminQueue, &metrics_),
      checkers_("check", 1, kAdminQueue, &metrics_),
      engines_(settings.String("serve.engine")),
      caches_(clock_.get(), cache_.get(), stores_.graph->Generation(), &engines_, &metrics_),
      upkeep_(stores_.leases, &metrics_),
      warehouse_(WarehouseStack::Make(settings, clock_.get(), test_clock_ != nullptr, &stores_, &metrics_)),
      warehouse_rows_(warehouse_ ? std::make_unique<WarehouseRows>(&warehouse_->reader()) : nullptr),
      ingest_errors_(stores_.landing_topics && warehouse_
                         ? std::make_unique<IngestErrors>(clock_.get(), &warehouse_->reader())
                         : nullptr),
      warehouse_feed_(
          MakeWarehouseFeed(settings, keys_, warehouse_.get(), &stores_, &caches_, clock_.get(), &metrics_)),
      api_(MakeApiDependencies()),
      admin_(MakeAdminDependencies()),
      public_server_(io_.contexts(), settings.String("serve.listen"), PublicLimits(), api_.handler(),
                     ApiService::problem_maker(), &metrics_, "public"),
      admin_server_(io_.contexts(), settings.String("serve.admin_listen"), AdminLimits(), admin_.handler(),
                    ApiService::problem_maker(), &metrics_, "admin") {
  api_.Add(Method::kPost, std::string(kImportPath), admin_.import_handler());
  AddPipelineRoute(&api_, MakePipelineDependencies(options.demo));
  if (options.demo) {
    const auto counts = [this](UserId user) { return feed_->index->CountsOf(user); };
    AddDemoRoutes(&api_, {clock_.get(), &keys_, stores_.graph.get(), &readers_, counts});
  }
  if (warehouse_feed_) engines_.OpenWarehouse(&warehouse_feed_->services);
  public_server_.Start();
  admin_server_.Start();
  Announce();
}

Node::~Node() {
  Quiesce(std::chrono::milliseconds(0));
  directory_.Withdraw();
}

HttpLimits Node::PublicLimits() {
  HttpLimits limits;
  limits.max_body_bytes = static_cast<std::size_t>(settings_.Size("limits.max_body"));
  limits.max_unpacked_bytes = static_cast<std::size_t>(settings_.Size("limits.max_unpacked_body"));
  limits.max_connections = static_cast<std::size_t>(settings_.Int("limits.max_connections"));
  limits.idle_timeout = settings_.Duration("limits.idle_timeout");
  limits.header_timeout = settings_.Duration("limits.header_timeout");
  limits.body_timeout = settings_.Duration("limits.body_timeout");
  limits.body_allowance = [this](const HttpRequest& head) { return admin_.BodyAllowance(head); };
  limits.body_budget = body_budget_;
  return limits;
}

HttpLimits Node::AdminLimits() const {
  HttpLimits limits;
  limits.max_body_bytes = kMaxImportRequestBytes;
  limits.max_unpacked_bytes = kMaxImportRequestBytes;
  limits.max_connections = kAdminConnections;
  limits.body_budget = body_budget_;
  return limits;
}

ApiDependencies Node::MakeApiDependencies() {
  ApiDependencies dependencies;
  dependencies.clock = clock_.get();
  dependencies.keys = &keys_;
  dependencies.rate_limiter = &limiter_;
  dependencies.metrics = &metrics_;
  dependencies.graph = stores_.graph.get();
  dependencies.events = stores_.events.get();
  dependencies.readers = &readers_;
  dependencies.warehouse = &warehouse_pages_;
  dependencies.engines = &engines_;
  dependencies.own_follows = &caches_.follows;
  dependencies.rates = {RuleOf(settings_, "user"), RuleOf(settings_, "service"), RuleOf(settings_, "stranger")};
  dependencies.assets = EmbeddedAssets();
  return dependencies;
}

AdminDependencies Node::MakeAdminDependencies() {
  AdminDependencies dependencies;
  dependencies.clock = clock_.get();
  dependencies.keys = &keys_;
  dependencies.metrics = &metrics_;
  dependencies.graph = stores_.graph.get();
  dependencies.changes = stores_.SideChanges();
  dependencies.events = stores_.events.get();
  dependencies.workers = &admin_workers_;
  dependencies.builders = &rank_builder_;
  dependencies.checkers = &checkers_;
  dependencies.metrics_need_token = settings_.Bool("serve.metrics_token");
  if (test_clock_ != nullptr) dependencies.move_clock = [this](TimeMs now) { return MoveClock(now); };
  dependencies.save_snapshot = [this] { return SaveSnapshotNow(); };
  dependencies.purge = [this] { return Purge(); };
  return dependencies;
}

PipelineDependencies Node::MakePipelineDependencies(bool for_everybody) const {
  PipelineDependencies dependencies;
  dependencies.clock = clock_.get();
  dependencies.metrics = &metrics_;
  dependencies.changes = stores_.SideChanges();
  dependencies.events = stores_.events.get();
  dependencies.warehouse = warehouse_.get();
  dependencies.warehouse_rows = warehouse_rows_.get();
  dependencies.for_everybody = for_everybody;
  return dependencies;
}

void Node::Announce() const {
  ServeInfo info{getpid(), url(), "http://" + admin_server_.address(),
                 std::filesystem::absolute(KeysDirectory(settings_)), std::nullopt};
  if (test_clock_ != nullptr) info.test_clock = test_clock_->Now();
  directory_.Announce(info);
}

void Node::Boot(const BootProgress& progress) {
  StartWarehouse();
  const BootSources sources = stores_.Sources();
  BootSources boot = WithWarehouse(sources);
  boot.wait = [&progress] {
    progress("nothing yet", 0);
    std::this_thread::sleep_for(kBootAgainEvery);
  };
  BootedIndex booted = BootIndex(boot, directory_.SnapshotPath(), clock_->Now(), progress);
  ReportBoot(booted);
  feed_ = std::make_unique<LiveIndexStack>(std::move(booted.index), sources, keys_.cursor_key, clock_.get(), &metrics_);
  feed_->applier.Start();
  const RankWarehouse warehouse{warehouse_feed_ ? &warehouse_feed_->ranker : nullptr,
                                test_clock_ == nullptr && settings_.Bool("olap.ttl")};
  desk_ = std::make_unique<RankDesk>(stores_.SideSources(), stores_.graph.get(), feed_.get(), warehouse, clock_.get(),
                                     &metrics_);
  index_erasure_ =
      std::make_unique<IndexErasure>(feed_->index.get(), &feed_->applier, [this] { return SaveSnapshotNow(); });
  warehouse_erasure_ = MakeWarehouseErasure();
  std::vector<ErasureConsumer*> consumers = {index_erasure_.get(), desk_.get(), stores_.erased.get(),
                                             warehouse_erasure_.get()};
  eraser_ =
      std::make_unique<Eraser>(stores_.graph.get(), stores_.SideChanges(), stores_.events.get(), std::move(consumers),
                               &metrics_, stores_.purges, [this] { upkeep_.RequireHeld(); });
  purge_follower_ = MakePurgeFollower();
  feed_->trending.Refresh();
  hot_posts_ = std::make_unique<HotPosts>(clock_.get(), cache_.get(), [this] { return HotPostsEngines(); }, &metrics_);
  trending_ = std::make_unique<TrendingService>(&feed_->trending, hot_posts_.get(), feed_->index.get());
  if (warehouse_) {
    check_ = MakeCheckDesk();
    viewer_jobs_ =
        std::make_unique<ViewerJobs>(clock_.get(), &warehouse_->reader(), stores_.graph.get(), feed_.get(), &caches_);
  }
  healer_ =
      std::make_unique<IndexHealer>(&feed_->applier, [this] { return RebuildIndexNow(); }, &upkeep_.own(), &metrics_);
  StartJobs();
  engines_.OpenIndex(&feed_->services);
  api_.Open({feed_->index.get(), &feed_->applier, trending_.get()});
  admin_.Open(
      {feed_->index.get(), &feed_->applier, desk_.get(), warehouse_ ? &warehouse_->filler() : nullptr, check_.get()});
}

void Node::StartWarehouse() {
  if (!warehouse_) return;
  warehouse_->Start();
  const auto stand_in = [this, end = std::optional<Position>(), is_done = false]() mutable {
    if (!is_done) is_done = LetWarehouseStandIn(&end);
  };
  jobs_.push_back(std::make_unique<PeriodicJob>("stand_in", kLookIntoWarehouseEvery, &metrics_, stand_in));
}

// Before it holds all that the index will boot with, its answers would lack what callers have seen. Where that ends is
// asked until the log answers. False: not yet.
bool Node::LetWarehouseStandIn(std::optional<Position>* end) try {
  if (!*end) *end = stores_.End();
  if (!Reached(**end, warehouse_->filler().position())) return false;
  engines_.LetWarehouseStandIn();
  return true;
} catch (const StoreError& error) {
  // That the log is away is said by whoever follows it.
  if (error.error().failure != Failure::kUnavailable) throw;
  return false;
}

std::unique_ptr<CheckDesk> Node::MakeCheckDesk() {
  CheckSubjects subjects;
  subjects.clock = clock_.get();
  subjects.changes = stores_.SideChanges();
  subjects.events = stores_.events.get();
  subjects.generation = stores_.graph->Generation();
  subjects.olap = &warehouse_->writer();
  subjects.sink = &warehouse_->filler();
  subjects.index = feed_->index.get();
  subjects.rebuild_index = [this] { return RebuildIndexNow(); };
  subjects.prepare = [this] { FollowPurges(); };
  return std::make_unique<CheckDesk>(std::move(subjects), &upkeep_, &metrics_);
}

Status Node::RebuildIndexNow() {
  // From the tables where that can be, so that no error of the warehouse comes along.
  BootSources sources = stores_.SideSources();
  if (!HeldBy(sources.events).totals) sources = WithWarehouse(sources);
  const auto is_stopping = [this] { return stopping_.load(); };
  if (Status built = RebuildIndex(sources, clock_->Now(), feed_->index.get(), is_stopping); !built) return built;
  const Result<Position> saved = SaveSnapshotNow();
  if (!saved) return tl::unexpected<Error>(saved.error());
  return {};
}

BootSources Node::WithWarehouse(BootSources sources) const {
  if (warehouse_) sources.warehouse = warehouse_->AsBootSource();
  return sources;
}

void Node::ReportBoot(const BootedIndex& booted) {
  for (const PassedOver& passed : booted.passed_over) {
    Log(LevelOf(passed), passed.code == kBootMismatch ? kBootMismatch : "index_boot_passed_over",
        {{"source", std::string(BootSourceName(passed.source))}, {"code", passed.code}, {"reason", passed.reason}});
  }
  const std::string source(BootSourceName(booted.source));
  const std::string code = booted.passed_over.empty() ? "" : booted.passed_over.back().code;
  metrics_
      .AddCounter("novafeed_index_boots_total",
                  "Times the index came to life, from what, and why not from what comes before that.",
                  {{"source", source}, {"reason", code}})
      .Add();
  Log(LogLevel::kInfo, "index_booted", {{"source", source}, {"code", code}});
}

std::unique_ptr<ErasureConsumer> Node::MakeWarehouseErasure() {
  if (warehouse_) {
    auto erasure = std::make_unique<WarehouseErasure>(&warehouse_->filler(), &warehouse_->writer(),
                                                      [this] { upkeep_.RequireHeld(); });
    if (stores_.purges != nullptr) shared_warehouse_ = erasure.get();
    return erasure;
  }
  return std::make_unique<IdleWarehouseErasure>(OlapDirectory(directory_.path()));
}

void Node::StartJobs() {
  const auto start = [this](const char* name, std::chrono::milliseconds interval, std::function<void()> job) {
    jobs_.push_back(std::make_unique<PeriodicJob>(name, interval, &metrics_, std::move(job)));
  };
  start("trending", settings_.Duration("trending.refresh_every"), [this] { feed_->trending.Refresh(); });
  start("hot_posts", settings_.Duration("hot_posts.refresh_every"), WhereItLeads([this] { RefreshHotPosts(); }));
  if (viewer_jobs_) {
    start("warmer", settings_.Duration("warmer.every"), WhereItLeads([this] {
            if (warehouse_feed_->feeds.HasData()) viewer_jobs_->WarmPages();
          }));
    start("suggestions", settings_.Duration("suggestions.refresh_every"), WhereItLeads([this] {
            if (warehouse_feed_->feeds.HasData()) viewer_jobs_->RefreshSuggestions();
          }));
  }
  start("snapshot", settings_.Duration("index.snapshot_every"), [this] { SaveSnapshotIfChanged(); });
  start("forget", kForgetEvery, [this] { ForgetOld(); });
  start("erase", kRemoveEvery, [this] { RemoveErasedUsers(); });
  start("purge", std::min(kLookForPurgeEvery, settings_.Duration("erase.purge_every")),
        WhereItLeads([this] { PurgeIfDue(); }));
  if (purge_follower_) {
    start("purge_again", settings_.Duration("erase.purge_every"), WhereItLeads([this] { Purge(); }));
    start("follow_purges", kFollowPurgesEvery, [this] {
      // A check compares with the journal, and follows them itself before that.
      const std::unique_lock lock(upkeep_.own(), std::try_to_lock);
      if (lock) FollowPurges();
    });
  }
  start("heal", kHealEvery, [this] { healer_->Run(); });
  if (stores_.dead_letters) start("dead_letters", kKeepDeadLettersEvery, [this] { KeepDeadLetters(); });
  start("lag", kReportLagEvery, [this] { ReportLags(); });
  const std::chrono::milliseconds check_every = settings_.Duration("check.every");
  if (check_ && check_every.count() > 0) {
    start("check", check_every, WhereItLeads([this] { check_->RunByItself(); }));
  }
}

// What one process does for all that share the stores.
std::function<void()> Node::WhereItLeads(std::function<void()> job) const {
  return [this, job = std::move(job)] {
    if (stores_.leader->Leads()) job();
  };
}

// Whether its answers are as fresh as any answer has to be.
bool Node::WarehouseIsCurrent() const {
  return warehouse_ && clock_->Now() - warehouse_->filler().CountersAsOf() <= kStaleAfter;
}

std::vector<CandidateEngine*> Node::HotPostsEngines() const {
  if (WarehouseIsCurrent()) return {&warehouse_feed_->engine, &feed_->engine};
  return {&feed_->engine};
}

void Node::RefreshHotPosts() {
  const Result<TrendingList> list = hot_posts_->Refresh();
  if (!list) throw std::runtime_error(list.error().detail);
  if (!WarehouseIsCurrent()) return;
  OlapCall call;
  call.deadline = kHotPostsDeadline;
  const OlapParams as_of{{"as_of", std::to_string(list->as_of)}};
  if (Status kept = warehouse_->writer().Execute(WarehouseSql("hot_posts"), as_of, call); !kept) {
    throw std::runtime_error(kept.error().detail);
  }
}

// What this node could not read is in its box; what the warehouse could not read, in a table of it.
void Node::KeepDeadLetters() {
  const bool leads = stores_.leader->Leads();
  if (leads && ingest_errors_) TakeIngestErrors();
  try {
    stores_.dead_letters->Step(leads);
  } catch (const StoreError& error) {
    // They wait; that Kafka is away is said by whoever reads it.
    if (error.error().failure != Failure::kUnavailable) throw;
  }
}

void Node::TakeIngestErrors() {
  const Result<std::vector<DeadLetter>> broken = ingest_errors_->ReadNew(kIngestErrorsAtOnce);
  if (!broken) {
    // An engine that is away, or has no tables yet, is a matter of what fills it.
    Log(LogLevel::kDebug, "ingest_errors_not_read", {{"code", broken.error().code}});
    return;
  }
  for (const DeadLetter& letter : *broken) stores_.dead_letters->Put(letter);
}

void Node::ReportLags() {
  feed_->applier.ReportLag();
  if (warehouse_) warehouse_->filler().ReportLag();
}

void Node::Stop() {
  Quiesce(settings_.Duration("serve.drain_grace"));
  if (feed_) SaveSnapshotIfChanged();
}

void Node::Quiesce(std::chrono::milliseconds grace) {
  // Both at once, so that they share one deadline.
  std::thread admin_drain([this, grace] { admin_server_.Drain(grace); });
  public_server_.Drain(grace);
  admin_drain.join();
  if (eraser_) eraser_->Stop();
  upkeep_.Stop();
  if (check_) check_->Stop();
  // First, so that the jobs that wait for them, or build an index, end.
  stopping_ = true;
  if (warehouse_) warehouse_->Stop();
  if (feed_) feed_->applier.Stop();
  jobs_.clear();
  io_.Stop();
  // What outlasted the grace may still run there, on what is destroyed next.
  readers_.Stop();
  admin_workers_.Stop();
  warehouse_pages_.Stop();
  rank_builder_.Stop();
  checkers_.Stop();
}

std::string Node::UserToken(UserId user) const {
  return SignToken(keys_, user, Scope::kUser, clock_->Now(), kTokenLife);
}

std::string Node::ServiceToken() const {
  return SignToken(keys_, UserId{}, Scope::kService, clock_->Now(), kTokenLife);
}

Status Node::MoveClock(TimeMs now) {
  const std::scoped_lock lock(clock_mutex_);
  if (now < test_clock_->Now() || now >= kMaxTime) {
    return Fail(Failure::kUnprocessable, "bad_time", "The test clock only moves forward, to a time before 2101.");
  }
  test_clock_->Set(now);
  feed_->applier.Wake();
  Announce();
  return {};
}

Result<Position> Node::SaveSnapshotNow() {
  const std::scoped_lock lock(snapshot_mutex_);
  Result<Position> saved = SaveSnapshot(*feed_->index, directory_.SnapshotPath());
  if (saved) {
    saved_ = *saved;
  } else {
    snapshot_failures_.Add();
    Log(LogLevel::kError, "snapshot_failed", {{"reason", saved.error().detail}});
  }
  return saved;
}

void Node::SaveSnapshotIfChanged() {
  const auto is_saved = [this] {
    const std::scoped_lock lock(snapshot_mutex_);
    return saved_ == feed_->index->position();
  };
  if (!is_saved()) static_cast<void>(SaveSnapshotNow());  // it says itself where it failed; the next run tries again
}

void Node::RemoveErasedUsers() {
  if (stores_.leader->Leads()) eraser_->Remove();
  const Status listed = stores_.erased->Add(stores_.graph->ReadErasures());
  if (!listed) throw StoreError(listed.error());
}

void Node::PurgeIfDue() {
  const TimeMs erased_by = clock_->Now() - settings_.Duration("erase.purge_every").count();
  if (eraser_->IsPurgeDue(erased_by)) static_cast<void>(Purge());
}

PurgeReport Node::Purge() {
  const std::scoped_lock lock(upkeep_);
  const PurgeReport report = eraser_->Purge();
  FollowPurges();
  PurgeWhatCameAgain();
  return report;
}

// Topics name purged users until their retention is over: who lands a part of them once more lands the names.
void Node::PurgeWhatCameAgain() {
  if (shared_warehouse_ == nullptr) return;
  const std::vector<PurgedUser> purged = stores_.purges->ReadPurged(0);
  if (purged.empty()) return;
  upkeep_.RequireHeld();
  if (const Status hidden = shared_warehouse_->HidePurged(purged); !hidden) throw StoreError(hidden.error());
}

// Under `upkeep_`, or that of this process.
void Node::FollowPurges() {
  if (purge_follower_) purge_follower_->Follow();
}

std::unique_ptr<PurgeFollower> Node::MakePurgeFollower() {
  if (stores_.purges == nullptr) return nullptr;
  PurgedNode node;
  node.hide_in_journal = stores_.hide_in_journal;
  node.end = [this] { return stores_.End(); };
  node.consumers = {{index_erasure_.get(), [index = index_erasure_.get()] { return index->Users(); }},
                    {desk_.get(), nullptr}};
  node.list = stores_.erased.get();
  return std::make_unique<PurgeFollower>(stores_.purges, std::move(node), directory_.path() + "/purged");
}

// A restart reads the snapshot and the log after it, so only what the snapshot holds may go; and what the warehouse has
// not applied must stay as well.
Position Node::AppliedByAll() {
  Position applied;
  {
    const std::scoped_lock lock(snapshot_mutex_);
    applied = saved_;
  }
  if (warehouse_) {
    const Position filled = warehouse_->filler().position();
    applied.changes = std::min(applied.changes, filled.changes);
    applied.events = Least(applied.events, filled.events);
  }
  return applied;
}

void Node::ForgetOld() {
  const std::scoped_lock lock(upkeep_.own());  // a check compares with what the log holds
  const Position applied = AppliedByAll();
  // A shorter time is for a log whose events the warehouse has; where its engine is missing, nothing has them.
  const auto keep = warehouse_ ? stores_.keep_events
                               : std::max<std::chrono::milliseconds>(stores_.keep_events, kKeptWithoutWarehouse);
  const TimeMs before = clock_->Now() - keep.count();
  const std::int64_t events = stores_.events->Forget(before, applied.events);
  const std::int64_t changes = stores_.change_log ? stores_.change_log->ForgetChanges(before, applied.changes) : 0;
  if (stores_.leader->Leads()) {
    stores_.graph->ForgetOldEvents();
    if (stores_.purges != nullptr) stores_.purges->ForgetPurged(clock_->Now() - kKeepPurged);
  }
  if (events + changes > 0) Log(LogLevel::kInfo, "log_forgotten", {{"events", events}, {"changes", changes}});
}

}  // namespace novafeed
