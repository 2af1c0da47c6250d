// What ClickHouse could not read of the topics that it lands by itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "stream/dead_letters.h"
#include "warehouse/olap.h"

namespace novafeed {

// For one thread. Remembers what it has given in memory only: another one begins anew.
class IngestErrors {
 public:
  // Both outlive it.
  IngestErrors(const Clock* clock, Olap* olap) : clock_(clock), olap_(olap) {}

  // Those of the last 7 days (which is how long their topics keep them) that were not given before, `limit` at most, by
  // place. Errors of the port.
  Result<std::vector<DeadLetter>> ReadNew(std::size_t limit);

 private:
  const Clock* clock_;
  Olap* olap_;
  std::map<std::string, std::int64_t> given_;  // by "topic/partition": the offset behind the last
};

}  // namespace novafeed
