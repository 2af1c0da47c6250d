#include "candidates/active_viewers.h"

#include <string>
#include <utility>

#include "candidates/warehouse_rows.h"
#include "warehouse/sql.h"

namespace novafeed {

Result<std::vector<UserId>> FindActiveViewers(Olap* olap, TimeMs as_of, std::size_t limit,
                                              std::chrono::milliseconds deadline) {
  const OlapParams params{{"as_of", std::to_string(as_of)}, {"limit", std::to_string(limit)}};
  auto viewers =
      ReadOlapRows(olap->Query(WarehouseSql("active_viewers"), params, ReadingCall(deadline)), [](OlapRows rows) {
        std::vector<UserId> ids;
        while (!rows.AtEnd()) ids.push_back(UserId{rows.Id()});
        return ids;
      });
  if (!viewers) return WarehouseUnavailable(viewers.error());
  return viewers;
}

}  // namespace novafeed
