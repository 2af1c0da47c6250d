#include <sys/resource.h>

#include <atomic>
#include <future>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "app/commands.h"
#include "app/data_directory.h"
#include "app/demo_data.h"
#include "app/listen_address.h"
#include "app/live_driver.h"
#include "app/node.h"
#include "app/progress_line.h"
#include "base/log.h"
#include "runtime/stop_signals.h"
#include "runtime/thread_name.h"

namespace novafeed {
namespace {

// SIGTERM or SIGINT came: what is being done ends, and what is being booted is given up.
class StopRequest {
 public:
  StopRequest()
      : signals_([this] {
          requested_.store(true);
          promise_.set_value();
        }) {}

  void Wait() { promise_.get_future().wait(); }
  bool requested() const { return requested_.load(); }

 private:
  std::atomic<bool> requested_{false};
  std::promise<void> promise_;
  StopSignals signals_;  // the last member: it uses the others
};

// Thrown out of a boot's progress, where the boot is to be given up.
struct Stopped {};

// In a demo anybody may be anybody, and a held clock keeps tokens alive: neither may be reached from outside.
Status CheckExposure(const ServeFlags& flags, const std::string& listen) {
  const std::string flag = flags.demo ? "--demo" : flags.test_clock ? "--test-clock" : "";
  if (flag.empty() || IsLoopback(listen)) return {};
  return Fail(Failure::kInvalid, "public_address",
              flag + " is refused on the public address " + listen + ": listen on 127.0.0.1, or leave it out" +
                  (flags.demo ? " (./run --no-demo)." : "."));
}

// Connections are files; the soft limit of most systems (1024) is below limits.max_connections.
void RaiseFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) Log(LogLevel::kWarn, "file_limit_not_raised");
}

Result<DemoOptions> FillDemo(Node* node, const StopRequest& stop) {
  ProgressLine line;
  DemoOptions wanted;
  wanted.now = node->clock().Now();
  return EnsureDemoData(&node->stores(), wanted, [&](std::size_t done, std::size_t all) {
    if (stop.requested()) throw Stopped();
    line.Show("making the demo network: " + std::to_string(done) + " of " + std::to_string(all) + " actions");
  });
}

// The demo's people, who act through the API like anybody, on a thread of their own.
class LiveDemo {
 public:
  LiveDemo(Node* node, const DemoOptions& demo, double rate)
      : driver_(OptionsFor(node, demo, rate), &node->clock()), thread_([this] { Run(); }) {}
  ~LiveDemo() {
    driver_.Stop();
    thread_.join();
  }
  LiveDemo(const LiveDemo&) = delete;
  LiveDemo& operator=(const LiveDemo&) = delete;

 private:
  static LiveDriverOptions OptionsFor(Node* node, const DemoOptions& demo, double rate) {
    LiveDriverOptions options;
    options.url = node->url();
    options.service_token = [node] { return node->ServiceToken(); };
    options.network = {demo.seed, demo.users, node->clock().Now(), rate};
    return options;
  }

  void Run() {
    NameThisThread("live_demo");
    const Status ran = driver_.Run();
    Log(ran ? LogLevel::kInfo : LogLevel::kError, "live_demo_ended",
        {{"done", driver_.tally().Summary()}, {"reason", ran ? "stopped" : ran.error().detail}});
  }

  LiveDriver driver_;
  std::thread thread_;  // the last member: it uses the other
};

void BootNode(Node* node, const StopRequest& stop) {
  ProgressLine line;
  node->Boot([&](std::string_view stage, std::int64_t entries) {
    if (stop.requested()) throw Stopped();
    line.Show("reading " + std::string(stage) + ": " + std::to_string(entries) + " entries");
  });
}

// Something to try at once: one viewer's token, and their feed.
void PrintDemoViewer(Node* node) {
  const std::vector<User> users = node->stores().graph->ListUsers("", 1);
  if (users.empty()) return;
  const std::string token = node->UserToken(users.front().id);
  std::cout << "Or take the token of @" << users.front().handle << " (24 hours): " << token << "\n"
            << "curl -H 'Authorization: Bearer " << token << "' '" << node->url()
            << "/api/v1/feed?limit=5&explain=1'\n";
}

void PrintReady(Node* node, const ServeFlags& flags, const Settings& settings, const DataDirectory& directory) {
  std::cout << "ready " << node->url() << "\n";
  if (flags.demo) {
    std::cout << "Open " << node->url() << "/ in a browser, and choose a viewer.\n";
    if (flags.live) std::cout << DescribeLiveRate(settings.Number("demo.rate"), node->clock().Now()) << "\n";
    PrintDemoViewer(node);
  } else {
    std::cout << "A token for " << node->url() << "/: " << flags.program << " token --data " << directory.path()
              << " --user ID [--scope user|service|admin]\n";
  }
  std::cout << std::flush;
}

Result<int> Serve(const ServeFlags& flags, const Settings& settings, const DataDirectory& directory, KeyRing keys) {
  StopRequest stop;
  Node node(settings, directory, std::move(keys), {flags.demo, flags.test_clock});
  try {
    std::optional<DemoOptions> demo;
    if (flags.demo) {
      Result<DemoOptions> filled = FillDemo(&node, stop);
      if (!filled) return tl::unexpected<Error>(filled.error());
      demo = *filled;
    }
    BootNode(&node, stop);
    PrintReady(&node, flags, settings, directory);
    std::optional<LiveDemo> live;  // ends before the listeners drain
    if (flags.live) live.emplace(&node, *demo, settings.Number("demo.rate"));
    stop.Wait();
  } catch (const Stopped&) {
    Log(LogLevel::kInfo, "boot_given_up");
  }
  node.Stop();
  return kExitOk;
}

}  // namespace

Result<int> RunServe(const ServeFlags& flags) {
  const Result<Settings> settings = LoadSettings(flags.settings);
  if (!settings) return tl::unexpected<Error>(settings.error());
  const Result<LogLevel> level = LogLevelOf(*settings);
  if (!level) return tl::unexpected<Error>(level.error());
  if (const Status engine = CheckEngines(*settings); !engine) return tl::unexpected<Error>(engine.error());
  if (flags.print_config) {
    std::cout << settings->Print();
    return kExitOk;
  }
  if (flags.live && !flags.demo) {
    return Fail(Failure::kInvalid, "no_demo", "--live needs --demo: it is the demo's people who go on.");
  }
  if (const Status safe = CheckExposure(flags, settings->String("serve.listen")); !safe) {
    return tl::unexpected<Error>(safe.error());
  }
  SetLogLevel(*level);
  RaiseFileLimit();
  KeepFilesPrivate();

  const Result<std::string> path = FindDataDirectory(*settings);
  if (!path) return tl::unexpected<Error>(path.error());
  const auto directory = DataDirectory::Lock(*path, DataDirectory::Missing::kMake);
  if (!directory) return tl::unexpected<Error>(directory.error());
  Result<KeyRing> keys = KeyRing::Open(KeysDirectory(*settings));
  if (!keys) return Fail(keys.error().failure, "bad_keys", "keys.directory: " + keys.error().detail);
  return Serve(flags, *settings, *directory, std::move(*keys));
}

}  // namespace novafeed
