// Result<T>: what a function returns when something expected can go wrong.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace novafeed {

// Why a call failed, independent of any protocol. api/problem.cpp holds the one table from Failure to HTTP status.
enum class Failure {
  kInvalid,          // malformed, or a bad parameter (400)
  kUnauthenticated,  // no or bad token (401)
  kForbidden,        // known caller, not allowed (403)
  kNotFound,         // (404)
  kConflict,         // (409)
  kTooLarge,         // (413)
  kUnsupported,      // media type or encoding (415)
  kUnprocessable,    // well-formed but wrong (422)
  kRateLimited,      // (429)
  kUnavailable,      // try again later: booting, overloaded, a deadline passed (503)
  kStorageFull,      // disk or configured log size is exhausted (507)
  kInternal,         // a bug or a broken environment (500)
};

// An error that a person or a program can act on.
struct Error {
  Failure failure = Failure::kInternal;
  std::string code;                 // stable, snake_case: what a program tests ("unknown_post")
  std::string detail;               // a sentence that says what is wrong and what to do
  std::int64_t retry_after_ms = 0;  // > 0 for kRateLimited and kUnavailable
};

template <class T>
using Result = tl::expected<T, Error>;

using Status = Result<void>;

inline tl::unexpected<Error> Fail(Failure failure, std::string code, std::string detail,
                                  std::int64_t retry_after_ms = 0) {
  return tl::unexpected<Error>(Error{failure, std::move(code), std::move(detail), retry_after_ms});
}

}  // namespace novafeed
