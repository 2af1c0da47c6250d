// For tests: the ClickHouse engine in a process of its own, over a temporary directory. Not for product code.
#pragma once

#include <chrono>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "adapters/clickhouse/open.h"
#include "app/olap_process.h"
#include "app/program_path.h"
#include "base/metrics.h"
#include "base/test_support.h"
#include "warehouse/olap.h"

namespace novafeed::testing {

// The engine of the release build, as in the product: it is the program beside the tests, or NOVAFEED_BINARY.
class TestOlap {
 public:
  TestOlap() : process_(Options(directory_.path().string()), &metrics_) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    while (!process_.Endpoint()) {
      if (std::chrono::steady_clock::now() > deadline || !process_.LastFailure().empty()) {
        throw std::runtime_error("The ClickHouse engine does not start: " + process_.LastFailure());
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    writer_ = Connect(&OlapUsers::writer);
    reader_ = Connect(&OlapUsers::reader);
  }

  Olap& writer() { return *writer_; }
  Olap& reader() { return *reader_; }

 private:
  static OlapProcessOptions Options(const std::string& directory) {
    OlapProcessOptions options;
    const char* program = std::getenv("NOVAFEED_BINARY");
    options.program = program != nullptr ? program : FromProgramFolder("../novafeed");
    options.data_directory = directory;
    options.arguments = {"olap", "--data", directory, "--listen", "127.0.0.1:0"};
    options.quiet = true;
    return options;
  }

  std::unique_ptr<Olap> Connect(OlapUser OlapUsers::* user) {
    const OlapEndpoint endpoint = process_.Endpoint().value();
    const OlapUser& who = endpoint.users.*user;
    return OpenClickHouse(ClickHouseEndpoint{endpoint.url, who.name, who.password});
  }

  TempDirectory directory_;
  Metrics metrics_;
  OlapProcess process_;
  std::unique_ptr<Olap> writer_;
  std::unique_ptr<Olap> reader_;
};

}  // namespace novafeed::testing
