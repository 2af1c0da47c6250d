// ClickHouse's HTTP interface on the engine of this process: the subset that docs/olap.md lists.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "adapters/chdb/approved_statements.h"
#include "adapters/chdb/clickhouse_request.h"
#include "adapters/chdb/engine.h"
#include "adapters/chdb/read_only.h"
#include "adapters/chdb/users.h"
#include "http/server.h"
#include "runtime/blocking_pool.h"

namespace novafeed {

struct ClickHouseHttpOptions {
  QueryLimits limits;  // of each query; the writer may ask for others
  std::chrono::milliseconds longest_wait{
      30'000};  // for a free thread of the pool; beyond: TOO_MANY_SIMULTANEOUS_QUERIES
};

// Owned by the wiring. Answers on I/O threads; queries run on `pool`, one on each of its threads.
class ClickHouseHttp {
 public:
  // All outlive it; it outlives the server that has its handler.
  ClickHouseHttp(ChdbEngine* engine, OlapUsers users, BlockingPool* pool, ClickHouseHttpOptions options);
  ClickHouseHttp(const ClickHouseHttp&) = delete;
  ClickHouseHttp& operator=(const ClickHouseHttp&) = delete;

  RequestHandler handler();
  // Plain text, as ClickHouse's errors are.
  static ProblemMaker problem_maker();

 private:
  boost::asio::awaitable<HttpResponse> Handle(const HttpRequest* request);
  HttpResponse Answer(const HttpRequest& request, const ClickHouseRequest& parsed, OlapRole role);
  struct Job;
  ClickHouseResult<EngineAnswer> Run(const Job& job);
  ClickHouseResult<void> CheckWhole(const Job& job, const StatementAnalysis& analysis,
                                    EngineConnection* connection) const;
  ClickHouseResult<void> CheckReader(const Job& job, const StatementAnalysis& analysis, EngineConnection* connection);
  ClickHouseResult<EngineAnswer> RunStatement(const Job& job, const StatementAnalysis& analysis,
                                              EngineConnection* connection);
  std::size_t MaxResultBytes(const Job& job) const;
  EngineSession SessionOf(const Job& job) const;

  ChdbEngine* const engine_;
  const OlapUsers users_;
  BlockingPool* const pool_;
  const ClickHouseHttpOptions options_;
  ApprovedStatements approved_;
};

}  // namespace novafeed
