#include "api/problem.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace novafeed {
namespace {

std::string HeaderOf(const HttpResponse& response, std::string_view name) {
  for (const auto& [candidate, value] : response.headers) {
    if (candidate == name) return value;
  }
  return "";
}

TEST(Problem, EveryFailureHasItsStatus) {
  const std::map<Failure, int> expected = {
      {Failure::kInvalid, 400},     {Failure::kUnauthenticated, 401}, {Failure::kForbidden, 403},
      {Failure::kNotFound, 404},    {Failure::kConflict, 409},        {Failure::kTooLarge, 413},
      {Failure::kUnsupported, 415}, {Failure::kUnprocessable, 422},   {Failure::kRateLimited, 429},
      {Failure::kUnavailable, 503}, {Failure::kStorageFull, 507},     {Failure::kInternal, 500},
  };
  EXPECT_EQ(expected.size(), static_cast<std::size_t>(Failure::kInternal) + 1);
  for (const auto& [failure, status] : expected) EXPECT_EQ(StatusOf(failure), status);
}

TEST(Problem, HasAllMembers) {
  const HttpResponse response = MakeProblem(404, "unknown_post", "There is no \"post\".", "r-1");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(response.body, R"({"type":"urn:novafeed:problem:unknown_post","title":"Not Found","status":404,)"
                           R"("detail":"There is no \"post\".","code":"unknown_post","request_id":"r-1"})");
}

TEST(Problem, UnauthenticatedSaysHowToAuthenticate) {
  const HttpResponse response = ProblemOf(Error{Failure::kUnauthenticated, "no_token", "", 0}, "r");
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(HeaderOf(response, "WWW-Authenticate"), "Bearer realm=\"novafeed\"");
  EXPECT_EQ(HeaderOf(response, "Retry-After"), "");
}

TEST(Problem, RetryAfterIsInWholeSecondsAndNeverZero) {
  const auto retry_after = [](Failure failure, std::int64_t ms) {
    return HeaderOf(ProblemOf(Error{failure, "code", "", ms}, "r"), "Retry-After");
  };
  EXPECT_EQ(retry_after(Failure::kRateLimited, 0), "1");
  EXPECT_EQ(retry_after(Failure::kRateLimited, 1000), "1");
  EXPECT_EQ(retry_after(Failure::kRateLimited, 1001), "2");
  EXPECT_EQ(retry_after(Failure::kUnavailable, 90'000), "90");
  EXPECT_EQ(retry_after(Failure::kStorageFull, 1000), "");
}

}  // namespace
}  // namespace novafeed
