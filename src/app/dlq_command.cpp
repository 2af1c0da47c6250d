#include <boost/json.hpp>
#include <charconv>
#include <fstream>
#include <iostream>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "app/commands.h"
#include "app/stores.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "stream/dead_letter_replay.h"

namespace novafeed {
namespace {

Result<Settings> LoadClusterSettings(const SettingFlags& flags) {
  Result<Settings> settings = LoadSettings(flags);
  if (!settings) return settings;
  if (Status engines = CheckEngines(*settings); !engines) return tl::unexpected<Error>(engines.error());
  if (settings->String("log.url") == kOwnStore) {
    return Fail(Failure::kInvalid, "no_dead_letters",
                "There are no dead letters here: log.url is sqlite:, and a log in files of the data directory is "
                "written and read by one program alone, which refuses what it could not read. A cluster has them: "
                "name its settings with --config.");
  }
  return settings;
}

void AppendPlace(const MessagePlace& place, JsonWriter* json) {
  json->Key("topic").String(RepairUtf8(place.topic));
  json->Key("partition").Int(static_cast<std::int64_t>(place.partition)).Key("offset").Int(place.offset);
}

// Text as it is; what is no text, by its bytes, under a name that says so.
void AppendBytes(const std::string& name, const std::string& bytes, JsonWriter* json) {
  if (CountCodePoints(bytes)) {
    json->Key(name).String(bytes);
  } else {
    json->Key(name + "_hex").String(ToHex(bytes));
  }
}

void PrintLetter(const DeadLetter& letter, bool was_replayed) {
  std::string line;
  JsonWriter json(&line);
  json.BeginObject();
  AppendPlace(letter.place, &json);
  json.Key("reason").String(RepairUtf8(letter.reason)).Key("time").Int(letter.at);
  AppendBytes("key", letter.key, &json);
  AppendBytes("message", letter.message, &json);
  json.Key("bytes").Int(static_cast<std::int64_t>(letter.bytes)).Key("replayed").Bool(was_replayed).EndObject();
  std::cout << line << "\n";
}

std::optional<std::int64_t> ParseOffset(std::string_view text) {
  std::int64_t offset = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), offset);
  if (error != std::errc() || end != text.data() + text.size() || offset < 0) return std::nullopt;
  return offset;
}

Result<DeadLetterSelection> SelectionOf(const DlqReplayFlags& flags) {
  if (!flags.topic.empty() && flags.topic != kReplayableTopic) {
    return Fail(Failure::kInvalid, "not_replayable",
                "Only events are put back on their topic, not " + flags.topic +
                    ": a change belongs to its transaction, and the row in PostgreSQL is what holds. `novafeed check` "
                    "says whether anything lacks it, `check --repair` or ./cluster resnapshot brings it.");
  }
  DeadLetterSelection selection;
  if (!flags.topic.empty()) selection.topic = flags.topic;
  selection.partition = flags.partition;
  if (flags.offsets.empty()) return selection;
  const std::string_view text = flags.offsets;
  const std::size_t dots = text.find("..");
  const std::optional<std::int64_t> first = ParseOffset(text.substr(0, dots));
  const std::optional<std::int64_t> last = dots == text.npos ? first : ParseOffset(text.substr(dots + 2));
  if (!first || !last || *first > *last) {
    return Fail(Failure::kInvalid, "bad_arguments",
                "--offset takes an offset, or two as FIRST..LAST, not \"" + flags.offsets + "\".");
  }
  selection.first = *first;
  selection.last = *last;
  return selection;
}

using Mended = std::map<MessagePlace, std::string>;

