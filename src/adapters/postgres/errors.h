// What can go wrong with a database that is another process, perhaps on another machine.
#pragma once

#include <string>
#include <string_view>

#include "graph/store.h"

namespace novafeed::postgres {

// Another transaction was faster (a deadlock, a unique key, a row that is not as it was read): nothing of this one is
// kept, and run again it will see what the other has done.
class Conflict : public StoreError {
 public:
  explicit Conflict(const std::string& what);
};

// The server is not there, ends, or the connection is lost; it is of no use any more. kUnavailable.
class ConnectionLost : public StoreError {
 public:
  using StoreError::StoreError;
};

// "database_unavailable"; what() also says what is known about the cause.
ConnectionLost Lost(const std::string& cause);

// The exception for an error that the server has reported: `doing` says what was tried ("finding a user").
[[noreturn]] void ThrowServerError(std::string_view doing, std::string_view sqlstate, std::string_view message);

}  // namespace novafeed::postgres
