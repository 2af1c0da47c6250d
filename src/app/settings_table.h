// Every setting of Novafeed: names, defaults, bounds and what they mean. base/settings.h holds the mechanism.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "base/settings.h"

namespace novafeed {

// In the order of the reference page (docs/configuration.md is made from it).
std::vector<Setting> NovafeedSettings();

// What the command line says about settings; both may be empty.
struct SettingFlags {
  std::string config_file;                       // --config
  std::map<std::string, std::string> overrides;  // setting name -> text
};

// Defaults, then the file, the environment of this process, the command line.
// kInvalid "bad_setting", "bad_config_file"; kNotFound "no_config_file".
Result<Settings> LoadSettings(const SettingFlags& flags);

// Values of warehouse.engine.
inline constexpr std::string_view kChdbEngine = "chdb";
inline constexpr std::string_view kNoEngine = "off";

// Values of graph.url, log.url and cache.url for what this process has to itself.
inline constexpr std::string_view kOwnStore = "sqlite:";
inline constexpr std::string_view kOwnCache = "memory:";

// How long the log keeps events at least where there is no warehouse.
inline constexpr std::chrono::hours kKeptWithoutWarehouse{24 * 91};

// kInvalid "bad_setting" where an engine or the scheme of a URL is none that there is, they do not go together, or the
// log is to keep less than what goes without a warehouse. kInvalid "plain_password" (app/plain_passwords.h).
Status CheckEngines(const Settings& settings);

// keys.directory, or what stands for it.
const std::string& KeysDirectory(const Settings& settings);

// kInvalid "bad_setting" where log.level is no level.
Result<LogLevel> LogLevelOf(const Settings& settings);

// The whole of docs/configuration.md.
std::string RenderConfigurationPage();

}  // namespace novafeed
