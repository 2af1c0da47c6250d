#include "adapters/kafka/address.h"

namespace novafeed::kafka {
namespace {

constexpr std::string_view kDefaultPort = "9092";

tl::unexpected<Error> Bad(const std::string& why) {
  return Fail(Failure::kInvalid, "bad_kafka_url",
              "The address of Kafka is kafka://[user@]host[:port][,host[:port]...], or kafkas:// for TLS: " + why);
}

bool IsPort(std::string_view text) {
  return !text.empty() && text.size() <= 5 && text.find_first_not_of("0123456789") == text.npos;
}

Result<std::string> BrokerOf(std::string_view text) {
  const std::size_t host_end = text.starts_with('[') ? text.find(']') : 0;
  if (host_end == text.npos) return Bad("a bracket is not closed.");
  const std::size_t colon = text.find(':', host_end);
  const std::string_view host = text.substr(0, colon);
  const std::string_view port = colon == text.npos ? kDefaultPort : text.substr(colon + 1);
  if (host.empty() || host.find_first_of(" @?#/") != host.npos) return Bad("a broker has no name.");
  if (!IsPort(port)) return Bad("a port is no number.");
  return std::string(host) + ":" + std::string(port);
}

}  // namespace

Result<Address> ParseUrl(std::string_view url) {
  Address address;
  address.tls = url.starts_with("kafkas://");
  if (!address.tls && !url.starts_with("kafka://")) return Bad("it begins with neither.");
  url.remove_prefix(address.tls ? 9 : 8);
  if (const std::size_t at = url.find('@'); at != url.npos) {
    address.user = url.substr(0, at);
    url.remove_prefix(at + 1);
    if (address.user.empty()) return Bad("the user has no name.");
    if (address.user.find(':') != address.user.npos) return Bad("a password belongs in a file, not in an address.");
  }
  if (url.ends_with('/')) url.remove_suffix(1);
  while (true) {
    const std::size_t comma = url.find(',');
    const Result<std::string> broker = BrokerOf(url.substr(0, comma));
    if (!broker) return tl::unexpected<Error>(broker.error());
    address.brokers += (address.brokers.empty() ? "" : ",") + *broker;
    if (comma == url.npos) return address;
    url.remove_prefix(comma + 1);
  }
}

}  // namespace novafeed::kafka
