#include "app/warehouse_stack.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "app/password_file.h"
#include "app/program_path.h"
#include "app/settings_table.h"
#include "base/log.h"
#include "warehouse/follower.h"
#include "warehouse/sink.h"

namespace novafeed {
namespace {

// What fills it writes batch by batch; check and erasure write now and then.
constexpr std::size_t kWriterConnections = 4;
constexpr std::chrono::seconds kStopWithin{5};
// How long a boot waits for the engine to start and its filling to hold still; the tables are there at once.
constexpr std::chrono::seconds kRestWithin{5};

std::unique_ptr<OlapProcess> StartProcess(const Settings& settings, bool clock_is_held, Metrics* metrics) {
  if (!settings.String("olap.url").empty()) return nullptr;
  OlapProcessOptions options = OlapProcessOptions::From(settings);
  if (clock_is_held) options.arguments.insert(options.arguments.end(), {"--set", "olap.ttl=false"});
  return std::make_unique<OlapProcess>(std::move(options), metrics);
}

// Its user and the file of its password, by the names of their settings.
std::unique_ptr<Olap> ConnectElsewhere(const Settings& settings, const std::string& user, std::size_t connections) {
  const std::string& file = settings.String(user == "olap.user" ? "olap.password_file" : "olap.reader_password_file");
  ClickHouseOptions options;
  options.max_connections = connections;
  options.ca_file = settings.String("olap.ca_file");
  return OpenClickHouse({settings.String("olap.url"), settings.String(user), ReadPasswordFile(file)}, options);
}

std::unique_ptr<Olap> ConnectToProcess(const OlapProcess* process, OlapUser OlapUsers::* user,
                                       std::size_t connections) {
  const auto locate = [process, user]() -> std::optional<ClickHouseEndpoint> {
    std::optional<OlapEndpoint> endpoint = process->Endpoint();
    if (!endpoint) return std::nullopt;
    OlapUser& who = endpoint->users.*user;
    return ClickHouseEndpoint{std::move(endpoint->url), std::move(who.name), std::move(who.password)};
  };
  ClickHouseOptions options;
  options.max_connections = connections;
  return OpenClickHouse(locate, options);
}

std::unique_ptr<Olap> ConnectWriter(const Settings& settings, const OlapProcess* process) {
  if (process == nullptr) return ConnectElsewhere(settings, "olap.user", kWriterConnections);
  return ConnectToProcess(process, &OlapUsers::writer, kWriterConnections);
}

std::unique_ptr<Olap> ConnectReader(const Settings& settings, const OlapProcess* process) {
  const auto connections = static_cast<std::size_t>(settings.Int("olap.connections"));
  if (process == nullptr) return ConnectElsewhere(settings, "olap.reader", connections);
  return ConnectToProcess(process, &OlapUsers::reader, connections);
}

// Where ClickHouse reads the log by itself, what goes after that.
std::unique_ptr<WarehouseFiller> MakeFiller(const Settings& settings, const Clock* clock, bool clock_is_held,
                                            Stores* stores, Olap* writer, Metrics* metrics) {
  if (stores->landing_topics) {
    WarehouseFollowerOptions options;
    options.settler.landing = stores->landing;
    options.settler.stop_ttl_merges = clock_is_held;
    options.refresh_every = settings.Duration("warehouse.refresh_every");
    return std::make_unique<WarehouseFollower>(
        clock, writer, stores->landing_topics.get(), stores->SideChanges(), stores->events.get(),
        stores->graph->Generation(), [leader = stores->leader.get()] { return leader->Term(); }, metrics,
        std::move(options));
  }
  WarehouseSinkOptions options;
  options.batch_rows = static_cast<std::size_t>(settings.Int("warehouse.batch_rows"));
  options.refresh_every = settings.Duration("warehouse.refresh_every");
  options.stop_ttl_merges = clock_is_held;
  return std::make_unique<WarehouseSink>(clock, writer, stores->changes.get(), stores->events.get(),
                                         stores->graph->Generation(), metrics, options);
}

}  // namespace

std::unique_ptr<WarehouseStack> WarehouseStack::Make(const Settings& settings, const Clock* clock, bool clock_is_held,
                                                     Stores* stores, Metrics* metrics) {
  const Gauge missing = metrics->AddGauge("novafeed_warehouse_missing",
                                          "1 where the warehouse is wanted and its engine is not installed.");
  missing.Set(0);
  if (settings.String("warehouse.engine") == kNoEngine) return nullptr;
  const std::string library = FromProgramFolder(settings.String("olap.library"));
  if (settings.String("olap.url").empty() && !std::filesystem::exists(library)) {
    missing.Set(1);
    Log(LogLevel::kWarn, "warehouse_missing",
        {{"library", library},
         {"what_to_do",
          "The warehouse is off: fetch its engine with tools/libchdb/install.sh, or name it in "
          "olap.library, and restart; or set warehouse.engine = \"off\"."}});
    return nullptr;
  }
  return std::unique_ptr<WarehouseStack>(new WarehouseStack(settings, clock, clock_is_held, stores, metrics));
}

WarehouseStack::WarehouseStack(const Settings& settings, const Clock* clock, bool clock_is_held, Stores* stores,
                               Metrics* metrics)
    : process_(StartProcess(settings, clock_is_held, metrics)),
      writer_(ConnectWriter(settings, process_.get())),
      reader_(ConnectReader(settings, process_.get())),
      filler_(MakeFiller(settings, clock, clock_is_held, stores, writer_.get(), metrics)) {}

WarehouseStack::~WarehouseStack() {
  Stop();
}

BootWarehouse WarehouseStack::AsBootSource() {
  BootWarehouse source;
  source.olap = reader_.get();
  source.cut = [filler = filler_.get()] { return CutAtRest(filler, kRestWithin); };
  source.sample.seed = std::random_device()();
  return source;
}

void WarehouseStack::Stop() {
  static_cast<void>(filler_->StopWithin(kStopWithin));
  if (process_) process_->Stop();  // whatever still waits for the engine is told that it is gone
  filler_->Stop();
}

}  // namespace novafeed
