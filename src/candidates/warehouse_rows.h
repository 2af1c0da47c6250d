// What the engines over the warehouse share: how they call it, and what they make of its answers.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/result.h"
#include "social/ids.h"
#include "warehouse/olap.h"

namespace novafeed {

// `read` throws where the bytes are not such rows.
template <class Read>
auto ReadOlapRows(Result<OlapRows> rows, Read read) -> Result<decltype(read(std::move(*rows)))> {
  if (!rows) return tl::unexpected<Error>(rows.error());
  try {
    return read(*std::move(rows));
  } catch (const std::out_of_range& error) {
    return Fail(Failure::kInternal, "bad_rows", error.what());
  }
}

inline OlapCall ReadingCall(std::chrono::milliseconds deadline) {
  OlapCall call;
  // Under FINAL only conditions on the sorting key move, and the counters of a granule's other posts need not be read.
  call.settings = {{"optimize_move_to_prewhere_if_final", "1"}};
  call.deadline = deadline;
  return call;
}

// With whom somebody interacts, or some do together, and how often.
using Interactions = boost::unordered_flat_map<UserId, std::int64_t, StrongIdHash<UserId>>;

// author_id, interaction_count.
inline Interactions ReadInteractions(OlapRows rows) {
  Interactions found;
  while (!rows.AtEnd()) {
    const UserId author{rows.Id()};
    found[author] = rows.Int64();
  }
  return found;
}

inline tl::unexpected<Error> WarehouseUnavailable(const Error& why) {
  return Fail(Failure::kUnavailable, "warehouse_unavailable",
              "The warehouse does not answer (" + why.detail + "): ask again in a moment, or the engine \"index\".",
              1000);
}

}  // namespace novafeed
