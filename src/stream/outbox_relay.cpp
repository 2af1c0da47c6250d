#include "stream/outbox_relay.h"

#include <algorithm>
#include <exception>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace novafeed {
namespace {

constexpr std::int64_t kFailureLogIntervalMs = 10'000;

Result<EventLog::Appended> AppendAndWait(EventLog* log, std::vector<Event> events) {
  const auto answer = std::make_shared<std::promise<Result<EventLog::Appended>>>();
  std::future<Result<EventLog::Appended>> answered = answer->get_future();
  log->Append(std::move(events), [answer](Result<EventLog::Appended> result) { answer->set_value(std::move(result)); });
  return answered.get();
}

}  // namespace

OutboxRelay::OutboxRelay(GraphStore* graph, EventLog* events, Metrics* metrics, OutboxRelayOptions options)
    : graph_(graph),
      events_(events),
      options_(std::move(options)),
      moved_(metrics->AddCounter("novafeed_outbox_moved_total", "Like and unlike events moved into the event log.")),
      failures_(metrics->AddCounter("novafeed_outbox_failures_total",
                                    "Times the outbox could not be moved into the event log.")),
      failure_log_(kFailureLogIntervalMs) {}

OutboxRelay::~OutboxRelay() {
  Stop();
}

void OutboxRelay::Start() {
  thread_ = std::thread([this] { Run(); });
}

void OutboxRelay::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void OutboxRelay::Wake() {
  {
    const std::lock_guard lock(mutex_);
    awake_ = true;
  }
  changed_.notify_all();
}

void OutboxRelay::Run() {
  std::chrono::milliseconds pause = options_.first_pause;
  while (WaitForWork()) {
    const std::optional<Error> error = MoveAll();
    if (!error) {
      pause = options_.first_pause;
      continue;
    }
    ReportFailure(*error);
    if (!Pause(pause)) return;
    pause = std::min(pause * 2, options_.max_pause);
    Wake();
  }
}

std::optional<Error> OutboxRelay::MoveAll() {
  try {
    while (!stopping() && options_.may_move()) {
      const std::vector<OutboxEntry> entries = graph_->ReadOutbox(options_.batch);
      if (entries.empty()) break;
      if (std::optional<Error> error = Move(entries)) return error;
    }
    return std::nullopt;
  } catch (const StoreError& error) {
    return error.error();
  } catch (const std::exception& error) {
    // A bug somewhere below must not end the process, nor the moving of what comes later.
    return Error{Failure::kInternal, "outbox_failed", std::string("The outbox could not be moved: ") + error.what(), 0};
  }
}

std::optional<Error> OutboxRelay::Move(const std::vector<OutboxEntry>& entries) {
  std::vector<Event> events;
  events.reserve(entries.size());
  for (const OutboxEntry& entry : entries) events.push_back(entry.event);
  const Result<EventLog::Appended> appended = AppendAndWait(events_, std::move(events));
  if (!appended) return appended.error();
  graph_->ClearOutbox(entries.back().sequence);
  moved_.Add(static_cast<double>(entries.size()));
  return std::nullopt;
}

void OutboxRelay::ReportFailure(const Error& error) {
  failures_.Add();
  if (!failure_log_.Open()) return;
  Log(LogLevel::kWarn, "outbox_not_moved", {{"code", error.code}, {"detail", error.detail}});
}

bool OutboxRelay::WaitForWork() {
  std::unique_lock lock(mutex_);
  const auto is_woken = [this] { return awake_ || stop_; };
  if (options_.look_every.count() > 0) {
    changed_.wait_for(lock, options_.look_every, is_woken);
  } else {
    changed_.wait(lock, is_woken);
  }
  awake_ = false;
  return !stop_;
}

bool OutboxRelay::Pause(std::chrono::milliseconds length) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, length, [this] { return stop_; });
}

bool OutboxRelay::stopping() {
  const std::lock_guard lock(mutex_);
  return stop_;
}

}  // namespace novafeed
