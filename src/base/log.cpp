#include "base/log.h"

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <chrono>

#include "base/json.h"
#include "base/text.h"

namespace novafeed {
namespace {

constexpr std::size_t kQueuedLines = 8192;

// The process has one standard error, so it has one queue in front of it; the thread starts with the first line.
class LineQueue {
 public:
  static LineQueue& Instance() {
    static LineQueue queue;
    return queue;
  }

  ~LineQueue() { pool_.reset(); }  // at exit: writes what is queued and joins, while the logger still exists

  spdlog::async_logger& logger() { return *logger_; }
  std::uint64_t dropped() { return pool_->overrun_counter(); }

 private:
  LineQueue()
      : pool_(std::make_shared<spdlog::details::thread_pool>(kQueuedLines, 1)),
        logger_(std::make_shared<spdlog::async_logger>("novafeed", std::make_shared<spdlog::sinks::stderr_sink_mt>(),
                                                       pool_, spdlog::async_overflow_policy::overrun_oldest)) {
    logger_->set_pattern("%v");
  }

  std::shared_ptr<spdlog::details::thread_pool> pool_;
  const std::shared_ptr<spdlog::async_logger> logger_;  // queued lines share it
};

struct LevelName {
  std::string_view name;
  spdlog::level::level_enum level;
};

LevelName NameOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return {"debug", spdlog::level::debug};
    case LogLevel::kInfo:
      return {"info", spdlog::level::info};
    case LogLevel::kWarn:
      return {"warn", spdlog::level::warn};
    case LogLevel::kError:
      break;
  }
  return {"error", spdlog::level::err};
}

struct FieldWriter {
  JsonWriter* writer;
  void operator()(std::int64_t number) const { writer->Int(number); }
  void operator()(double number) const { writer->Double(number); }
  void operator()(const std::string& text) const { writer->String(RepairUtf8(text)); }
};

}  // namespace

std::string FormatLogLine(TimeMs at, LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  std::string line;
  JsonWriter writer(&line);
  writer.BeginObject();
  writer.Key("time").String(FormatRfc3339(at)).Key("level").String(NameOf(level).name).Key("event").String(event);
  for (const LogField& field : fields) {
    writer.Key(field.name);
    std::visit(FieldWriter{&writer}, field.value);
  }
  writer.EndObject();
  return line;
}

void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) try {
  spdlog::async_logger& logger = LineQueue::Instance().logger();
  const spdlog::level::level_enum spdlog_level = NameOf(level).level;
  if (!logger.should_log(spdlog_level)) return;
  logger.log(spdlog_level, spdlog::string_view_t(FormatLogLine(SystemClock().Now(), level, event, fields)));
} catch (...) {
  // A line that cannot be made (out of memory) must not take down who wrote it.
}

std::uint64_t DroppedLogLines() {
  return LineQueue::Instance().dropped();
}

void SetLogLevel(LogLevel level) {
  LineQueue::Instance().logger().set_level(NameOf(level).level);
}

bool LogGate::Open() {
  using std::chrono::duration_cast;
  const std::int64_t now =
      duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
  std::int64_t next = next_ms_.load();
  return now >= next && next_ms_.compare_exchange_strong(next, now + interval_ms_);
}

}  // namespace novafeed
