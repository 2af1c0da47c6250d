#include "base/settings.h"

#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "base/json.h"

namespace novafeed {
namespace {

struct Unit {
  std::string_view suffix;
  std::int64_t factor;
};

constexpr std::array<Unit, 5> kDurationUnits{
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
constexpr std::array<Unit, 5> kSizeUnits{
    {{"", 1}, {"B", 1}, {"KiB", 1024}, {"MiB", 1024 * 1024}, {"GiB", 1024 * 1024 * 1024}}};

template <class Number>
std::optional<Number> ParseWhole(std::string_view text) {
  Number number{};
  const std::from_chars_result read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

template <std::size_t kCount>
std::optional<std::int64_t> ParseWithUnit(std::string_view text, const std::array<Unit, kCount>& units) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::optional<std::int64_t> number = ParseWhole<std::int64_t>(text.substr(0, digits));
  const auto unit = std::find_if(units.begin(), units.end(),
                                 [&](const Unit& candidate) { return candidate.suffix == text.substr(digits); });
  if (!number || unit == units.end() || *number > std::numeric_limits<std::int64_t>::max() / unit->factor) {
    return std::nullopt;
  }
  return *number * unit->factor;
}

std::optional<double> ParseFinite(std::string_view text) {
  const std::optional<double> number = ParseWhole<double>(text);
  return number && std::isfinite(*number) ? number : std::nullopt;
}

std::optional<double> ParseBool(std::string_view text) {
  if (text == "true") return 1;
  if (text == "false") return 0;
  return std::nullopt;
}

template <class T>
std::optional<double> AsDouble(const std::optional<T>& value) {
  if (!value) return std::nullopt;
  return static_cast<double>(*value);
}

struct TypeInfo {
  const char* name;
  const char* accepted;
};

TypeInfo InfoOf(SettingType type) {
  switch (type) {
    case SettingType::kString:
      return {"text", "text"};
    case SettingType::kBool:
      return {"bool", "true or false"};
    case SettingType::kInt:
      return {"integer", "an integer"};
    case SettingType::kNumber:
      return {"number", "a number"};
    case SettingType::kDuration:
      return {"duration", "a duration such as 250ms, 30s, 5m, 24h or 30d"};
    case SettingType::kSize:
      return {"size", "a size such as 512, 64KiB, 16MiB or 2GiB"};
  }
  throw std::logic_error("unknown SettingType");
}

// The value on the scale of the setting's bounds; empty where the text is not of the type.
std::optional<double> Measure(SettingType type, std::string_view text) {
  switch (type) {
    case SettingType::kString:
      return 0;
    case SettingType::kBool:
      return ParseBool(text);
    case SettingType::kInt:
      return AsDouble(ParseWhole<std::int64_t>(text));
    case SettingType::kNumber:
      return ParseFinite(text);
    case SettingType::kDuration:
      return AsDouble(ParseWithUnit(text, kDurationUnits));
    case SettingType::kSize:
      return AsDouble(ParseSize(text));
  }
  throw std::logic_error("unknown SettingType");
}

std::string Shortest(double number) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, number).ptr};
}

std::string FormatWithUnit(double number, SettingType type) {
  const auto whole = static_cast<std::int64_t>(number);
  const auto format = [whole](const auto& units) {
    const Unit* best = &units.front();
    for (const Unit& unit : units) {
      if (whole >= unit.factor && whole % unit.factor == 0) best = &unit;
    }
    return std::to_string(whole / best->factor) + std::string(best->suffix);
  };
  if (type == SettingType::kDuration) return format(kDurationUnits);
  if (type == SettingType::kSize) return format(kSizeUnits);
  return Shortest(number);
}

// "1 to 100", "at least 1s", "at most 2GiB"; empty where there are no bounds.
std::string Bounds(const Setting& setting) {
  const auto format = [&](double bound) { return FormatWithUnit(bound, setting.type); };
  if (setting.min && setting.max) return format(*setting.min) + " to " + format(*setting.max);
  if (setting.min) return "at least " + format(*setting.min);
  if (setting.max) return "at most " + format(*setting.max);
  return "";
}

