#include "app/settings_table.h"

#include <fstream>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "app/plain_passwords.h"

namespace novafeed {
namespace {

constexpr double kSecond = 1000;
constexpr double kMinute = 60 * kSecond;
constexpr double kHour = 60 * kMinute;
constexpr double kDay = 24 * kHour;
constexpr double kKiB = 1024;
constexpr double kMiB = 1024 * kKiB;

constexpr const char* kPageHead = R"(# Configuration

Every setting has a default. A later source wins: default, the file given with `--config FILE` (TOML), the environment,
the command line (`--set NAME=VALUE`, or the flag that names it: `--listen`, `--admin-listen`, `--data`).
`novafeed serve --print-config` prints the values in use, and where each comes from, in the form of such a file.

```toml
serve.listen = "0.0.0.0:8080"
data.directory = "/var/lib/novafeed"

[rate]
user_per_second = 100
```

Secrets are not settings: the keys that sign tokens and cursors are made at the first start and lie in
`keys.json` of the data directory (mode 0600); passwords of other engines lie in files that settings name. Such a
password goes to this machine (127.0.0.1, ::1, localhost, a socket in the file system), or by TLS to a server whose
certificate is verified (`kafkas://`, `rediss://`, `https://`, `sslmode=verify-full` or `verify-ca`). Settings by which it
would go anywhere else are refused at the start.

<!-- Generated from src/app/settings_table.cpp: NOVAFEED_UPDATE_DOCS=1 novafeed_app_tests writes it anew. -->

)";

using Bound = std::optional<double>;
constexpr Bound kNoBound = std::nullopt;

Setting Text(std::string name, std::string fallback, std::string description) {
  return {std::move(name),
          SettingType::kString,
          std::move(fallback),
          std::move(description),
          kNoBound,
          kNoBound,
          "",
          false};
}

Setting Flag(std::string name, std::string fallback, std::string description) {
  return {
      std::move(name), SettingType::kBool, std::move(fallback), std::move(description), kNoBound, kNoBound, "", false};
}

Setting Bounded(SettingType type, std::string name, std::string fallback, Bound min, Bound max, std::string description,
                std::string unit = "") {
  return {std::move(name), type, std::move(fallback), std::move(description), min, max, std::move(unit), false};
}

std::vector<Setting> ListenerSettings() {
  return {
      Text("data.directory", "data",
           "Where everything is kept: graph, logs, snapshot, keys. Made with mode 0700 where it is missing."),
      Text("serve.listen", "127.0.0.1:8080",
           "Address and port of the API and the web page; port 0 takes a free one. TLS is a proxy's matter."),
      Text("serve.admin_listen", "127.0.0.1:0",
           "Address and port of metrics and administration. serve.json in the data directory names the real one."),
      Flag("serve.metrics_token", "true",
           "Whether GET /metrics needs an admin token, as all else on that listener does."),
  };
}

std::vector<Setting> EngineSettings() {
  return {
      Text(
          "graph.url", "sqlite:",
          "The social graph. sqlite: is a file of the data directory; postgresql://user@host:port/database (and what "
          "else libpq knows, but a password: ?sslmode=verify-full&sslrootcert=FILE for TLS) is shared by all processes "
          "that serve it, and needs log.url on Kafka."),
      Text("graph.password_file", "", "A file whose first line is the password of graph.url's user."),
      Text("log.url", "sqlite:",
           "The log behind the graph, and of events. sqlite: is files of the data directory; "
           "kafka://host:port,host:port "
           "(kafkas:// by TLS; user@ before the hosts logs in) is where Debezium writes the changes of a graph in "
           "PostgreSQL."),
      Text("log.password_file", "", "A file that holds the password of log.url's user."),
      Text("log.ca_file", "", "Whom to trust where log.url goes by TLS, as PEM; empty: whom the system trusts."),
      Text("cache.url", "memory:",
           "What is kept for a while. memory: is this process's own; redis://host:port/0 (rediss:// by TLS; user@ "
           "before "
           "the host names a user) is shared."),
      Text("cache.password_file", "", "A file that holds the password of cache.url's user."),
      Text("cache.ca_file", "", "Whom to trust where cache.url goes by TLS, as PEM; empty: whom the system trusts."),
      Text("olap.url", "",
           "The warehouse's engine: http://host:port (https:// by TLS) of a ClickHouse server or of `novafeed olap`; "
           "empty: a process of its own, which serve starts and watches."),
      Text("olap.user", "novafeed", "With olap.url: who may do everything there."),
      Text("olap.password_file", "", "A file that holds that user's password."),
      Text("olap.reader", "reader", "With olap.url: who only reads."),
      Text("olap.reader_password_file", "", "A file that holds that user's password."),
      Text("olap.brokers", "",
           "host:port,host:port of Kafka as the warehouse's engine reaches it, where that is not as log.url has it."),
      Text("olap.ca_file", "", "Whom to trust where olap.url goes by TLS, as PEM; empty: whom the system trusts."),
      Text("keys.directory", "",
           "Where keys.json lies, which signs tokens and cursors; empty: the data directory. All processes that serve "
           "the same graph need the same."),
  };
}

std::vector<Setting> ServingSettings() {
  return {
      Bounded(SettingType::kInt, "serve.io_threads", "0", 0, 256,
              "Threads that answer requests; 0 takes one for each core.", "threads"),
      Bounded(SettingType::kInt, "serve.read_threads", "4", 1, 64,
              "Threads, and connections to each file, for reads from the store.", "threads"),
      Text("serve.engine", "index",
           "What answers feeds: index, or warehouse (then warehouse.engine must be set). A service's token may ask for "
           "either with engine=."),
      Bounded(SettingType::kDuration, "serve.drain_grace", "10s", 0, 10 * kMinute,
              "How long running requests may take to end after SIGTERM."),
      Bounded(
          SettingType::kNumber, "demo.rate", "3", 0.5, 1000,
          "Of serve --demo --live and demo --live: things that people do, as the mean of a day; evenings (UTC) have "
          "1.7 times as many, nights half.",
          "actions/s"),
      Text("log.level", "info", "Least level of the lines on standard error: debug, info, warn or error."),
  };
}

std::vector<Setting> UpkeepSettings() {
  return {
      Bounded(SettingType::kDuration, "index.snapshot_every", "5m", kSecond, kDay,
              "How often the index is written to its snapshot file; a restart reads it and the log after it."),
      Bounded(SettingType::kDuration, "trending.refresh_every", "500ms", 10, kSecond,
              "How often the shared trending list is made anew; no answer uses one that is older than 1 s."),
      Bounded(SettingType::kDuration, "hot_posts.refresh_every", "60s", kSecond, 100 * kSecond,
              "How often the best posts of the last two clock hours are made anew: hot:posts:1h in the cache, and "
              "hot_posts_1h in the warehouse."),
      Bounded(SettingType::kDuration, "warmer.every", "2m", kSecond, 140 * kSecond,
              "How often the first pages of the 100 most active viewers are put into the cache, where they stay for "
              "150 s."),
      Bounded(
          SettingType::kDuration, "suggestions.refresh_every", "5m", kSecond, 9 * kMinute,
          "How often the suggested users of the 100 most active viewers are put into the cache, where they stay for "
          "10 minutes."),
      Bounded(SettingType::kSize, "cache.max_bytes", "256MiB", kMiB, kNoBound,
              "What the cache may hold; the least recently used goes first."),
      Bounded(SettingType::kDuration, "events.keep", "92d", 7 * kDay, kNoBound,
              "How long events and changes stay in the log after they came, and at least until the warehouse has them. "
              "Less than 91d needs the warehouse, which keeps events as long as interactions reach back; an event that "
              "is imported again after that time counts again."),
      Bounded(
          SettingType::kDuration, "erase.purge_every", "12h", kSecond, 20 * kHour,
          "How long after an erasure, at the latest, its purge begins: then every trace of the user leaves the files."),
      Bounded(
          SettingType::kDuration, "check.every", "0s", 0, 30 * kDay,
          "How often serve compares tables, log, warehouse and index by itself, as `novafeed check` does; 0: never."),
      Bounded(SettingType::kDuration, "check.watch_every", "60s", kSecond, kDay,
              "How often `novafeed check --watch` compares."),
      Bounded(SettingType::kSize, "events.max_bytes", "0", 0, kNoBound,
              "Size of the event log at which events are refused (507 log_full); 0: as long as the disk lasts."),
  };
}

std::vector<Setting> WarehouseSettings() {
  return {
      Text("warehouse.engine", "chdb",
           "chdb: a ClickHouse engine in a process of its own, which serve starts and watches; off: none. Where the "
           "engine is not installed, serve says so and runs without."),
      Bounded(
          SettingType::kDuration, "warehouse.source_deadline", "1s", 10, kMinute,
          "How long each source of a feed may take in the warehouse; one that is late gives nothing, and the answer "
          "says so."),
      Bounded(SettingType::kDuration, "warehouse.trending_deadline", "2s", 10, kMinute,
              "How long the warehouse may take to make the trending list that all its feeds share."),
      Bounded(SettingType::kDuration, "warehouse.suggestion_deadline", "2s", 10, kMinute,
              "How long each statement of suggested users may take in the warehouse; late is 503."),
      Bounded(SettingType::kInt, "warehouse.query_threads", "8", 3, 64,
              "Queries for feeds that are sent to the warehouse at a time.", "queries"),
      Bounded(SettingType::kDuration, "warehouse.refresh_every", "1s", 20, kMinute,
              "How often the warehouse takes in what is new in the log."),
      Bounded(SettingType::kInt, "warehouse.batch_rows", "50000", 1, 1'000'000,
              "Most entries of the log that go to the warehouse at once; a batch holds 32 MiB at most, too.",
              "entries"),
      Text("olap.library", "../libchdb/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so",
           "The engine's file; a relative path is taken from the folder of the program. ./run fetches it."),
      Text("olap.program", "",
           "The program whose `olap` command serve starts; empty: itself. A build with sanitizers needs one without."),
      Bounded(SettingType::kSize, "olap.max_memory", "1GiB", 256 * kMiB, kNoBound,
              "What all queries of the engine may take together; one query takes at most half of it."),
      Flag(
          "olap.ttl", "true",
          "Whether the engine removes rows that have outlived their TTL, by its own clock. serve --test-clock turns it "
          "off; merges are fewer then."),
      Bounded(SettingType::kInt, "olap.connections", "8", 1, 64, "Queries that run at a time; further ones wait.",
              "queries"),
      Bounded(SettingType::kDuration, "olap.longest_wait", "30s", 1, 10 * kMinute,
              "How long a query may wait for its turn (then code 202)."),
  };
}

std::vector<Setting> LimitSettings() {
  return {
      Bounded(SettingType::kSize, "limits.max_body", "1MiB", kKiB, 64 * kMiB,
              "Largest request body, as sent; larger ones are answered 413."),
      Bounded(SettingType::kSize, "limits.max_unpacked_body", "8MiB", kKiB, 256 * kMiB,
              "Largest request body after Content-Encoding: gzip is undone."),
      Bounded(SettingType::kSize, "limits.held_bodies", "256MiB", 64 * kMiB, kNoBound,
              "What the request bodies of both listeners may take together; beyond it, requests are answered 503."),
      Bounded(SettingType::kInt, "limits.max_connections", "20000", 1, 1'000'000,
              "Connections to the public listener; further ones are answered 503 and closed.", "connections"),
      Bounded(SettingType::kDuration, "limits.idle_timeout", "75s", kSecond, kHour,
              "How long a connection may wait between two requests."),
      Bounded(SettingType::kDuration, "limits.header_timeout", "10s", 100, 10 * kMinute,
              "How long the header of a request may take, from its first byte (then 408)."),
      Bounded(SettingType::kDuration, "limits.body_timeout", "30s", 100, kHour,
              "How long the body of a request may take (then 408)."),
  };
}

std::vector<Setting> RateSettings() {
  const auto per_second = [](std::string name, std::string fallback, const std::string& who) {
    return Bounded(SettingType::kNumber, std::move(name), std::move(fallback), 0, kNoBound,
                   "Requests a second for each " + who + "; 0: no limit.", "requests/s");
  };
  const auto burst = [](std::string name, std::string fallback, const std::string& who) {
    return Bounded(SettingType::kNumber, std::move(name), std::move(fallback), 1, kNoBound,
                   "Requests that each " + who + " may send at once after a pause.", "requests");
  };
  return {
      per_second("rate.user_per_second", "50", "user token"),
      burst("rate.user_burst", "200", "user token"),
      per_second("rate.service_per_second", "0", "service or admin token"),
      burst("rate.service_burst", "1000", "service or admin token"),
      per_second("rate.stranger_per_second", "10", "network address without a valid token"),
      burst("rate.stranger_burst", "50", "network address without a valid token"),
      Bounded(SettingType::kInt, "rate.max_callers", "100000", 100, 10'000'000,
              "Callers whose rate is remembered at a time.", "callers"),
  };
}

Status CheckUrl(const Settings& settings, const std::string& name, std::initializer_list<std::string_view> schemes) {
  const std::string& url = settings.String(name);
  std::string known;
  for (const std::string_view scheme : schemes) {
    if (url.starts_with(scheme)) return {};
    known.append(known.empty() ? "" : ", ").append(scheme);
  }
  // Not the URL itself: somebody may have put a password there.
  return Fail(Failure::kInvalid, "bad_setting", name + " begins with one of " + known + ": see docs/configuration.md.");
}

Status CheckUrls(const Settings& settings) {
  if (Status graph = CheckUrl(settings, "graph.url", {kOwnStore, "postgresql://"}); !graph) return graph;
  if (Status log = CheckUrl(settings, "log.url", {kOwnStore, "kafka://", "kafkas://"}); !log) return log;
  if (Status cache = CheckUrl(settings, "cache.url", {kOwnCache, "redis://", "rediss://"}); !cache) return cache;
  const std::string& olap = settings.String("olap.url");
  if (!olap.empty()) {
    if (Status url = CheckUrl(settings, "olap.url", {"http://", "https://", "clickhouse://"}); !url) return url;
  }
  const bool own_graph = settings.String("graph.url") == kOwnStore;
  if (own_graph != (settings.String("log.url") == kOwnStore)) {
    return Fail(Failure::kInvalid, "bad_setting",
                "graph.url and log.url go together: sqlite: for both, or a graph in PostgreSQL, whose changes Debezium "
                "writes to Kafka.");
  }
  if (!olap.empty() && settings.String("warehouse.engine") == kNoEngine) {
    return Fail(Failure::kInvalid, "bad_setting",
                "olap.url names a warehouse, and warehouse.engine is off: leave one.");
  }
  return {};
}

Result<std::string> ReadWholeFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file.is_open() || file.bad()) {
    return Fail(Failure::kNotFound, "no_config_file",
                "The configuration file " + path + " cannot be read: check the path given with --config.");
  }
  return text;
}

}  // namespace

