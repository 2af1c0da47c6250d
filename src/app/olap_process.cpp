#include "app/olap_process.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <functional>
#include <stdexcept>
#include <utility>

#include "app/program_path.h"
#include "http/client.h"
#include "runtime/thread_name.h"

namespace novafeed {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kFailureLogMs = 60'000;
constexpr milliseconds kPingTimeout{2000};
constexpr std::string_view kReady = "ready ";
constexpr std::size_t kLongestLine = 64UL * 1024;

bool AnswersPing(const std::string& url) {
  Result<HttpClient> client = HttpClient::Connect(url, kPingTimeout);
  if (!client) return false;
  const Result<HttpResponse> answer = client->Send(Method::kGet, "/ping", {}, "");
  return answer && answer->status == 200;
}

int PollMilliseconds(std::chrono::steady_clock::time_point until) {
  const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
}

}  // namespace

// The lines of one pipe.
class OlapProcess::Lines {
 public:
  Lines(int descriptor, std::function<void(const std::string&)> take)
      : descriptor_(descriptor), take_(std::move(take)) {}

  pollfd Poll() const { return {descriptor_, POLLIN, 0}; }
  bool ended() const { return descriptor_ < 0; }

  // After poll() has seen something.
  void Read() {
    std::array<char, 4096> buffer{};
    const ssize_t count = read(descriptor_, buffer.data(), buffer.size());
    if (count <= 0) {
      descriptor_ = -1;  // poll() passes it over
      return;
    }
    pending_.append(buffer.data(), static_cast<std::size_t>(count));
    for (std::size_t end = pending_.find('\n'); end != pending_.npos; end = pending_.find('\n')) {
      take_(pending_.substr(0, end));
      pending_.erase(0, end + 1);
    }
    if (pending_.size() > kLongestLine) pending_.clear();
  }

 private:
  int descriptor_;
  const std::function<void(const std::string&)> take_;
  std::string pending_;
};

OlapProcessOptions OlapProcessOptions::From(const Settings& settings) {
  OlapProcessOptions options;
  const std::string& program = settings.String("olap.program");
  options.program = program.empty() ? ProgramPath() : program;
  options.data_directory = settings.String("data.directory");
  options.arguments = {"olap", "--data", options.data_directory, "--listen", "127.0.0.1:0"};
  const auto pass_on = [&options](const std::string& name, const std::string& value) {
    options.arguments.insert(options.arguments.end(), {"--set", name + "=" + value});
  };
  // The library is sought from this program's folder, wherever the child's lies.
  pass_on("olap.library", FromProgramFolder(settings.String("olap.library")));
  pass_on("olap.max_memory", std::to_string(settings.Size("olap.max_memory")));
  pass_on("olap.connections", std::to_string(settings.Int("olap.connections")));
  pass_on("olap.longest_wait", std::to_string(settings.Duration("olap.longest_wait").count()) + "ms");
  pass_on("serve.drain_grace", std::to_string(settings.Duration("serve.drain_grace").count()) + "ms");
  pass_on("log.level", settings.String("log.level"));
  options.stop_within = settings.Duration("serve.drain_grace") + options.stop_within;
  return options;
}

OlapProcess::OlapProcess(OlapProcessOptions options, Metrics* metrics)
    : options_(std::move(options)),
      up_(metrics->AddGauge("novafeed_olap_up", "1 while the ClickHouse engine's process answers, else 0.")),
      restarts_(metrics->AddCounter("novafeed_olap_restarts_total",
                                    "Times the ClickHouse engine's process was started again.")),
      failure_log_(kFailureLogMs) {
  up_.Set(0);
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("A pipe cannot be made: too many open files.");
  stop_read_ = PipeEnd(ends[0]);
  stop_write_ = PipeEnd(ends[1]);
  thread_ = std::thread([this] { Run(); });
}

OlapProcess::~OlapProcess() {
  Stop();
}

void OlapProcess::Stop() {
  stop_write_ = PipeEnd();
  if (thread_.joinable()) thread_.join();
}