bool Fits(const Setting& setting, std::string_view text) {
  const std::optional<double> value = Measure(setting.type, text);
  return value && (!setting.min || *value >= *setting.min) && (!setting.max || *value <= *setting.max);
}

tl::unexpected<Error> BadSetting(std::string detail) {
  return Fail(Failure::kInvalid, "bad_setting", std::move(detail));
}

// A value of the file as the text that the other sources would give; empty for what is no value of a setting.
std::optional<std::string> TextOf(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* number = node.as_floating_point()) return Shortest(number->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  return std::nullopt;
}

struct FileValue {
  std::string name;
  std::optional<std::string> text;
  std::string place;  // "novafeed.toml, line 3"
};

void Flatten(const toml::table& table, const std::string& prefix, const std::string& file_name,
             std::vector<FileValue>* values) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (const toml::table* inner = node.as_table()) {
      Flatten(*inner, name + ".", file_name, values);
      continue;
    }
    values->push_back({name, TextOf(node), file_name + ", line " + std::to_string(node.source().begin.line)});
  }
}

// What JSON escapes and how is right for a TOML string, too.
std::string QuoteToml(const std::string& text) {
  std::string quoted;
  JsonWriter(&quoted).String(text);
  return quoted;
}

bool IsBareInToml(SettingType type, std::string_view text) {
  return type == SettingType::kBool || type == SettingType::kInt || type == SettingType::kNumber ||
         (type == SettingType::kSize && ParseWhole<std::int64_t>(text));
}

std::string EscapeCell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped.push_back('\\');
    escaped.push_back(c == '\n' ? ' ' : c);
  }
  return escaped;
}

std::string Code(std::string_view text) {
  return text.empty() ? "" : "`" + EscapeCell(text) + "`";
}

}  // namespace

std::map<std::string, std::string> ProcessEnvironment() {
  std::map<std::string, std::string> environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view pair(*entry);
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos) environment.emplace(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return environment;
}

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  const std::optional<std::int64_t> milliseconds = ParseWithUnit(text, kDurationUnits);
  if (!milliseconds) return std::nullopt;
  return std::chrono::milliseconds(*milliseconds);
}

std::optional<std::int64_t> ParseSize(std::string_view text) {
  return ParseWithUnit(text, kSizeUnits);
}

std::string EnvironmentName(std::string_view setting_name) {
  std::string name = "NOVAFEED_";
  for (const char c : setting_name) {
    name.push_back(c == '.' || c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  }
  return name;
}

Result<Settings> Settings::Load(std::vector<Setting> table, const SettingSources& sources) {
  Settings settings = WithDefaults(std::move(table));
  Status read = settings.ReadFile(sources);
  if (read) read = settings.ReadEnvironment(sources);
  if (read) read = settings.ReadOverrides(sources);
  if (!read) return tl::unexpected<Error>(std::move(read.error()));
  return settings;
}

Settings Settings::WithDefaults(std::vector<Setting> table) {
  Settings settings;
  for (Setting& setting : table) {
    if (settings.Find(setting.name) != nullptr) throw std::logic_error("setting twice in the table: " + setting.name);
    if (!Fits(setting, setting.default_text)) throw std::logic_error("default does not fit: " + setting.name);
    Entry& entry = settings.entries_.emplace_back();
    entry.text = setting.default_text;
    entry.setting = std::move(setting);
  }
  return settings;
}

Status Settings::Assign(Entry* entry, std::string text, std::string source) {
  const Setting& setting = entry->setting;
  if (!Fits(setting, text)) {
    const std::string bounds = Bounds(setting);
    const std::string given = setting.secret ? "" : " \"" + text + "\"";
    return BadSetting(source + ": the value" + given + " of " + setting.name + " is not accepted: write " +
                      InfoOf(setting.type).accepted + (bounds.empty() ? "" : " (" + bounds + ")") + ".");
  }
  entry->text = std::move(text);
  entry->source = std::move(source);
  return {};
}

Status Settings::ReadFile(const SettingSources& sources) {
  std::vector<FileValue> values;
  try {
    Flatten(toml::parse(sources.file_text, sources.file_name), "", sources.file_name, &values);
  } catch (const toml::parse_error& error) {
    return Fail(Failure::kInvalid, "bad_config_file",
                sources.file_name + ", line " + std::to_string(error.source().begin.line) +
                    ": not TOML: " + std::string(error.description()) + ".");
  }
  for (FileValue& value : values) {
    Entry* entry = Find(value.name);
    if (entry == nullptr) {
      return BadSetting(value.place + ": there is no setting " + value.name + ": see --print-config for all of them.");
    }
    if (!value.text) return BadSetting(value.place + ": " + value.name + " must be a plain value, not a list or date.");
    if (Status assigned = Assign(entry, std::move(*value.text), std::move(value.place)); !assigned) return assigned;
  }
  return {};
}

Status Settings::ReadEnvironment(const SettingSources& sources) {
  for (Entry& entry : entries_) {
    const std::string name = EnvironmentName(entry.setting.name);
    const auto found = sources.environment.find(name);
    if (found == sources.environment.end()) continue;
    if (Status assigned = Assign(&entry, found->second, "environment " + name); !assigned) return assigned;
  }
  return {};
}

Status Settings::ReadOverrides(const SettingSources& sources) {
  for (const auto& [name, text] : sources.overrides) {
    Entry* entry = Find(name);
    if (entry == nullptr) {
      return BadSetting("command line: there is no setting " + name + ": see --print-config for all of them.");
    }
    if (entry->setting.secret) {
      return BadSetting("command line: " + name + " is a secret, which other users could read there: put it into " +
                        EnvironmentName(name) + " or the configuration file.");
    }
    if (Status assigned = Assign(entry, text, "command line"); !assigned) return assigned;
  }
  return {};
}

Settings::Entry* Settings::Find(std::string_view name) {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.setting.name == name; });
  return found == entries_.end() ? nullptr : &*found;
}

