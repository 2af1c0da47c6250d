#include <chrono>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "app/admin_client.h"
#include "app/commands.h"
#include "app/data_directory.h"
#include "app/feed_stack.h"
#include "app/own_warehouse.h"
#include "app/rank_desk.h"
#include "app/stores.h"

namespace novafeed {
namespace {

constexpr std::chrono::minutes kRankDeadline{1};  // of each query: no page waits for it

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
  Result<AdminClient> client = AdminClient::ToServe(directory, served);
  if (!client) return tl::unexpected<Error>(client.error());
  const AskRanking rank = [&](const RankRequest& request) {
    return client->Send(Method::kGet, RankTarget(request), "");
  };
  return PrintRankings(users, flags, engine, DirectoryNow(directory), rank);
}

// A warehouse of this command's own, and what ranks from it. In this order: the second uses the first.
struct OwnWarehouse {
  std::unique_ptr<WarehouseStack> stack;
  std::unique_ptr<WarehouseRankStack> ranking;
};

Result<OwnWarehouse> OpenWarehouse(const Settings& settings, Stores* stores, const Clock* clock, Metrics* metrics) {
  OwnWarehouse own;
  Result<std::unique_ptr<WarehouseStack>> opened =
      OpenOwnWarehouse(settings, clock, !settings.Bool("olap.ttl"), stores, metrics);
  if (!opened) return tl::unexpected<Error>(opened.error());
  own.stack = *std::move(opened);
  if (const Status filled = AwaitFilled(own.stack.get(), *stores); !filled) {
    return tl::unexpected<Error>(filled.error());
  }
  WarehouseEngineOptions patient;
  patient.source_deadline = patient.trending_deadline = kRankDeadline;
  own.ranking =
      std::make_unique<WarehouseRankStack>(&own.stack->reader(), &own.stack->filler(), patient, clock, metrics);
  return own;
}

Result<int> RankFromStores(const std::vector<UserId>& users, const RankFlags& flags, RankEngine engine,
                           const std::string& path, const Settings& settings) {
  const auto directory = DataDirectory::Lock(path, DataDirectory::Missing::kRefuse);
  if (!directory) return tl::unexpected<Error>(directory.error());
  const SystemClock clock;
  Metrics metrics;
  Stores stores = OpenStores(path, settings, &clock, &metrics);
  Result<OwnWarehouse> warehouse;
  if (engine == RankEngine::kWarehouse) warehouse = OpenWarehouse(settings, &stores, &clock, &metrics);
  if (!warehouse) return tl::unexpected<Error>(warehouse.error());
  const RankWarehouse ranker{warehouse->ranking ? &warehouse->ranking->ranker : nullptr, settings.Bool("olap.ttl")};
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
  KeepFilesPrivate();
  const Result<std::string> directory = FindDataDirectory(*settings);
  if (!directory) return tl::unexpected<Error>(directory.error());
  const std::optional<ServeInfo> served = FindRunningServe(*directory);
  return served ? RankThroughServe(*users, flags, *engine, *directory, *served)
                : RankFromStores(*users, flags, *engine, *directory, *settings);
}

}  // namespace novafeed
