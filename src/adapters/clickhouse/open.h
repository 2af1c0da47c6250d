// The analytical database over ClickHouse's HTTP interface: `novafeed olap` and a ClickHouse server alike.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "warehouse/olap.h"

namespace novafeed {

struct ClickHouseEndpoint {
  std::string url;  // "clickhouse://host:port" or "http://host:port"; "https://host:port" by TLS
  std::string user;
  std::string password;
  friend bool operator==(const ClickHouseEndpoint&, const ClickHouseEndpoint&) = default;
};

struct ClickHouseOptions {
  std::string ca_file;  // of TLS: whom to trust, as PEM; empty: whom the system trusts
  std::chrono::milliseconds connect_timeout{1000};
  std::size_t max_connections = 8;  // calls that run at a time; further ones wait for one, within their deadline
};

// Asked before each call, so an engine may come back at another address; nullopt while there is none
// ("olap_unavailable"). Thread-safe.
using ClickHouseLocator = std::function<std::optional<ClickHouseEndpoint>()>;

// Both throw std::runtime_error with a sentence where the file of whom to trust cannot be read.
//
// Connects with the first call. Never sends anything twice: what a caller may repeat is the caller's to know.
std::unique_ptr<Olap> OpenClickHouse(ClickHouseLocator locate, ClickHouseOptions options = {});

// The same for one that stays where it is. Throws also where `url` is none.
std::unique_ptr<Olap> OpenClickHouse(const ClickHouseEndpoint& endpoint, ClickHouseOptions options = {});

}  // namespace novafeed
