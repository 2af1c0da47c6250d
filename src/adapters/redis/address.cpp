#include "adapters/redis/address.h"

#include <algorithm>

namespace novafeed {
namespace {

bool IsNumber(std::string_view text, std::size_t digits) {
  return !text.empty() && text.size() <= digits && text.find_first_not_of("0123456789") == text.npos;
}

tl::unexpected<Error> Bad(const std::string& why) {
  return Fail(Failure::kInvalid, "bad_redis_url",
              "The address of Redis is redis://[user@]host[:port][/database], or rediss:// for TLS: " + why);
}

// Takes what stands before `mark`, and the mark; nothing where it is not there.
std::string_view TakeBefore(std::string_view* text, char mark) {
  const std::size_t at = text->find(mark);
  if (at == text->npos) return {};
  const std::string_view before = text->substr(0, at);
  text->remove_prefix(at + 1);
  return before;
}

}  // namespace

Result<RedisAddress> ParseRedisUrl(std::string_view url) {
  RedisAddress address;
  address.tls = url.starts_with("rediss://");
  if (!address.tls && !url.starts_with("redis://")) return Bad("it begins with neither.");
  url.remove_prefix(address.tls ? 9 : 8);
  if (url.find('@') != url.npos) address.user = TakeBefore(&url, '@');
  if (address.user.find(':') != address.user.npos) return Bad("a password belongs in a file, not in an address.");

  if (const std::size_t slash = url.find('/'); slash != url.npos) {
    if (slash + 1 < url.size()) address.database = url.substr(slash + 1);
    url = url.substr(0, slash);
  }
  const std::size_t host_end = url.starts_with('[') ? url.find(']') : 0;
  if (host_end == url.npos) return Bad("a bracket is not closed.");
  const std::size_t colon = std::min(url.find(':', host_end), url.size());
  std::string_view host = url.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (colon < url.size()) address.port = url.substr(colon + 1);
  address.host = host;
  if (address.host.empty() || address.host.find_first_of(" @?#[]") != host.npos) return Bad("it names no host.");
  if (!IsNumber(address.port, 5)) return Bad("the port is no number.");
  if (!IsNumber(address.database, 4)) return Bad("the database is no number.");
  return address;
}

}  // namespace novafeed
