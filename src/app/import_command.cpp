#include <algorithm>
#include <atomic>
#include <iostream>
#include <string>

#include "app/admin_client.h"
#include "app/build_embedded.h"
#include "app/commands.h"
#include "app/data_directory.h"
#include "app/progress_line.h"
#include "import/importer.h"
#include "runtime/stop_signals.h"

namespace novafeed {
namespace {

void PrintCounts(const ImportCounts& counts) {
  for (std::size_t type = 0; type < kActionTypes; ++type) {
    std::string line;
    for (std::size_t outcome = 0; outcome < kOutcomes; ++outcome) {
      const std::int64_t count = counts.At(static_cast<ActionType>(type), static_cast<Outcome>(outcome));
      if (count == 0) continue;
      line += (line.empty() ? "" : ", ") + std::to_string(count) + " " +
              std::string(OutcomeName(static_cast<Outcome>(outcome)));
    }
    if (!line.empty()) std::cout << "  " << ActionTypeName(static_cast<ActionType>(type)) << ": " << line << "\n";
  }
}

void PrintFile(const ImportedFile& file) {
  std::cout << file.name << ": " << file.lines << " lines";
  if (file.lines_before > 0) std::cout << " (" << file.lines_before << " were imported before)";
  if (file.lines == 0 && file.lines_before > 0) std::cout << ", nothing to do";
  if (file.shift != 0) std::cout << ", all times moved by " << file.shift << " ms";
  std::cout << "\n";
}

Result<int> Conclude(const ImportResult& result) {
  for (const std::string& warning : result.warnings) std::cerr << "warning: " << warning << "\n";
  for (const ImportedFile& file : result.files) PrintFile(file);
  PrintCounts(result.counts);
  if (result.error) return tl::unexpected<Error>(*result.error);
  if (result.stopped) {
    return Fail(Failure::kUnavailable, "stopped", "The import was stopped: the same command goes on where it was.");
  }
  return result.counts.Total(Outcome::kBad) > 0 ? kExitBadLines : kExitOk;
}

Result<ImportResult> ImportIntoDirectory(ImportOptions options, const SettingFlags& flags) {
  const Result<Settings> settings = LoadSettings(flags);
  if (!settings) return tl::unexpected<Error>(settings.error());
  const auto directory = DataDirectory::Lock(settings->String("data.directory"), DataDirectory::Missing::kMake);
  if (!directory) return tl::unexpected<Error>(directory.error());
  const SystemClock clock;
  Metrics metrics;
  EmbeddedStores stores = OpenEmbeddedStores(directory->path(), *settings, &clock, &metrics);
  stores.graph->SetBulkMode(true);
  return RunLocalImport(options, stores.graph.get(), stores.events.get());
}

Result<ImportResult> ImportThroughServer(const ImportOptions& options, const std::string& url,
                                         const std::string& token) {
  if (token.empty()) {
    return Fail(Failure::kInvalid, "no_token", "--url needs a token of admin scope: give it with --token.");
  }
  Result<AdminClient> client = AdminClient::Connect(url, token);
  if (!client) return tl::unexpected<Error>(client.error());
  return RunRemoteImport(options, [&](std::string body) { return client->Send(Method::kPost, "/admin/import", body); });
}

}  // namespace

Result<int> RunImport(const ImportFlags& flags) {
  std::atomic<bool> stop{false};
  const StopSignals signals([&stop] { stop.store(true); });
  ImportProgressView view;
  ImportOptions options;
  options.files = flags.files;
  options.shift_to_now = flags.shift_to_now;
  options.dry_run = flags.dry_run;
  options.bad_file = flags.bad_file;
  options.now = SystemClock().Now();
  options.stop = &stop;
  options.progress = [&view](const ImportProgress& progress) { view.Show(progress); };

  const Result<ImportResult> result = flags.url.empty() ? ImportIntoDirectory(options, flags.settings)
                                                        : ImportThroughServer(options, flags.url, flags.token);
  view.End();
  if (!result) return tl::unexpected<Error>(result.error());
  return Conclude(*result);
}

}  // namespace novafeed