std::vector<Setting> NovafeedSettings() {
  std::vector<Setting> table;
  for (auto* part : {&ListenerSettings, &EngineSettings, &ServingSettings, &UpkeepSettings, &WarehouseSettings,
                     &LimitSettings, &RateSettings}) {
    for (Setting& setting : part()) table.push_back(std::move(setting));
  }
  return table;
}

Result<Settings> LoadSettings(const SettingFlags& flags) {
  SettingSources sources;
  sources.environment = ProcessEnvironment();
  sources.overrides = flags.overrides;
  if (!flags.config_file.empty()) {
    Result<std::string> text = ReadWholeFile(flags.config_file);
    if (!text) return tl::unexpected<Error>(std::move(text.error()));
    sources.file_name = flags.config_file;
    sources.file_text = std::move(*text);
  }
  return Settings::Load(NovafeedSettings(), sources);
}

Status CheckEngines(const Settings& settings) {
  if (Status urls = CheckUrls(settings); !urls) return urls;
  if (Status safe = RefusePlainPasswords(settings); !safe) return safe;
  const std::string& warehouse = settings.String("warehouse.engine");
  if (warehouse != kChdbEngine && warehouse != kNoEngine) {
    return Fail(Failure::kInvalid, "bad_setting", "warehouse.engine is chdb or off, not \"" + warehouse + "\".");
  }
  const std::string& feeds = settings.String("serve.engine");
  if (feeds != "index" && feeds != "warehouse") {
    return Fail(Failure::kInvalid, "bad_setting", "serve.engine is index or warehouse, not \"" + feeds + "\".");
  }
  if (feeds == "warehouse" && warehouse == kNoEngine) {
    return Fail(Failure::kInvalid, "bad_setting", "serve.engine = \"warehouse\" needs warehouse.engine = \"chdb\".");
  }
  if (warehouse == kNoEngine && settings.Duration("events.keep") < kKeptWithoutWarehouse) {
    return Fail(Failure::kInvalid, "bad_setting",
                "events.keep is at least 91d where warehouse.engine is off: nothing else keeps the events.");
  }
  return {};
}

const std::string& KeysDirectory(const Settings& settings) {
  const std::string& named = settings.String("keys.directory");
  return named.empty() ? settings.String("data.directory") : named;
}

Result<LogLevel> LogLevelOf(const Settings& settings) {
  const std::string& name = settings.String("log.level");
  if (name == "debug") return LogLevel::kDebug;
  if (name == "info") return LogLevel::kInfo;
  if (name == "warn") return LogLevel::kWarn;
  if (name == "error") return LogLevel::kError;
  return Fail(Failure::kInvalid, "bad_setting", "log.level is debug, info, warn or error, not \"" + name + "\".");
}

std::string RenderConfigurationPage() {
  return kPageHead + RenderSettingsReference(NovafeedSettings());
}

}  // namespace novafeed
