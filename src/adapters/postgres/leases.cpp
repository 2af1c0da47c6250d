#include "adapters/postgres/leases.h"

#include "adapters/postgres/retries.h"

namespace novafeed::postgres {
namespace {

// clock_timestamp(), since now() is the time of the statement's beginning, which may have waited for the row since.
constexpr Statement kTake = {
    "taking a lease",
    "INSERT INTO leases (name, holder, expires_at) "
    "VALUES ($1, $2, clock_timestamp() + $3::bigint * interval '1 millisecond') "
    "ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at "
    "WHERE leases.holder = excluded.holder OR leases.expires_at <= clock_timestamp()"};
constexpr Statement kGiveBack = {"giving back a lease", "DELETE FROM leases WHERE name = $1 AND holder = $2"};

}  // namespace

// It may be done twice, where the connection was lost: then the second extends what the first has taken.
bool TakeLease(ConnectionPool* connections, std::string_view name, std::string_view holder,
               std::chrono::milliseconds ttl) {
  return WithConnection(connections, [&](Connection& connection) {
    return connection.Execute(kTake, name, holder, std::int64_t{ttl.count()}).affected() == 1;
  });
}

void GiveBackLease(ConnectionPool* connections, std::string_view name, std::string_view holder) {
  WithConnection(connections,
                 [&](Connection& connection) { return connection.Execute(kGiveBack, name, holder).affected(); });
}

}  // namespace novafeed::postgres
