#include <fstream>
#include <functional>
#include <future>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "access/tokens.h"
#include "app/admin_client.h"
#include "app/build_embedded.h"
#include "app/commands.h"
#include "app/data_directory.h"
#include "app/feed_stack.h"
#include "app/progress_line.h"
#include "app/rank_desk.h"
#include "app/warehouse_stack.h"

namespace novafeed {
namespace {

// Longer than any list of viewers takes.
constexpr TimeMs kOwnTokenLife = kMsPerDay;

constexpr std::int64_t kShowFillingEveryMs = 500;

// Gives the JSON of one ranking.
using AskRanking = std::function<Result<std::string>(const RankRequest&)>;

Result<std::vector<UserId>> ReadUsers(const RankFlags& flags) {
  std::vector<std::string> texts = flags.users;
  if (!flags.users_file.empty()) {
    std::ifstream file(flags.users_file);
    if (!file) {
      return Fail(Failure::kInvalid, "bad_users_file",
                  flags.users_file + " cannot be read: check the path of --users.");
    }
    for (std::string line; std::getline(file, line);) {
      if (!line.empty()) texts.push_back(std::move(line));
    }
  }
  if (texts.empty()) return Fail(Failure::kInvalid, "no_user", "Name a viewer with --user, or several with --users.");

  std::vector<UserId> users;
  users.reserve(texts.size());
  for (const std::string& text : texts) {
    const std::optional<ParsedId> id = ParseApiId(IdKind::kUser, text);
    if (!id)
      return Fail(Failure::kInvalid, "bad_id", "\"" + text + "\" is no user id: write a UUID or ext:<your own id>.");
    users.push_back(UserId{id->id});
  }
  return users;
}

Result<int> PrintRankings(const std::vector<UserId>& users, const RankFlags& flags, RankEngine engine, TimeMs now,
                          const AskRanking& rank) {
  for (const UserId& user : users) {
    const Result<std::string> ranking = rank({user, flags.as_of.value_or(now), flags.trending_as_of, engine});
    if (!ranking) return tl::unexpected<Error>(ranking.error());
    std::cout << *ranking << "\n";
  }
  return kExitOk;
}

std::string RankTarget(const RankRequest& request) {
  std::string target = "/admin/rank?user=" + request.viewer.ToString();
  if (request.as_of) target += "&as_of=" + std::to_string(*request.as_of);
  if (request.trending_as_of) target += "&trending_as_of=" + std::to_string(*request.trending_as_of);
  if (request.engine == RankEngine::kWarehouse) target += "&engine=warehouse";
  return target;
}

Result<int> RankThroughServe(const std::vector<UserId>& users, const RankFlags& flags, RankEngine engine,
                             const std::string& directory, const ServeInfo& served) {
  const Result<KeyRing> keys = KeyRing::Open(directory);
  if (!keys) return tl::unexpected<Error>(keys.error());
  const TimeMs now = DirectoryNow(directory);
  Result<AdminClient> client =
      AdminClient::Connect(served.admin_url, SignToken(*keys, users.front(), Scope::kAdmin, now, kOwnTokenLife));
  if (!client) return tl::unexpected<Error>(client.error());
  const AskRanking rank = [&](const RankRequest& request) {
    return client->Send(Method::kGet, RankTarget(request), "");
  };
  return PrintRankings(users, flags, engine, now, rank);
}

bool AwaitApplied(LogProgress* progress, const Position& wanted, std::int64_t timeout_ms) {
  const auto reached = std::make_shared<std::promise<bool>>();
  progress->WaitFor(wanted, timeout_ms, [reached](bool done) { reached->set_value(done); });
  return reached->get_future().get();
}

// Waits until the warehouse holds the whole log, and says how far it is.
Status FillWarehouse(WarehouseStack* warehouse, EmbeddedStores* stores) {
  const Position end{stores->graph->Generation(), stores->changes->End(), stores->events->End()};
  WarehouseSink& sink = warehouse->sink();
  warehouse->Start();
  ProgressLine line;
  while (!AwaitApplied(&sink, end, kShowFillingEveryMs)) {
    const SinkStatus status = sink.status();
    if (status.phase == SinkPhase::kRefused) return Fail(Failure::kConflict, "warehouse_refused", status.reason);
    line.Show("filling the warehouse: " + std::to_string(status.entries_left) + " entries left " + status.reason);
  }
  return {};
}

Result<int> RankFromStores(const std::vector<UserId>& users, const RankFlags& flags, RankEngine engine,
                           const std::string& path, const Settings& settings) {
  const auto directory = DataDirectory::Lock(path, DataDirectory::Missing::kRefuse);
  if (!directory) return tl::unexpected<Error>(directory.error());
  const SystemClock clock;
  Metrics metrics;
  EmbeddedStores stores = OpenEmbeddedStores(path, settings, &clock, &metrics);
  std::unique_ptr<WarehouseStack> warehouse;
  std::unique_ptr<WarehouseFeedStack> feed;
  if (engine == RankEngine::kWarehouse) {
    // As with a held clock: what is older than this moment's windows is ranked, too, so nothing of it may go meanwhile.
    warehouse = WarehouseStack::Make(settings, &clock, true, &stores, &metrics);
    if (!warehouse) {
      return Fail(Failure::kInvalid, "bad_engine",
                  "There is no warehouse here: set warehouse.engine to chdb, and fetch its engine with "
                  "tools/libchdb/install.sh.");
    }
    if (const Status filled = FillWarehouse(warehouse.get(), &stores); !filled) {
      return tl::unexpected<Error>(filled.error());
    }
    feed = std::make_unique<WarehouseFeedStack>(&warehouse->reader(), &warehouse->sink(), stores.graph.get(),
                                                EngineOptions(settings), CursorCodec("", stores.graph->Generation()),
                                                &clock, &metrics);
  }
  const Ranker* ranker = feed ? &feed->ranker : nullptr;
  RankDesk desk(stores.Sources(), stores.graph.get(), nullptr, ranker, &clock, &metrics);
  const AskRanking rank = [&](const RankRequest& request) { return desk.Rank(request); };
  return PrintRankings(users, flags, engine, clock.Now(), rank);
}

}  // namespace

Result<int> RunRank(const RankFlags& flags) {
  const Result<RankEngine> engine = ParseRankEngine(flags.engine);
  if (!engine) return tl::unexpected<Error>(engine.error());
  const Result<std::vector<UserId>> users = ReadUsers(flags);
  if (!users) return tl::unexpected<Error>(users.error());
  const Result<Settings> settings = LoadSettings(flags.settings);
  if (!settings) return tl::unexpected<Error>(settings.error());
  const std::string& directory = settings->String("data.directory");
  const std::optional<ServeInfo> served = FindRunningServe(directory);
  return served ? RankThroughServe(*users, flags, *engine, directory, *served)
                : RankFromStores(*users, flags, *engine, directory, *settings);
}

}  // namespace novafeed
