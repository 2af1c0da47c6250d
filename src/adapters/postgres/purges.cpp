#include "adapters/postgres/purges.h"

#include "adapters/postgres/retries.h"
#include "graph/retired.h"

namespace novafeed::postgres {
namespace {

// Two at once would take the same numbers: the key lets one of them in, so numbers ascend in the order of commits.
constexpr Statement kNote = {
    "noting purged users",
    "INSERT INTO purged (number, digest, pseudonym, changes, purged_at) "
    "SELECT (SELECT coalesce(max(number), 0) FROM purged) + row_number() OVER (), erased.digest, erased.pseudonym, $3, "
    "$4 FROM unnest($1::text::uuid[], $2::text::uuid[]) AS erased(digest, pseudonym) "
    "ON CONFLICT (digest) DO UPDATE SET number = excluded.number, pseudonym = excluded.pseudonym, "
    "changes = excluded.changes, purged_at = excluded.purged_at"};
constexpr Statement kRead = {"reading purged users",
                             "SELECT number, digest, pseudonym, changes FROM purged WHERE number > $1 ORDER BY number"};
constexpr Statement kForget = {"forgetting purged users",
                               "DELETE FROM purged WHERE purged_at < $1 AND number < (SELECT max(number) FROM purged)"};

}  // namespace

void NotePurged(ConnectionPool* connections, std::span<const Erasure> erased, std::int64_t changes, TimeMs now) {
  const std::string digests =
      UuidArray(erased, [](const Erasure& erasure) { return RetiredDigest(RetiredKind::kUser, erasure.user.value); });
  const std::string pseudonyms = UuidArray(erased, [](const Erasure& erasure) { return erasure.pseudonym; });
  WithConnection(connections, [&](Connection& connection) {
    return connection.Execute(kNote, digests, pseudonyms, changes, Instant{now}).affected();
  });
}

std::vector<PurgedUser> ReadPurged(ConnectionPool* connections, std::int64_t after) {
  return WithConnection(connections, [&](Connection& connection) {
    std::vector<PurgedUser> purged;
    Rows rows = connection.Execute(kRead, after);
    while (rows.Next()) purged.push_back({rows.Int(0), rows.Id(1), UserId{rows.Id(2)}, rows.Int(3)});
    return purged;
  });
}

std::int64_t ForgetPurged(ConnectionPool* connections, TimeMs before) {
  return WithConnection(
      connections, [&](Connection& connection) { return connection.Execute(kForget, Instant{before}).affected(); });
}

}  // namespace novafeed::postgres
