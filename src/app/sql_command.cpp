#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <thread>
#include <utility>

#include "adapters/chdb/users.h"
#include "app/commands.h"
#include "app/data_directory.h"
#include "app/olap_files.h"
#include "app/olap_process.h"
#include "http/client.h"

namespace novafeed {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kStartTimeout{60'000};
constexpr milliseconds kLookEvery{20};
// After a first child has failed: another process may be about to serve the same directory.
constexpr milliseconds kOtherTimeout{2000};
constexpr milliseconds kQueryTimeout{120'000};

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

// The address of who serves the engine's files; the child that was started for it, or another.
Result<std::string> WaitForOlap(const std::string& directory, const OlapProcess& child) {
  Clock::time_point deadline = Clock::now() + kStartTimeout;
  bool failed = false;
  while (Clock::now() < deadline) {
    if (const auto served = FindRunningServe(OlapDirectory(directory))) return served->url;
    if (!failed && !child.LastFailure().empty()) {
      failed = true;
      deadline = Clock::now() + kOtherTimeout;
    }
    std::this_thread::sleep_for(kLookEvery);
  }
  return Fail(Failure::kUnavailable, "no_olap", "The ClickHouse engine does not start: " + child.LastFailure());
}

Result<std::string> Ask(const std::string& url, const OlapUser& user, const std::string& target,
                        const std::string& statement) {
  Result<HttpClient> client = HttpClient::Connect(url, kQueryTimeout);
  if (!client) return tl::unexpected<Error>(client.error());
  const Headers headers{{"X-ClickHouse-User", user.name}, {"X-ClickHouse-Key", user.password}};
  Result<HttpResponse> answer = client->Send(Method::kPost, target, headers, statement);
  if (!answer) return tl::unexpected<Error>(answer.error());
  if (answer->status == 200) return std::move(answer->body);
  std::string& text = answer->body;
  text.erase(text.find_last_not_of('\n') + 1);
  return Fail(Failure::kInternal, "query_failed", std::move(text));
}

}  // namespace

Result<int> RunSql(const SqlFlags& flags) {
  const Result<std::string> statement = Statement(flags);
  if (!statement) return tl::unexpected<Error>(statement.error());
  const Result<std::string> target = Target(flags);
  if (!target) return tl::unexpected<Error>(target.error());
  const Result<Settings> settings = LoadSettings(flags.settings);
  if (!settings) return tl::unexpected<Error>(settings.error());
  const std::string& directory = settings->String("data.directory");
  if (!std::filesystem::is_directory(directory)) {
    return Fail(Failure::kNotFound, "no_directory",
                "There is no data directory " + directory + ": name one with --data, or make it with serve or import.");
  }
  KeepFilesPrivate();
  SetLogLevel(LogLevel::kError);

  Metrics metrics;
  std::unique_ptr<OlapProcess> child;
  Result<std::string> url = std::string();
  if (const auto served = FindRunningServe(OlapDirectory(directory))) {
    url = served->url;
  } else {
    OlapProcessOptions options = OlapProcessOptions::From(*settings);
    options.quiet = true;  // its end is this command's answer
    child = std::make_unique<OlapProcess>(std::move(options), &metrics);
    url = WaitForOlap(directory, *child);
  }
  if (!url) return tl::unexpected<Error>(url.error());
  const Result<OlapUsers> users = OlapUsers::Open(directory);
  if (!users) return tl::unexpected<Error>(users.error());
  const Result<std::string> answer = Ask(*url, users->reader, *target, *statement);
  if (!answer) return tl::unexpected<Error>(answer.error());
  std::cout << *answer << std::flush;
  return kExitOk;
}

}  // namespace novafeed
