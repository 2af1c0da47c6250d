// How calls of the port look in ClickHouse's HTTP interface. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"
#include "warehouse/olap.h"

namespace novafeed {

// "http://host:port" of a "clickhouse://…" or "http://…" address, an "https://…" one as it is; nullopt for any other.
std::optional<std::string> HttpUrlOf(std::string_view url);

// The statements of a script: split at ';' outside of strings, quoted names and comments; without the ';' and without
// those that hold nothing. (ClickHouse takes one statement a request.)
std::vector<std::string_view> SplitStatements(std::string_view script);

// "/?param_x=…&max_execution_time=…": parameters in the form that ClickHouse reads them in (tabs, line ends and
// backslashes escaped), settings, and `query` where it is not empty.
std::string RenderTarget(std::string_view query, const OlapParams& params, const OlapCall& call);

// What the engine is told of a deadline, in seconds: rounded up to one of a few steps, because `novafeed olap` keeps a
// connection of its engine for each set of settings.
std::string MaxExecutionTime(std::chrono::milliseconds deadline);

// The error of an answer, or none. A status of 200 may carry one as well (X-ClickHouse-Exception-Code).
std::optional<Error> ErrorOf(const HttpResponse& response);

// The error of the port for one of HttpClient.
Error ErrorOf(const Error& network);

}  // namespace novafeed