std::optional<OlapEndpoint> OlapProcess::Endpoint() const {
  const std::scoped_lock lock(mutex_);
  return endpoint_;
}

std::string OlapProcess::LastFailure() const {
  const std::scoped_lock lock(mutex_);
  return last_failure_;
}

void OlapProcess::Run() {
  NameThisThread("olap-watch");
  milliseconds pause = options_.first_pause;
  while (true) {
    const Clock::time_point started = Clock::now();
    const std::string how = RunChild();
    if (StopAskedWithin(milliseconds(0))) return;
    if (Clock::now() - started >= options_.steady_after) pause = options_.first_pause;
    NoteEnd(how, pause);
    if (StopAskedWithin(pause)) return;
    pause = std::min(pause * 2, options_.longest_pause);
    restarts_.Add();
  }
}

// How it ended.
std::string OlapProcess::RunChild() try {
  said_.clear();
  ChildProcess child(options_.program, options_.arguments);
  Watch(&child);
  std::string how = child.Reap();
  up_.Set(0);
  const std::scoped_lock lock(mutex_);
  endpoint_.reset();
  return how;
} catch (const std::runtime_error& error) {
  return error.what();
}

// Returns when the child has closed its pipes: it has ended, or is about to.
void OlapProcess::Watch(ChildProcess* child) {
  Lines output(child->output(), [this](const std::string& line) { TakeOutput(line); });
  Lines errors(child->errors(), [this](const std::string& line) { TakeError(line); });
  Clock::time_point kill_at = Clock::now() + options_.ready_within;
  bool stopping = false;
  while (!output.ended() || !errors.ended()) {
    if (!stopping && Endpoint()) kill_at = Clock::time_point::max();
    std::array<pollfd, 3> polled{output.Poll(), errors.Poll(), pollfd{stopping ? -1 : stop_read_.get(), POLLIN, 0}};
    const bool unlimited = kill_at == Clock::time_point::max();
    poll(polled.data(), polled.size(), unlimited ? -1 : PollMilliseconds(kill_at));
    if (Clock::now() >= kill_at) {
      child->Signal(SIGKILL);
      kill_at = Clock::time_point::max();
    }
    if (polled[0].revents != 0) output.Read();
    if (polled[1].revents != 0) errors.Read();
    if (polled[2].revents != 0) {
      stopping = true;
      kill_at = Clock::now() + options_.stop_within;
      child->Signal(SIGTERM);
    }
  }
}

void OlapProcess::TakeOutput(const std::string& line) {
  if (line.starts_with(kReady)) NoteUp(line.substr(kReady.size()));
}

void OlapProcess::TakeError(const std::string& line) {
  const bool is_log = line.starts_with('{');
  if (!is_log) said_ = line;
  if (!options_.quiet) Log(is_log ? LogLevel::kInfo : LogLevel::kWarn, "olap_says", {{"line", line}});
}

void OlapProcess::NoteUp(const std::string& url) {
  Result<OlapUsers> users = OlapUsers::Open(options_.data_directory);
  if (!users || !AnswersPing(url)) {
    said_ = users ? "it does not answer at " + url : users.error().detail;
    return;  // it is killed when its time to get ready is over
  }
  up_.Set(1);
  if (!options_.quiet) Log(LogLevel::kInfo, "olap_ready", {{"url", url}});
  const std::scoped_lock lock(mutex_);
  endpoint_ = OlapEndpoint{url, std::move(*users)};
}

void OlapProcess::NoteEnd(const std::string& how, milliseconds pause) {
  const std::string reason = said_.empty() ? how : how + ": " + said_;
  if (!options_.quiet && failure_log_.Open()) {
    Log(LogLevel::kError, "olap_ended", {{"reason", reason}, {"restart_in_ms", pause.count()}});
  }
  const std::scoped_lock lock(mutex_);
  last_failure_ = reason;
}

bool OlapProcess::StopAskedWithin(milliseconds longest) const {
  pollfd polled{stop_read_.get(), POLLIN, 0};
  return poll(&polled, 1, static_cast<int>(longest.count())) > 0;
}

}  // namespace novafeed
