// The address of a Kafka cluster, as a setting carries it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace novafeed::kafka {

struct Address {
  bool tls = false;
  std::string user;     // of SASL; empty: nobody logs in
  std::string brokers;  // "host:port,host:port"
};

// "kafka://broker:9092", "kafkas://user@one:9093,two:9093" (TLS). Without a port 9092. kInvalid "bad_kafka_url"; a
// password has no place in it.
Result<Address> ParseUrl(std::string_view url);

}  // namespace novafeed::kafka