const Settings::Entry& Settings::Get(std::string_view name) const {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.setting.name == name; });
  if (found == entries_.end()) throw std::logic_error("no such setting: " + std::string(name));
  return *found;
}

const Settings::Entry& Settings::Get(std::string_view name, SettingType type) const {
  const Entry& found = Get(name);
  if (found.setting.type != type) throw std::logic_error("setting read as another type: " + std::string(name));
  return found;
}

const std::string& Settings::String(std::string_view name) const {
  return Get(name, SettingType::kString).text;
}

bool Settings::Bool(std::string_view name) const {
  return Get(name, SettingType::kBool).text == "true";
}

bool Settings::IsDefault(std::string_view name) const {
  return Get(name).source == kDefaultSource;
}

std::int64_t Settings::Int(std::string_view name) const {
  return ParseWhole<std::int64_t>(Get(name, SettingType::kInt).text).value();
}

double Settings::Number(std::string_view name) const {
  return ParseWhole<double>(Get(name, SettingType::kNumber).text).value();
}

std::chrono::milliseconds Settings::Duration(std::string_view name) const {
  return ParseDuration(Get(name, SettingType::kDuration).text).value();
}

std::int64_t Settings::Size(std::string_view name) const {
  return ParseSize(Get(name, SettingType::kSize).text).value();
}

std::string Settings::Print() const {
  std::string printed;
  for (const Entry& entry : entries_) {
    const bool masked = entry.setting.secret && !entry.text.empty();
    const bool bare = !masked && IsBareInToml(entry.setting.type, entry.text);
    const std::string value = bare ? entry.text : QuoteToml(masked ? "********" : entry.text);
    printed += entry.setting.name + " = " + value + "  # " + entry.source + "\n";
  }
  return printed;
}

std::string RenderSettingsReference(const std::vector<Setting>& table) {
  std::string page =
      "| setting | environment | type | default | bounds | meaning |\n"
      "|---|---|---|---|---|---|\n";
  for (const Setting& setting : table) {
    const std::string type = std::string(InfoOf(setting.type).name) + (setting.secret ? ", secret" : "");
    const std::string bounds = Bounds(setting) + (setting.unit.empty() ? "" : " " + setting.unit);
    page += "| " + Code(setting.name) + " | " + Code(EnvironmentName(setting.name)) + " | " + type + " | " +
            Code(setting.default_text) + " | " + bounds + " | " + EscapeCell(setting.description) + " |\n";
  }
  return page;
}

}  // namespace novafeed
