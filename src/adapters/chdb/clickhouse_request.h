// A request of ClickHouse's HTTP interface, taken apart. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "adapters/chdb/engine.h"
#include "http/message.h"

namespace novafeed {

struct ClickHouseCredentials {
  std::string user;
  std::string password;
};

struct ClickHouseRequest {
  std::optional<ClickHouseCredentials> credentials;
  std::string query;             // the parameter `query`; the body goes on where it ends
  std::string database;          // empty: none named
  std::string format;            // where the statement names none; empty: TabSeparated
  std::string query_id;          // empty: none given
  NamedTexts params;             // param_NAME, without that prefix
  NamedTexts settings;           // all other parameters
  bool compress_answer = false;  // enable_http_compression=1, and the client takes gzip
};

// ClickHouse's error where the request is malformed, or asks for what is not spoken here (sessions, its own
// compression).
ClickHouseResult<ClickHouseRequest> ParseClickHouseRequest(const HttpRequest& request);

// True for "127.0.0.1", "localhost", "[::1]", each with or without a port: what a browser names that was not lured here
// by a name that resolves to this machine.
bool IsLoopbackHost(std::string_view host);

}  // namespace novafeed
