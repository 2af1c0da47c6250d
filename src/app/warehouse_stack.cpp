#include "app/warehouse_stack.h"

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "app/program_path.h"
#include "app/settings_table.h"
#include "base/log.h"

namespace novafeed {
namespace {

// The sink writes batch by batch; check and erasure write now and then.
constexpr std::size_t kWriterConnections = 4;
constexpr std::chrono::seconds kStopWithin{5};

WarehouseSinkOptions SinkOptions(const Settings& settings, bool clock_is_held) {
  WarehouseSinkOptions options;
  options.batch_rows = static_cast<std::size_t>(settings.Int("warehouse.batch_rows"));
  options.refresh_every = settings.Duration("warehouse.refresh_every");
  options.stop_ttl_merges = clock_is_held;
  return options;
}

std::unique_ptr<OlapProcess> StartProcess(const Settings& settings, bool clock_is_held, Metrics* metrics) {
  OlapProcessOptions options = OlapProcessOptions::From(settings);
  if (clock_is_held) options.arguments.insert(options.arguments.end(), {"--set", "olap.ttl=false"});
  return std::make_unique<OlapProcess>(std::move(options), metrics);
}

std::unique_ptr<Olap> Connect(const OlapProcess* process, OlapUser OlapUsers::* user, std::size_t connections) {
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

}  // namespace

std::unique_ptr<WarehouseStack> WarehouseStack::Make(const Settings& settings, const Clock* clock, bool clock_is_held,
                                                     EmbeddedStores* stores, Metrics* metrics) {
  const Gauge missing = metrics->AddGauge("novafeed_warehouse_missing",
                                          "1 where the warehouse is wanted and its engine is not installed.");
  missing.Set(0);
  if (settings.String("warehouse.engine") == kNoEngine) return nullptr;
  const std::string library = FromProgramFolder(settings.String("olap.library"));
  if (!std::filesystem::exists(library)) {
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

WarehouseStack::WarehouseStack(const Settings& settings, const Clock* clock, bool clock_is_held, EmbeddedStores* stores,
                               Metrics* metrics)
    : process_(StartProcess(settings, clock_is_held, metrics)),
      writer_(Connect(process_.get(), &OlapUsers::writer, kWriterConnections)),
      reader_(Connect(process_.get(), &OlapUsers::reader, static_cast<std::size_t>(settings.Int("olap.connections")))),
      sink_(clock, writer_.get(), stores->changes.get(), stores->events.get(), stores->graph->Generation(), metrics,
            SinkOptions(settings, clock_is_held)) {}

WarehouseStack::~WarehouseStack() {
  Stop();
}

void WarehouseStack::Stop() {
  static_cast<void>(sink_.StopWithin(kStopWithin));
  process_->Stop();  // whatever still waits for the engine is told that it is gone
  sink_.Stop();
}

}  // namespace novafeed