Status ReadMendedLine(const std::string& line, Mended* mended) {
  const Result<boost::json::value> value = ParseJson(line);
  if (!value) return tl::unexpected<Error>(value.error());
  JsonFields fields(*value);
  const Result<std::string> topic = fields.RequireString("topic");
  const Result<std::int64_t> partition = fields.RequireInt("partition");
  const Result<std::int64_t> offset = fields.RequireInt("offset");
  const Result<std::string> message = fields.RequireString("message");
  if (!topic) return tl::unexpected<Error>(topic.error());
  if (!partition) return tl::unexpected<Error>(partition.error());
  if (!offset) return tl::unexpected<Error>(offset.error());
  if (!message) return tl::unexpected<Error>(message.error());
  (*mended)[{*topic, static_cast<std::size_t>(*partition), *offset}] = *message;
  return {};
}

Result<Mended> ReadMended(const std::string& path) {
  std::ifstream file;
  if (path != "-") {
    file.open(path);
    if (!file) return Fail(Failure::kNotFound, "no_file", "The file " + path + " cannot be read: check its path.");
  }
  std::istream& lines = path == "-" ? std::cin : file;
  Mended mended;
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.empty()) continue;
    if (const Status read = ReadMendedLine(line, &mended); !read) {
      return Fail(
          Failure::kInvalid, "bad_line",
          "Line " + std::to_string(number) + " of --mended is none that `dlq list` prints: " + read.error().detail);
    }
  }
  return mended;
}

// Tells what became of each letter, one line of JSON each; counts those that were not put back.
class Teller {
 public:
  void Tell(const MessagePlace& place, ReplayOutcome outcome, const std::string& reason) {
    std::string line;
    JsonWriter json(&line);
    json.BeginObject();
    AppendPlace(place, &json);
    json.Key("outcome").String(ReplayOutcomeName(outcome));
    if (!reason.empty()) json.Key("reason").String(RepairUtf8(reason));
    json.EndObject();
    std::cout << line << "\n";
    const bool is_back = outcome == ReplayOutcome::kReplayed || outcome == ReplayOutcome::kReplayedBefore;
    if (!is_back) ++left_;
  }
  std::size_t left() const { return left_; }

 private:
  std::size_t left_ = 0;
};

}  // namespace

Result<int> RunDlqList(const DlqListFlags& flags) {
  const Result<Settings> settings = LoadClusterSettings(flags.settings);
  if (!settings) return tl::unexpected<Error>(settings.error());
  SetLogLevel(LogLevel::kError);
  const SystemClock clock;
  Metrics metrics;
  const DeadLetterStores stores = OpenDeadLetterStores(*settings, false, &clock, &metrics);
  ListDeadLetters(stores.letters.get(), [&flags](const DeadLetter& letter, bool was_replayed) {
    if (flags.topic.empty() || flags.topic == letter.place.topic) PrintLetter(letter, was_replayed);
  });
  std::cout << std::flush;
  return kExitOk;
}

Result<int> RunDlqReplay(const DlqReplayFlags& flags) {
  const Result<DeadLetterSelection> selection = SelectionOf(flags);
  if (!selection) return tl::unexpected<Error>(selection.error());
  const Result<Settings> settings = LoadClusterSettings(flags.settings);
  if (!settings) return tl::unexpected<Error>(settings.error());
  DeadLetterReplay replay;
  if (!flags.mended_file.empty()) {
    Result<Mended> mended = ReadMended(flags.mended_file);
    if (!mended) return tl::unexpected<Error>(mended.error());
    replay.mended = *std::move(mended);
  }
  SetLogLevel(LogLevel::kError);
  const SystemClock clock;
  Metrics metrics;
  const DeadLetterStores stores = OpenDeadLetterStores(*settings, true, &clock, &metrics);
  replay.clock = &clock;
  replay.letters = stores.letters.get();
  replay.events = stores.events.get();
  replay.is_erased = [&stores](UserId user) { return stores.graph->IsRetired(RetiredKind::kUser, user.value); };
  Teller teller;
  ReplayDeadLetters(replay, *selection,
                    [&teller](const MessagePlace& place, ReplayOutcome outcome, const std::string& reason) {
                      teller.Tell(place, outcome, reason);
                    });
  std::cout << std::flush;
  return teller.left() == 0 ? kExitOk : kExitBadLines;
}

}  // namespace novafeed
