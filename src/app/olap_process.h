// `novafeed olap` as a child of this process: started, watched, started again, stopped.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "adapters/chdb/users.h"
#include "app/child_process.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/settings.h"

namespace novafeed {

// Where the engine answers, and to whom.
struct OlapEndpoint {
  std::string url;  // "http://127.0.0.1:41234"
  OlapUsers users;
};

struct OlapProcessOptions {
  std::string program;
  std::vector<std::string> arguments;
  std::string data_directory;
  std::chrono::milliseconds first_pause{200};  // before the first restart; doubled for each that follows
  std::chrono::milliseconds longest_pause{10'000};
  std::chrono::milliseconds steady_after{60'000};  // who ran that long is restarted after the first pause again
  std::chrono::milliseconds ready_within{60'000};  // or is killed
  std::chrono::milliseconds stop_within{20'000};   // from SIGTERM to SIGKILL

  bool quiet = false;  // nothing to the log: whoever started it asks LastFailure()

  // For the data directory of `settings`.
  static OlapProcessOptions From(const Settings& settings);
};

// Owned by the wiring. A child that ends is started again after a pause; one that cannot start costs nothing but its
// attempts, and a line in the log for the first of them and then one in a minute. What the child writes to its log
// goes to the log of this process. Thread-safe.
class OlapProcess {
 public:
  // Starts the first child, on a thread of its own. `metrics` outlives it.
  OlapProcess(OlapProcessOptions options, Metrics* metrics);
  ~OlapProcess();  // stops
  OlapProcess(const OlapProcess&) = delete;
  OlapProcess& operator=(const OlapProcess&) = delete;

  // SIGTERM, SIGKILL where that is not enough, and waits. There is no endpoint afterwards.
  void Stop();

  // While a child is up and has answered /ping.
  std::optional<OlapEndpoint> Endpoint() const;
  // Why the last child ended; empty where none has.
  std::string LastFailure() const;

 private:
  class Lines;
  using Clock = std::chrono::steady_clock;

  void Run();
  std::string RunChild();
  void Watch(ChildProcess* child);
  void TakeOutput(const std::string& line);
  void TakeError(const std::string& line);
  void NoteUp(const std::string& url);
  void NoteEnd(const std::string& how, std::chrono::milliseconds pause);
  // True where the destructor asks to stop within `longest`.
  bool StopAskedWithin(std::chrono::milliseconds longest) const;

  const OlapProcessOptions options_;
  const Gauge up_;
  const Counter restarts_;
  LogGate failure_log_;
  PipeEnd stop_read_;
  PipeEnd stop_write_;        // closed: stop
  std::string said_;          // of the running child: its last line that was no log line
  mutable std::mutex mutex_;  // guards the next two
  std::optional<OlapEndpoint> endpoint_;
  std::string last_failure_;
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace novafeed
