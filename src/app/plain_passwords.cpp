#include "app/plain_passwords.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/postgres/open.h"
#include "app/listen_address.h"
#include "app/settings_table.h"

namespace novafeed {
namespace {

// Where a setting's password would go.
struct Way {
  std::string setting;
  std::vector<std::string> hosts;
  bool has_password = false;
  bool is_verified = false;  // by TLS, and the certificate is looked at
  std::string remedy;
};

// "host" and "[::1]" of "scheme://user@host:port,[::1]:port/rest".
std::vector<std::string> HostsOf(std::string_view url) {
  std::string_view rest = url.substr(std::min(url.find("://") + 3, url.size()));
  rest = rest.substr(0, rest.find_first_of("/?"));
  if (const std::size_t at = rest.rfind('@'); at != rest.npos) rest.remove_prefix(at + 1);
  std::vector<std::string> hosts;
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(one.size() + 1, rest.size()));
    const std::size_t host_end = one.starts_with('[') ? one.find(']') : 0;
    hosts.emplace_back(one.substr(0, one.find(':', host_end == one.npos ? 0 : host_end)));
  }
  return hosts;
}

bool LogsIn(std::string_view url) {
  return url.substr(0, url.find_first_of("/?", url.find("://") + 3)).find('@') != url.npos;
}

Status Judge(const Way& way) {
  if (!way.has_password || way.is_verified) return {};
  const auto open = std::ranges::find_if_not(way.hosts, [](const std::string& host) { return IsOnThisMachine(host); });
  if (open == way.hosts.end()) return {};
  return Fail(Failure::kInvalid, "plain_password",
              way.setting + " would send a password to " + *open + " where others can read it, or to whoever answers " +
                  "there: " + way.remedy + " Without TLS, passwords go to this machine only.");
}

Way LogWay(const Settings& settings) {
  const std::string& url = settings.String("log.url");
  return {"log.url", HostsOf(url), LogsIn(url), url.starts_with("kafkas://"),
          "write kafkas://, and log.ca_file where the system does not trust the brokers' certificates."};
}

Way CacheWay(const Settings& settings) {
  const std::string& url = settings.String("cache.url");
  return {"cache.url", HostsOf(url), !settings.String("cache.password_file").empty(), url.starts_with("rediss://"),
          "write rediss://, and cache.ca_file where the system does not trust its certificate."};
}

Way OlapWay(const Settings& settings) {
  const std::string& url = settings.String("olap.url");
  const bool has_password =
      !settings.String("olap.password_file").empty() || !settings.String("olap.reader_password_file").empty();
  return {"olap.url", HostsOf(url), has_password, url.starts_with("https://"),
          "write https://, and olap.ca_file where the system does not trust its certificate."};
}

Way GraphWay(const Settings& settings) {
  const PostgresPeer peer = PeerOfPostgres(settings.String("graph.url"));
  return {"graph.url", peer.hosts, peer.has_password || !settings.String("graph.password_file").empty(),
          peer.is_verified, "add sslmode=verify-full, and sslrootcert= with who signed its certificate."};
}

}  // namespace

Status RefusePlainPasswords(const Settings& settings) {
  std::vector<Way> ways;
  if (settings.String("log.url") != kOwnStore) ways.push_back(LogWay(settings));
  if (settings.String("cache.url") != kOwnCache) ways.push_back(CacheWay(settings));
  if (!settings.String("olap.url").empty()) ways.push_back(OlapWay(settings));
  try {
    if (settings.String("graph.url") != kOwnStore) ways.push_back(GraphWay(settings));
  } catch (const std::runtime_error& error) {
    return Fail(Failure::kInvalid, "bad_setting", error.what());
  }
  for (const Way& way : ways) {
    if (Status safe = Judge(way); !safe) return safe;
  }
  return {};
}

}  // namespace novafeed
