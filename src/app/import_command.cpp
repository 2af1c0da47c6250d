#include <atomic>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <utility>

#include "app/admin_client.h"
#include "app/commands.h"
#include "app/data_directory.h"
#include "app/progress_line.h"
#include "app/scratch_directory.h"
#include "app/stores.h"
#include "import/importer.h"
#include "import/progress.h"
#include "runtime/stop_signals.h"

namespace novafeed {
namespace {

TimeMs SteadyNow() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

// Shows how far the import is, now and then.
class ProgressView {
 public:
  void Show(const ImportProgress& progress) {
    if (const auto due = lines_.Next(progress, SteadyNow())) line_.Print(*due);
  }
  void ShowLast(const std::string& text) { line_.Show(text); }

 private:
  ProgressLine line_;
  ImportProgressLines lines_{SteadyNow(), line_.is_terminal()};
};

Result<int> Conclude(const ImportResult& result, const ImportFlags& flags) {
  const bool dry_run = flags.dry_run;
  for (const std::string& warning : result.warnings) std::cerr << "warning: " << warning << "\n";
  std::cout << FormatImportSummary(result, dry_run) << std::flush;
  if (flags.bad_file.empty()) std::cerr << FormatBadLines(result, dry_run);
  if (result.error) return tl::unexpected<Error>(*result.error);
  if (result.stopped) {
    return Fail(
        Failure::kUnavailable, "stopped",
        dry_run ? "The dry run was stopped." : "The import was stopped: the same command goes on where it was.");
  }
  return result.HasRejected() ? kExitBadLines : kExitOk;
}

// However the import ends, the lists of what is there have their indexes. Where the store itself throws, its next start
// makes them.
ImportResult ImportInBulk(const ImportOptions& options, Stores& stores, ProgressView& view) {
  stores.graph->SetBulkMode(true);
  ImportResult result = RunLocalImport(options, stores.graph.get(), stores.events.get());
  view.ShowLast("making indexes");
  try {
    stores.graph->SetBulkMode(false);
  } catch (const StoreError& failed) {
    if (!result.error) result.error = failed.error();
  }
  return result;
}

Error WithWayThroughServer(Error error, const std::string& path) {
  if (const std::optional<ServeInfo> served = FindRunningServe(path)) {
    error.detail += " Or import through it: --url " + served->url + " in place of --data, with a token of admin scope.";
  }
  return error;
}

Result<ImportResult> ImportIntoDirectory(const ImportOptions& options, const SettingFlags& flags, ProgressView& view) {
  const Result<Settings> settings = LoadSettings(flags);
  if (!settings) return tl::unexpected<Error>(settings.error());
  if (const Status own = RequireOwnStores(*settings); !own) return tl::unexpected<Error>(own.error());
  const Result<std::string> named = FindDataDirectory(*settings);
  if (!named) return tl::unexpected<Error>(named.error());
  std::string path = *named;
  std::optional<ScratchDirectory> scratch;  // for a dry run where there is no data yet
  if (options.dry_run && !std::filesystem::exists(path)) path = scratch.emplace().path();
  const auto directory = DataDirectory::Lock(path, DataDirectory::Missing::kMake);
  if (!directory) return tl::unexpected<Error>(WithWayThroughServer(directory.error(), path));
  const SystemClock clock;
  Metrics metrics;
  Stores stores = OpenStores(directory->path(), *settings, &clock, &metrics);
  if (options.dry_run) return RunLocalImport(options, stores.graph.get(), stores.events.get());
  return ImportInBulk(options, stores, view);
}

Result<ImportResult> ImportThroughServer(const ImportOptions& options, const std::string& url,
                                         const std::string& token) {
  if (token.empty()) {
    return Fail(Failure::kInvalid, "no_token",
                "--url needs a token of admin scope: in the environment as NOVAFEED_TOKEN, or with --token.");
  }
  Result<AdminClient> client = AdminClient::Connect(url, token);
  if (!client) return tl::unexpected<Error>(client.error());
  return RunRemoteImport(options, [&](std::string body) { return client->Send(Method::kPost, "/admin/import", body); });
}

Result<ImportResult> RunWithProgress(const ImportFlags& flags, ImportOptions options) {
  ProgressView view;
  options.progress = [&view](const ImportProgress& progress) { view.Show(progress); };
  return flags.url.empty() ? ImportIntoDirectory(options, flags.settings, view)
                           : ImportThroughServer(options, flags.url, flags.token);
}

}  // namespace

Result<int> RunImport(const ImportFlags& flags) {
  KeepFilesPrivate();
  std::atomic<bool> stop{false};
  const StopSignals signals([&stop] { stop.store(true); });
  ImportOptions options;
  options.files = flags.files;
  options.shift_to_now = flags.shift_to_now;
  options.dry_run = flags.dry_run;
  options.bad_file = flags.bad_file;
  options.now = SystemClock().Now();
  options.stop = &stop;

  const Result<ImportResult> result = RunWithProgress(flags, std::move(options));
  if (!result) return tl::unexpected<Error>(result.error());
  return Conclude(*result, flags);
}

}  // namespace novafeed
