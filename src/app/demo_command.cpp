#include <boost/json/value.hpp>
#include <chrono>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <utility>

#include "app/admin_client.h"
#include "app/commands.h"
#include "app/data_directory.h"
#include "app/demo_data.h"
#include "app/live_driver.h"
#include "app/progress_line.h"
#include "app/scratch_directory.h"
#include "app/stores.h"
#include "base/json.h"
#include "demo/demo_network.h"
#include "demo/import_line.h"
#include "http/client.h"
#include "runtime/stop_signals.h"

namespace novafeed {
namespace {

std::string Describe(const DemoOptions& options) {
  return "the demo network of seed " + std::to_string(options.seed) + ": " + std::to_string(options.users) +
         " people, " + std::to_string(options.posts) + " posts, as of " + FormatRfc3339(options.now);
}

DemoOptions Wanted(const DemoFlags& flags) {
  return DemoOptionsFor(flags.seed, flags.users, flags.as_of.value_or(SystemClock().Now()));
}

// As NDJSON; `path` "-" is standard output.
Status WriteLines(const DemoOptions& options, const std::string& path) {
  std::ofstream file;
  if (path != "-") file.open(path, std::ios::binary);
  std::ostream& out = path == "-" ? std::cout : file;
  GenerateDemoNetwork(options, [&out](const ImportAction& action) { out << FormatImportLine(action) << '\n'; });
  if (out.flush()) return {};
  return Fail(Failure::kInternal, "cannot_write", "The network could not be written to " + path + ".");
}

Result<int> FillDirectory(const DemoFlags& flags) {
  const Result<Settings> settings = LoadSettings(flags.settings);
  if (!settings) return tl::unexpected<Error>(settings.error());
  if (const Status own = RequireOwnStores(*settings); !own) return tl::unexpected<Error>(own.error());
  const Result<std::string> path = FindDataDirectory(*settings);
  if (!path) return tl::unexpected<Error>(path.error());
  const auto directory = DataDirectory::Lock(*path, DataDirectory::Missing::kMake);
  if (!directory) return tl::unexpected<Error>(directory.error());
  const SystemClock clock;
  Metrics metrics;
  Stores stores = OpenStores(directory->path(), *settings, &clock, &metrics);
  const DemoOptions wanted = Wanted(flags);
  ProgressLine line;
  const Result<DemoOptions> there = EnsureDemoData(&stores, wanted, [&line](std::size_t done, std::size_t all) {
    line.Show("making the demo network: " + std::to_string(done) + " of " + std::to_string(all) + " actions");
  });
  if (!there) return tl::unexpected<Error>(there.error());
  if (there->seed != wanted.seed || there->users != wanted.users) {
    return Fail(Failure::kConflict, "other_demo",
                directory->path() + " holds another network already, " + Describe(*there) +
                    ": choose another directory with --data.");
  }
  std::cout << directory->path() << " holds " << Describe(*there) << ". Serve it with novafeed serve --demo --data "
            << directory->path() << "\n";
  return kExitOk;
}

// What the server says of something; empty where it is not there.
Result<std::optional<std::string>> Ask(HttpClient* client, const DemoFlags& flags, const std::string& target) {
  Result<HttpResponse> answer = client->Send(Method::kGet, target, {{"Authorization", "Bearer " + flags.token}}, "");
  if (!answer) return tl::unexpected<Error>(answer.error());
  if (answer->status == 404) return std::nullopt;
  if (answer->status != 200) return tl::unexpected<Error>(RefusalOf(*answer));
  return std::move(answer->body);
}

tl::unexpected<Error> OtherDemo(const DemoFlags& flags) {
  return Fail(Failure::kConflict, "other_demo",
              flags.url +
                  " has a demo network already that was made with another --seed or --users: name these, or "
                  "choose another server.");
}

// When the network on the server was made, if its first person is there: what was begun goes on as it was begun, and
// what is complete stays as it is. Posts of all networks have the same names, so there is one on a server.
Result<std::optional<TimeMs>> MadeAt(const DemoFlags& flags) {
  Result<HttpClient> client = HttpClient::Connect(flags.url, std::chrono::seconds(10));
  if (!client) return tl::unexpected<Error>(client.error());
  DemoRandom random(flags.seed);
  const std::vector<DemoPerson> people = MakeDemoPeople(&random, flags.users + 1);
  const DemoPerson& first = people.front();
  const auto found = Ask(&*client, flags, "/api/v1/users/" + first.id.id.ToString());
  const auto last = Ask(&*client, flags, "/api/v1/users/" + people.at(flags.users - 1).id.id.ToString());
  const auto beyond = Ask(&*client, flags, "/api/v1/users/" + people.back().id.id.ToString());
  const auto post = Ask(&*client, flags, "/api/v1/posts/ext:" + DemoPostName(1));
  for (const auto* answer : {&found, &last, &beyond, &post}) {
    if (!*answer) return tl::unexpected<Error>(answer->error());
  }
  if (*beyond || (*post && !*last)) return OtherDemo(flags);  // people come before posts
  if (!*found) return std::nullopt;
  const Result<boost::json::value> user = ParseJson(**found);
  if (!user) return tl::unexpected<Error>(user.error());
  const Result<std::int64_t> joined = JsonFields(*user).RequireInt("created_at");
  if (!joined) return tl::unexpected<Error>(joined.error());
  return *joined - JoinedAt(first, DemoOptionsFor(flags.seed, flags.users, 0));
}

Result<int> SendToServer(const DemoFlags& flags) {
  if (flags.token.empty()) {
    return Fail(Failure::kInvalid, "no_token",
                "--url needs a token of admin scope: in the environment as NOVAFEED_TOKEN, or with --token.");
  }
  const Result<std::optional<TimeMs>> made_at = MadeAt(flags);
  if (!made_at) return tl::unexpected<Error>(made_at.error());
  DemoOptions options = Wanted(flags);
  if (!flags.as_of) options.now = made_at->value_or(options.now);

  const ScratchDirectory scratch;
  ImportFlags import;
  import.settings = flags.settings;
  import.files = {scratch.path() + "/demo.ndjson"};
  import.url = flags.url;
  import.token = flags.token;
  const Status written = WriteLines(options, import.files.front());
  if (!written) return tl::unexpected<Error>(written.error());
  return RunImport(import);
}

Result<int> KeepAlive(const DemoFlags& flags) {
  if (flags.url.empty()) {
    return Fail(Failure::kInvalid, "no_url", "--live needs --url: the address of a server that has the network.");
  }
  const Result<Settings> settings = LoadSettings(flags.settings);
  if (!settings) return tl::unexpected<Error>(settings.error());
  const SystemClock clock;
  LiveDriverOptions options;
  options.url = flags.url;
  if (!flags.token.empty()) options.service_token = [&flags] { return flags.token; };
  options.network = {flags.seed, flags.users, clock.Now(), settings->Number("demo.rate")};
  std::optional<ProgressLine> line(std::in_place);
  options.begun = [rate = options.network.rate, &clock] {
    std::cout << DescribeLiveRate(rate, clock.Now()) << std::endl;
  };
  options.progress = [&line](const LiveTally& tally) { line->Show(tally.Summary()); };
  LiveDriver driver(std::move(options), &clock);
  const StopSignals signals([&driver] { driver.Stop(); });
  const Status ran = driver.Run();
  line.reset();
  if (!ran) return tl::unexpected<Error>(ran.error());
  std::cout << driver.tally().Summary() << "\n";
  return kExitOk;
}

}  // namespace

Result<int> RunDemo(const DemoFlags& flags) {
  KeepFilesPrivate();
  if (flags.users < kFewestDemoUsers || flags.users > kMostDemoUsers) {
    return Fail(Failure::kInvalid, "bad_users",
                "--users is from " + std::to_string(kFewestDemoUsers) + " to " + std::to_string(kMostDemoUsers) + ".");
  }
  if (flags.live) return KeepAlive(flags);
  if (!flags.out.empty()) {
    const Status written = WriteLines(Wanted(flags), flags.out);
    if (!written) return tl::unexpected<Error>(written.error());
    return kExitOk;
  }
  if (!flags.url.empty()) return SendToServer(flags);
  return FillDirectory(flags);
}

}  // namespace novafeed
