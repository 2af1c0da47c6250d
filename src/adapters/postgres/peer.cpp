#include <libpq-fe.h>

#include <algorithm>
#include <map>
#include <memory>
#include <stdexcept>
#include <string_view>

#include "adapters/postgres/open.h"

namespace novafeed {
namespace {

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using Options = std::unique_ptr<PQconninfoOption, FreeOptions>;

// What the options say; what they already said in `said` stays.
void Add(const Options& options, std::map<std::string, std::string>* said) {
  for (const PQconninfoOption* option = options.get(); option != nullptr && option->keyword != nullptr; ++option) {
    if (option->val != nullptr && *option->val != '\0') said->emplace(option->keyword, option->val);
  }
}

}  // namespace

PostgresPeer PeerOfPostgres(const std::string& url) {
  const Options parsed(PQconninfoParse(url.c_str(), nullptr));
  // Not what libpq says: it repeats the URL, and somebody may have put a password there.
  if (!parsed) throw std::runtime_error("The database's URL is none that PostgreSQL understands.");
  std::map<std::string, std::string> said;
  Add(parsed, &said);
  Add(Options(PQconndefaults()), &said);

  PostgresPeer peer;
  // An address is where it goes; the name beside it is only what the certificate must say.
  std::string_view hosts = said.contains("hostaddr") ? said["hostaddr"] : said["host"];
  while (!hosts.empty()) {
    const std::string_view one = hosts.substr(0, hosts.find(','));
    hosts.remove_prefix(std::min(one.size() + 1, hosts.size()));
    peer.hosts.emplace_back(one);
  }
  peer.has_password = said.contains("password") || said.contains("passfile");
  peer.is_verified = said["sslmode"] == "verify-full" || said["sslmode"] == "verify-ca";
  return peer;
}

}  // namespace novafeed
