#include <unistd.h>

#include <future>
#include <iostream>
#include <string>
#include <utility>

#include "adapters/chdb/clickhouse_http.h"
#include "app/commands.h"
#include "app/data_directory.h"
#include "app/listen_address.h"
#include "app/olap_files.h"
#include "app/periodic_job.h"
#include "app/program_path.h"
#include "base/log.h"
#include "base/metrics.h"
#include "http/server.h"
#include "runtime/blocking_pool.h"
#include "runtime/io_threads.h"
#include "runtime/stop_signals.h"

namespace novafeed {
namespace {

constexpr std::chrono::seconds kMergeEvery{1};
constexpr std::size_t kIoThreads = 2;
constexpr std::size_t kQueue = 1000;
constexpr std::size_t kConnections = 1000;
constexpr std::size_t kMaxBody = 64UL << 20;
constexpr std::size_t kMaxHeader = 1UL << 20;  // a query may stand in the URL
constexpr std::size_t kHeldBodies = 256UL << 20;

HttpLimits Limits() {
  HttpLimits limits;
  limits.max_header_bytes = kMaxHeader;
  limits.max_body_bytes = kMaxBody;
  limits.max_unpacked_bytes = kMaxBody;
  limits.max_connections = kConnections;
  limits.body_budget = std::make_shared<ByteBudget>(kHeldBodies);
  return limits;
}

// Half of the memory for one query. An answer is held whole, up to four times while it grows, for several queries at a
// time: a sixteenth.
ClickHouseHttpOptions HttpOptions(const Settings& settings) {
  ClickHouseHttpOptions options;
  options.longest_wait = settings.Duration("olap.longest_wait");
  options.limits.max_memory_usage = settings.Size("olap.max_memory") / 2;
  options.limits.max_result_bytes = settings.Size("olap.max_memory") / 16;
  return options;
}

// The engine behind its listener, from ready to the signal.
class OlapServer {
 public:
  OlapServer(const Settings& settings, const DataDirectory& directory, const ChdbLibrary* library, OlapUsers users,
             const std::string& listen)
      : settings_(settings),
        directory_(directory),
        io_(kIoThreads),
        engine_(library, OptionsOfEngine()),
        pool_("olap", Connections(), kQueue, &metrics_),
        clickhouse_(&engine_, std::move(users), &pool_, HttpOptions(settings)),
        server_(io_.contexts(), listen, Limits(), clickhouse_.handler(), ClickHouseHttp::problem_maker(), &metrics_,
                "olap") {}

  void Start() {
    if (!settings_.Bool("olap.ttl")) KeepExpired();
    server_.Start();
    directory_.Announce({getpid(), url(), "", "", std::nullopt});
  }
  void Stop() {
    merging_.reset();
    directory_.Withdraw();
    server_.Drain(settings_.Duration("serve.drain_grace"));
    engine_.CancelAll();  // what has outlasted the grace
    io_.Stop();
    pool_.Stop();
  }
  std::string url() const { return "http://" + server_.address(); }

 private:
  // Once before anything is asked, then now and then.
  void KeepExpired() {
    const auto merge = [this] {
      if (const auto merged = engine_.MergeKeepingAll(); !merged) throw std::runtime_error(merged.error().text);
    };
    merge();
    merging_ = std::make_unique<PeriodicJob>("merge", kMergeEvery, &metrics_, merge);
  }

  EngineOptions OptionsOfEngine() const {
    EngineOptions options;
    options.directory = directory_.path();
    options.keeps_expired = !settings_.Bool("olap.ttl");
    options.max_memory = settings_.Size("olap.max_memory");
    options.idle_connections = Connections();
    return options;
  }

  std::size_t Connections() const { return static_cast<std::size_t>(settings_.Int("olap.connections")); }

  const Settings& settings_;
  const DataDirectory& directory_;
  Metrics metrics_;
  IoThreads io_;  // before all that runs, so that its contexts go last
  ChdbEngine engine_;
  BlockingPool pool_;
  ClickHouseHttp clickhouse_;
  HttpServer server_;
  std::unique_ptr<PeriodicJob> merging_;  // where expired rows are kept
};

}  // namespace

Result<int> RunOlap(const OlapFlags& flags) {
  const Result<Settings> settings = LoadSettings(flags.settings);
  if (!settings) return tl::unexpected<Error>(settings.error());
  const Result<LogLevel> level = LogLevelOf(*settings);
  if (!level) return tl::unexpected<Error>(level.error());
  if (!IsLoopback(flags.listen)) {
    return Fail(Failure::kInvalid, "public_address",
                "olap listens on this machine only, not on " + flags.listen + ": write 127.0.0.1:port.");
  }
  SetLogLevel(*level);
  KeepFilesPrivate();

  const std::string& data = settings->String("data.directory");
  const auto directory = DataDirectory::Lock(OlapDirectory(data), DataDirectory::Missing::kMake);
  if (!directory) return tl::unexpected<Error>(directory.error());
  Result<OlapUsers> users = OlapUsers::Open(data);
  if (!users) return tl::unexpected<Error>(users.error());
  std::promise<void> stop;
  const StopSignals signals([&stop] { stop.set_value(); });
  const Result<ChdbLibrary> library = ChdbLibrary::Load(FromProgramFolder(settings->String("olap.library")));
  if (!library) return tl::unexpected<Error>(library.error());

  OlapServer server(*settings, *directory, &*library, std::move(*users), flags.listen);
  server.Start();
  std::cout << "ready " << server.url() << "\n" << std::flush;
  stop.get_future().wait();
  server.Stop();
  return kExitOk;
}

}  // namespace novafeed
