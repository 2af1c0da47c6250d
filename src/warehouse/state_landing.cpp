#include "warehouse/state_landing.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "warehouse/refresh.h"
#include "warehouse/sql.h"

namespace novafeed {
namespace {

constexpr std::size_t kSlices = 16;  // of sets that one statement merges
// Days of which every share is there: events are kept for 90 days.
constexpr TimeMs kWholeDays = 89 * kMsPerDay;

const OlapCall kCountCall{std::chrono::seconds(120)};
const OlapCall kSweepCall{std::chrono::seconds(1800),
                          {{"max_partitions_per_insert_block", "0"}, {"optimize_aggregation_in_order", "1"}}};

// Carries an error out of a callback of the graph.
struct SendingFailed {
  Error error;
};

}  // namespace

Result<std::int64_t> SendState(ChangeFeed* graph, std::size_t rows, std::size_t bytes,
                               const std::function<Status(const LandingBatch&)>& send) try {
  LandingBatch batch;
  const auto send_batch = [&] {
    if (const Status sent = send(batch); !sent) throw SendingFailed{sent.error()};
    batch.Clear();
  };
  const std::int64_t cut = graph->ReadState([&](const std::vector<Change>& state) {
    for (const Change& row : state) {
      batch.Add(LandingLineOf(row));
      if (batch.rows() >= rows || batch.bytes() >= bytes) send_batch();
    }
  });
  if (batch.rows() > 0) send_batch();
  return cut;
} catch (const SendingFailed& failed) {
  return tl::unexpected<Error>(failed.error);
}

Result<std::uint64_t> SweepGhosts(Olap* olap, std::int64_t cut, TimeMs now) {
  const OlapParams version{{"version", std::to_string(cut)}};
  Result<OlapRows> counted = olap->Query(WarehouseSql("count_ghosts"), version, kCountCall);
  if (!counted) return tl::unexpected<Error>(std::move(counted.error()));
  const std::uint64_t ghosts = counted->UInt64();
  if (ghosts > 0) {
    if (Status swept = olap->Execute(WarehouseSql("sweep_ghosts"), version, kSweepCall); !swept) {
      return tl::unexpected<Error>(std::move(swept.error()));
    }
  }
  for (const std::string_view statement : {"sweep_post_totals", "sweep_post_metrics_1h", "sweep_user_author_90d"}) {
    for (const UuidRange& range : SliceUuids(kSlices)) {
      OlapParams params = version;
      params.insert(params.end(), {{"first", range.first}, {"last", range.last}});
      if (statement == "sweep_user_author_90d") params.emplace_back("days_from", std::to_string(now - kWholeDays));
      if (Status swept = olap->Execute(WarehouseSql(statement), params, kSweepCall); !swept) {
        return tl::unexpected<Error>(std::move(swept.error()));
      }
    }
  }
  return ghosts;
}

}  // namespace novafeed
