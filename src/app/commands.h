// The subcommands of the program: what main.cpp reads from the command line, and what runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/settings_table.h"
#include "base/result.h"
#include "base/time.h"

namespace novafeed {

// Exit statuses (docs/operations.md lists them).
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;     // bad flags or settings
inline constexpr int kExitBadLines = 3;  // import: some lines were rejected; dlq replay: some letters were not put back

struct ServeFlags {
  SettingFlags settings;
  std::string program = "novafeed";  // as it was started
  bool demo = false;
  bool live = false;  // with demo: its people go on
  bool print_config = false;
  std::optional<TimeMs> test_clock;  // hold the clock there
};

struct ImportFlags {
  SettingFlags settings;
  std::vector<std::string> files;  // "-" is standard input
  bool shift_to_now = false;
  bool dry_run = false;
  std::string bad_file;  // where rejected lines go; empty: nowhere
  std::string url;       // of a running server; empty: into the data directory
  std::string token;     // with url: admin scope
};

struct TokenFlags {
  SettingFlags settings;
  std::string user;
  std::string scope = "user";
  std::string ttl = "24h";
};

struct RankFlags {
  SettingFlags settings;
  std::vector<std::string> users;
  std::string users_file;  // one id a line
  std::optional<TimeMs> as_of;
  std::optional<TimeMs> trending_as_of;
  std::string engine = "index";
};

struct OlapFlags {
  SettingFlags settings;
  std::string listen = "127.0.0.1:0";
};

struct SqlFlags {
  SettingFlags settings;
  std::string statement;
  std::string file;                 // with the statement; empty: it is in `statement`
  std::vector<std::string> params;  // NAME=VALUE for {NAME:Type}
};

struct CheckFlags {
  SettingFlags settings;
  bool json = false;
  bool watch = false;   // again and again, until it is ended
  bool repair = false;  // mend what differs
};

struct DlqListFlags {
  SettingFlags settings;
  std::string topic;  // empty: of all
};

struct DlqReplayFlags {
  SettingFlags settings;
  std::string topic;
  std::optional<std::size_t> partition;
  std::string offsets;      // "17" or "17..29"; empty: all
  std::string mended_file;  // with lines as `dlq list` prints them; "-" is standard input; empty: none
};

struct DemoFlags {
  SettingFlags settings;
  std::uint64_t seed = 1;
  std::size_t users = 200;
  std::optional<TimeMs> as_of;  // make the network as of then; empty: now
  std::string out;              // write it there as NDJSON ("-" is standard output)
  std::string url;              // of a running server; empty: into the data directory
  std::string token;            // with url: admin scope; with live: service scope, or none in a demo
  bool live = false;            // keep the network alive
};

// Each returns the exit status, or the error that main prints: kInvalid ends in kExitUsage, all others in kExitFailed.
// They throw what start-up throws (std::runtime_error with a sentence, StoreError).
Result<int> RunServe(const ServeFlags& flags);
Result<int> RunImport(const ImportFlags& flags);
Result<int> RunToken(const TokenFlags& flags);
Result<int> RunRank(const RankFlags& flags);
Result<int> RunOlap(const OlapFlags& flags);
Result<int> RunSql(const SqlFlags& flags);
Result<int> RunCheck(const CheckFlags& flags);
Result<int> RunDlqList(const DlqListFlags& flags);
Result<int> RunDlqReplay(const DlqReplayFlags& flags);
Result<int> RunDemo(const DemoFlags& flags);

}  // namespace novafeed
