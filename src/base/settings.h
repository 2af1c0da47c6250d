// Configuration: one table of settings, filled from a TOML file, the environment and the command line.
//
// The table's content belongs to the wiring; here is what parses, checks, prints and documents any such table.
// The setting "serve.listen" is `listen` in the table [serve] of the file, NOVAFEED_SERVE_LISTEN in the environment.
// A later source wins: default, file, environment, command line.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace novafeed {

enum class SettingType {
  kString,
  kBool,      // true or false
  kInt,       // bounds hold
  kNumber,    // a double; bounds hold
  kDuration,  // "250ms", "30s", "5m", "24h", "30d"; bounds in milliseconds
  kSize,      // bytes: "512", "64KiB", "16MiB", "2GiB"; bounds in bytes
};

struct Setting {
  std::string name;  // "serve.listen": lower case, one or more dots
  SettingType type = SettingType::kString;
  std::string default_text;  // as a user would write it
  std::string description;   // a sentence
  std::optional<double> min = std::nullopt;
  std::optional<double> max = std::nullopt;
  std::string unit = {};  // of an int or number, for the reference: "posts", "requests/s"
  bool secret = false;    // only from file or environment; never printed
};

struct SettingSources {
  std::string file_name;                           // for messages; the file is the caller's to read
  std::string file_text;                           // TOML; empty: no file
  std::map<std::string, std::string> environment;  // all of it: only NOVAFEED_ names of the table are looked at
  std::map<std::string, std::string> overrides;    // command line: name -> text
};

// The whole environment of the process, for SettingSources.
std::map<std::string, std::string> ProcessEnvironment();

// Durations and sizes as the settings take them; empty where malformed or beyond 63 bits.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);
std::optional<std::int64_t> ParseSize(std::string_view text);

// The values of one table. Immutable after Load; safe to read from any thread.
class Settings {
 public:
  // kInvalid "bad_setting": a value of the wrong form or out of bounds, an unknown name in file or overrides, a secret
  // on the command line; "bad_config_file": not TOML. The detail names the source and what would be accepted.
  // A table that contradicts itself (a name twice, a default that does not fit) is a bug: std::logic_error.
  static Result<Settings> Load(std::vector<Setting> table, const SettingSources& sources);

  // Asking for a name that the table lacks, or as another type, is a bug: std::logic_error.
  const std::string& String(std::string_view name) const;
  bool Bool(std::string_view name) const;
  std::int64_t Int(std::string_view name) const;
  double Number(std::string_view name) const;
  std::chrono::milliseconds Duration(std::string_view name) const;
  std::int64_t Size(std::string_view name) const;

  // Whether no source gives it.
  bool IsDefault(std::string_view name) const;

  // TOML that Load accepts, each value with its source as a comment; a secret that is set is masked.
  std::string Print() const;

 private:
  static constexpr std::string_view kDefaultSource = "default";

  struct Entry {
    Setting setting;
    std::string text;
    std::string source = std::string(kDefaultSource);
  };

  const Entry& Get(std::string_view name) const;
  const Entry& Get(std::string_view name, SettingType type) const;
  Entry* Find(std::string_view name);
  static Settings WithDefaults(std::vector<Setting> table);
  static Status Assign(Entry* entry, std::string text, std::string source);
  Status ReadFile(const SettingSources& sources);
  Status ReadEnvironment(const SettingSources& sources);
  Status ReadOverrides(const SettingSources& sources);

  std::vector<Entry> entries_;  // in the order of the table
};

// "serve.listen" -> "NOVAFEED_SERVE_LISTEN"
std::string EnvironmentName(std::string_view setting_name);

// The reference page: a Markdown table of name, environment, type, default, bounds and description.
std::string RenderSettingsReference(const std::vector<Setting>& table);

}  // namespace novafeed
