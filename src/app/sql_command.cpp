#include <boost/json.hpp>
#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "adapters/chdb/users.h"
#include "adapters/clickhouse/protocol.h"
#include "app/admin_client.h"
#include "app/commands.h"
#include "app/data_directory.h"
#include "app/olap_files.h"
#include "app/own_warehouse.h"
#include "app/password_file.h"
#include "app/stores.h"
#include "base/tls.h"
#include "http/client.h"

namespace novafeed {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kStartTimeout{60'000};
constexpr milliseconds kLookEvery{20};
constexpr milliseconds kQueryTimeout{120'000};

// What is asked, and how its answer is to be written.
struct Question {
  std::string target;
  std::string statement;
};

Result<std::string> Statement(const SqlFlags& flags) {
  if (flags.file.empty() == flags.statement.empty()) {
    return Fail(Failure::kInvalid, "bad_arguments", "Give one statement: as an argument, or in a file with --file.");
  }
  if (flags.file.empty()) return flags.statement;
  std::ifstream file(flags.file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file.is_open() || file.bad()) {
    return Fail(Failure::kNotFound, "no_file", "The file " + flags.file + " cannot be read: check its path.");
  }
  return text;
}

Result<std::string> Target(const SqlFlags& flags) {
  std::string target = "/?default_format=TabSeparatedWithNames";
  for (const std::string& param : flags.params) {
    const std::size_t equals = param.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Fail(Failure::kInvalid, "bad_arguments", "--param takes NAME=VALUE, not \"" + param + "\".");
    }
    target += "&param_" + EncodePercent(param.substr(0, equals)) + "=" + EncodePercent(param.substr(equals + 1));
  }
  return target;
}

Result<Question> MakeQuestion(const SqlFlags& flags) {
  Result<std::string> statement = Statement(flags);
  if (!statement) return tl::unexpected<Error>(statement.error());
  Result<std::string> target = Target(flags);
  if (!target) return tl::unexpected<Error>(target.error());
  return Question{*std::move(target), *std::move(statement)};
}

// Where the engine of the directory answers; it may be about to start.
Result<std::string> WaitForOlap(const std::string& directory) {
  const Clock::time_point deadline = Clock::now() + kStartTimeout;
  while (Clock::now() < deadline) {
    if (const auto served = FindRunningServe(OlapDirectory(directory))) return served->url;
    std::this_thread::sleep_for(kLookEvery);
  }
  return Fail(Failure::kUnavailable, "no_olap",
              "The ClickHouse engine of the running server does not start: see olap_ended in its log.");
}

Result<std::string> Send(HttpClient* client, const OlapUser& reader, const Question& question) {
  const Headers headers{{"X-ClickHouse-User", reader.name}, {"X-ClickHouse-Key", reader.password}};
  Result<HttpResponse> answer = client->Send(Method::kPost, question.target, headers, question.statement);
  if (!answer) return tl::unexpected<Error>(answer.error());
  if (answer->status == 200) return std::move(answer->body);
  std::string& text = answer->body;
  text.erase(text.find_last_not_of('\n') + 1);
  return Fail(Failure::kInternal, "query_failed", std::move(text));
}

Result<std::string> Ask(const std::string& directory, const Question& question) {
  const Result<std::string> url = WaitForOlap(directory);
  if (!url) return tl::unexpected<Error>(url.error());
  const Result<OlapUsers> users = OlapUsers::Open(directory);
  if (!users) return tl::unexpected<Error>(users.error());
  Result<HttpClient> client = HttpClient::Connect(*url, kQueryTimeout);
  if (!client) return tl::unexpected<Error>(client.error());
  return Send(&*client, users->reader, question);
}

// The engine of olap.url, as it is: whoever serves fills it.
Result<std::string> AskElsewhere(const Settings& settings, const Question& question) {
  if (const Status engines = CheckEngines(settings); !engines) return tl::unexpected<Error>(engines.error());
  const std::optional<std::string> url = HttpUrlOf(settings.String("olap.url"));
  if (!url)
    return Fail(Failure::kInvalid, "bad_setting", "olap.url is no http://host:port: see docs/configuration.md.");
  Result<TlsTrust> trust = TlsTrust::Load(settings.String("olap.ca_file"));
  if (!trust) return tl::unexpected<Error>(trust.error());
  Result<HttpClient> client = HttpClient::Connect(*url, kQueryTimeout, *std::move(trust));
  if (!client) {
    return Fail(Failure::kUnavailable, "no_olap", "The engine of olap.url does not answer: " + client.error().detail);
  }
  const OlapUser reader{settings.String("olap.reader"), ReadPasswordFile(settings.String("olap.reader_password_file"))};
  return Send(&*client, reader, question);
}

// `status`: what GET /admin/status says.
bool IsWarehouseOff(const std::string& status) {
  const boost::json::value parsed = boost::json::parse(status);
  const boost::json::value* warehouse = parsed.as_object().if_contains("warehouse");  // not yet while it boots
  return warehouse != nullptr && warehouse->at("state").as_string() == "off";
}

Result<std::string> AskBesideServe(const std::string& directory, const ServeInfo& served, const Question& question) {
  if (HoldsNodeOfCluster(directory)) return AskForConfig(directory);  // its engine is where its settings say
  Result<AdminClient> client = AdminClient::ToServe(directory, served);
  if (!client) return tl::unexpected<Error>(client.error());
  const Result<std::string> status = client->Send(Method::kGet, "/admin/status", "");
  if (!status) return tl::unexpected<Error>(status.error());
  if (IsWarehouseOff(*status)) {
    return Fail(Failure::kConflict, "no_warehouse",
                "The server at " + served.url + " runs without a warehouse: see warehouse.engine.");
  }
  return Ask(directory, question);
}

// With an engine of this command's own, brought up to the log's end; a `novafeed olap` that runs is asked as it is.
Result<std::string> AskStopped(const std::string& path, const Settings& settings, const Question& question) {
  const auto directory = DataDirectory::Lock(path, DataDirectory::Missing::kRefuse);
  if (!directory) return tl::unexpected<Error>(directory.error());
  if (FindRunningServe(OlapDirectory(path))) return Ask(path, question);
  const SystemClock clock;
  Metrics metrics;
  Stores stores = OpenStores(path, settings, &clock, &metrics);
  const Result<std::unique_ptr<WarehouseStack>> warehouse =
      OpenOwnWarehouse(settings, &clock, false, &stores, &metrics);
  if (!warehouse) return tl::unexpected<Error>(warehouse.error());
  if (const Status filled = AwaitFilled(warehouse->get(), stores); !filled) {
    return tl::unexpected<Error>(filled.error());
  }
  return Ask(path, question);
}

Result<std::string> AskEngine(const Settings& settings, const Question& question) {
  if (!settings.String("olap.url").empty()) return AskElsewhere(settings, question);
  const Result<std::string> directory = FindDataDirectory(settings);
  if (!directory) return directory;
  const std::optional<ServeInfo> served = FindRunningServe(*directory);
  return served ? AskBesideServe(*directory, *served, question) : AskStopped(*directory, settings, question);
}

}  // namespace

Result<int> RunSql(const SqlFlags& flags) {
  const Result<Question> question = MakeQuestion(flags);
  if (!question) return tl::unexpected<Error>(question.error());
  const Result<Settings> settings = LoadSettings(flags.settings);
  if (!settings) return tl::unexpected<Error>(settings.error());
  KeepFilesPrivate();
  SetLogLevel(LogLevel::kError);
  const Result<std::string> answer = AskEngine(*settings, *question);
  if (!answer) return tl::unexpected<Error>(answer.error());
  std::cout << *answer << std::flush;
  return kExitOk;
}

}  // namespace novafeed
