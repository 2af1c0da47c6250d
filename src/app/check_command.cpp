#include <boost/json.hpp>
#include <chrono>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "app/admin_client.h"
#include "app/check_desk.h"
#include "app/commands.h"
#include "app/data_directory.h"
#include "app/index_erasure.h"
#include "app/own_warehouse.h"
#include "app/progress_line.h"
#include "app/stores.h"
#include "base/json.h"
#include "base/log.h"
#include "base/time.h"
#include "capture/purged_names.h"
#include "check/truth.h"
#include "index/snapshot.h"

namespace novafeed {
namespace {

namespace json = boost::json;

// Gives the JSON of one check (check/report.h).
using Checker = std::function<Result<std::string>()>;

// -------------------------------------------------------------------------------------------------------------
// printing

std::string TextAt(const json::object& object, std::string_view name) {
  return std::string(object.at(name).as_string());
}

std::int64_t CountAt(const json::object& object, std::string_view name) {
  return object.at(name).to_number<std::int64_t>();
}

// "1 difference", "2 differences".
std::string Counted(std::int64_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

void PrintTable(const json::object& table) {
  std::cout << "  " << TextAt(table, "name") << ": " << CountAt(table, "compared") << " compared";
  for (const std::string_view kind : {"missing", "extra", "different", "ahead"}) {
    if (const std::int64_t count = CountAt(table, kind); count > 0) std::cout << ", " << count << " " << kind;
  }
  if (const json::value* failure = table.if_contains("failure")) {
    std::cout << ", not to be compared: " << std::string_view(failure->as_string());
  }
  std::cout << "\n";
  for (const json::value& entry : table.at("examples").as_array()) {
    const json::object& example = entry.as_object();
    const std::string detail = TextAt(example, "detail");
    std::cout << "    " << TextAt(example, "kind") << " " << TextAt(example, "key")
              << (detail.empty() ? "" : ": " + detail) << "\n";
  }
}

void PrintDifferences(const json::object& report) {
  for (const json::value& entry : report.at("schema").as_array()) {
    const json::object& difference = entry.as_object();
    std::cout << "  schema: " << TextAt(difference, "kind") << " " << TextAt(difference, "object") << ": "
              << TextAt(difference, "detail") << "\n";
  }
  for (const json::value& entry : report.at("tables").as_array()) {
    const json::object& table = entry.as_object();
    if (!table.at("agrees").as_bool()) PrintTable(table);
  }
}

void PrintReport(const json::object& report, bool agrees) {
  const json::object& position = report.at("position").as_object();
  std::cout << (agrees ? "agree" : "differ") << " at change " << CountAt(position, "changes") << ", event "
            << CountAt(position, "events");
  if (!agrees) std::cout << ": " << Counted(CountAt(report, "differences"), "difference");
  if (const std::int64_t broken = CountAt(report, "broken_messages"); broken > 0) {
    std::cout << " (" << Counted(broken, "broken message") << " in ingest_errors)";
  }
  std::cout << "\n";
  if (const json::value& from = report.at("events_from"); !from.is_null()) {
    std::cout << "  events before " << FormatRfc3339(from.to_number<std::int64_t>())
              << " are in the log no more: what is counted of them was compared between the warehouse and the index\n";
  }
  PrintDifferences(report);
}

// True where all agree, after the repair if there was one.
bool Print(const std::string& text, bool as_json) {
  const json::value parsed = json::parse(text);
  const json::object& outcome = parsed.as_object();
  const bool agrees = outcome.at("agree").as_bool();
  if (as_json) {
    std::cout << text << std::endl;
    return agrees;
  }
  const json::value* after = outcome.if_contains("after");
  PrintReport(outcome, agrees && after == nullptr);
  for (const json::value& line : outcome.at("mended").as_array()) {
    std::cout << "mended " << std::string_view(line.as_string()) << "\n";
  }
  if (after != nullptr) PrintReport(after->as_object(), agrees);
  std::cout << std::flush;
  return agrees;
}

// --------------------------------------------------------------------------------------------------------------
// running

Result<int> CheckOnce(const CheckFlags& flags, const Checker& check) {
  const Result<std::string> text = check();
  if (!text) return tl::unexpected<Error>(text.error());
  return Print(*text, flags.json) ? kExitOk : kExitFailed;
}

Result<int> CheckThroughServe(const CheckFlags& flags, const std::string& directory, const ServeInfo& served,
                              std::chrono::milliseconds pause) {
  const std::string target = std::string("/admin/check") + (flags.repair ? "?repair=1" : "");
  const Checker check = [&]() -> Result<std::string> {
    Result<AdminClient> client = AdminClient::ToServe(directory, served);
    if (!client) return tl::unexpected<Error>(client.error());
    return client->Send(Method::kPost, target, "");
  };
  Result<int> status = CheckOnce(flags, check);
  while (status && flags.watch) {
    std::this_thread::sleep_for(pause);
    status = CheckOnce(flags, check);
  }
  return status;
}

// All that a check of a stopped directory needs, in the order in which it is made.
class StoppedNode {
 public:
  StoppedNode(const std::string& path, const Settings& settings)
      : settings_(settings), stores_(OpenStores(path, settings, &clock_, &metrics_)) {}

  Result<CheckOutcome> Check(const DataDirectory& directory, const CheckOptions& options) {
    Result<std::unique_ptr<WarehouseStack>> opened = OpenOwnWarehouse(settings_, &clock_, false, &stores_, &metrics_);
    if (!opened) return tl::unexpected<Error>(opened.error());
    warehouse_ = *std::move(opened);
    ProgressLine line;
    const BootProgress booting = [&](std::string_view stage, std::int64_t entries) {
      line.Show("reading " + std::string(stage) + ": " + std::to_string(entries) + " entries");
    };
    const std::string snapshot = directory.SnapshotPath();
    // The warehouse first: where the log does not know all events, it is what an index comes from.
    if (const Status filled = AwaitFilled(warehouse_.get(), stores_); !filled) {
      return tl::unexpected<Error>(filled.error());
    }
    BootSources sources = stores_.Sources();
    if (!HeldBy(stores_.events.get()).totals) sources.warehouse = warehouse_->AsBootSource();
    const std::vector<PurgedUser> purged = HidePurgedInJournal();
    index_ = std::move(BootIndex(sources, snapshot, clock_.Now(), booting).index);
    for (const Erasure& erasure : PurgedNames(purged).Among(UsersOf(*index_))) {
      index_->Rename(erasure.user, erasure.pseudonym);
    }
    CheckSubjects subjects;
    subjects.clock = &clock_;
    subjects.changes = stores_.changes.get();
    subjects.events = stores_.events.get();
    subjects.generation = stores_.graph->Generation();
    subjects.olap = &warehouse_->writer();
    subjects.sink = &warehouse_->filler();
    subjects.index = index_.get();
    subjects.rebuild_index = [&]() -> Status {
      if (Status built = RebuildIndex(sources, clock_.Now(), index_.get()); !built) return built;
      const Result<Position> saved = SaveSnapshot(*index_, snapshot);
      if (!saved) return tl::unexpected<Error>(saved.error());
      return {};
    };
    CheckDesk desk(std::move(subjects), &upkeep_, &metrics_);
    return desk.Run(options, [&line](std::string_view step) { line.Show(std::string(step)); });
  }

 private:
  // What other processes have purged since this one stopped.
  std::vector<PurgedUser> HidePurgedInJournal() {
    if (stores_.purges == nullptr) return {};
    std::vector<PurgedUser> purged = stores_.purges->ReadPurged(0);
    stores_.hide_in_journal(purged);
    return purged;
  }

  const Settings& settings_;
  const SystemClock clock_;
  Metrics metrics_;
  Stores stores_;
  Upkeep upkeep_{stores_.leases, &metrics_};
  std::unique_ptr<FeedIndex> index_;
  std::unique_ptr<WarehouseStack> warehouse_;
};

Result<int> CheckStopped(const CheckFlags& flags, const std::string& path, const Settings& settings) {
  if (flags.watch) {
    return Fail(Failure::kInvalid, "not_served",
                "--watch is for a running server, and none serves " + path + ": start it, or leave --watch out.");
  }
  const auto directory = DataDirectory::Lock(path, DataDirectory::Missing::kRefuse);
  if (!directory) return tl::unexpected<Error>(directory.error());
  StoppedNode node(path, settings);
  CheckOptions options;
  options.repair = flags.repair;
  const Checker check = [&]() -> Result<std::string> {
    const Result<CheckOutcome> outcome = node.Check(*directory, options);
    if (!outcome) return tl::unexpected<Error>(outcome.error());
    return RenderJson(*outcome);
  };
  return CheckOnce(flags, check);
}

}  // namespace

Result<int> RunCheck(const CheckFlags& flags) {
  const Result<Settings> settings = LoadSettings(flags.settings);
  if (!settings) return tl::unexpected<Error>(settings.error());
  SetLogLevel(LogLevel::kWarn);
  KeepFilesPrivate();
  const Result<std::string> directory = FindDataDirectory(*settings);
  if (!directory) return tl::unexpected<Error>(directory.error());
  const std::optional<ServeInfo> served = FindRunningServe(*directory);
  return served ? CheckThroughServe(flags, *directory, *served, settings->Duration("check.watch_every"))
                : CheckStopped(flags, *directory, *settings);
}

}  // namespace novafeed
