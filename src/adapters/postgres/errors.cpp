#include "adapters/postgres/errors.h"

#include "base/text.h"

namespace novafeed::postgres {
namespace {

constexpr std::int64_t kRetryAfterMs = 1000;

bool IsConflict(std::string_view state) {
  // Serialization, deadlock, unique key, a lock that was waited for long enough.
  return state == "40001" || state == "40P01" || state == "23505" || state == "55P03";
}

// The server ends or starts, or this connection is not one that can write (it became a standby).
bool IsLost(std::string_view state) {
  return state.starts_with("08") || state == "57P01" || state == "57P02" || state == "57P03" || state == "25006" ||
         state == "25P03" || state == "53300";
}

}  // namespace

Conflict::Conflict(const std::string& what)
    : StoreError(Error{Failure::kUnavailable, "write_conflict",
                       "Others kept changing the same rows (" + what + "): try again.", kRetryAfterMs}) {}

ConnectionLost Lost(const std::string& cause) {
  const std::string sentence = cause.ends_with('.') ? cause.substr(0, cause.size() - 1) : cause;
  return ConnectionLost(
      Error{Failure::kUnavailable, "database_unavailable", "The database cannot be reached at the moment: try again.",
            kRetryAfterMs},
      "The database cannot be reached: " + RepairUtf8(sentence) + ". Check that PostgreSQL runs, and graph.url.");
}

void ThrowServerError(std::string_view doing, std::string_view sqlstate, std::string_view message) {
  const std::string what = std::string(doing) + " failed: " + RepairUtf8(message);
  const std::string coded = what + " (SQLSTATE " + std::string(sqlstate) + ")";
  if (IsConflict(sqlstate)) throw Conflict(what);
  if (IsLost(sqlstate)) throw Lost(coded);
  if (sqlstate == "57014") {
    throw StoreError(Error{Failure::kUnavailable, "database_slow",
                           "The database did not answer in time (" + std::string(doing) + "): try again.",
                           kRetryAfterMs});
  }
  if (sqlstate == "53100") {
    throw StoreError(
        Error{Failure::kStorageFull, "disk_full", "The database's disk is full: free some space on it; " + coded, 0});
  }
  throw StoreError(Error{Failure::kInternal, "database_failed", "The database refused a statement; " + coded, 0});
}

}  // namespace novafeed::postgres
