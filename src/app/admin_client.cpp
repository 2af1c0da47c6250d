#include "app/admin_client.h"

#include <boost/json/value.hpp>
#include <chrono>
#include <thread>
#include <utility>

#include "access/tokens.h"
#include "base/json.h"

namespace novafeed {
namespace {

// Building an index for another instant takes its time.
constexpr std::chrono::minutes kTimeout{10};
constexpr int kAttempts = 60;
constexpr std::chrono::seconds kBetweenAttempts{1};
constexpr int kServiceUnavailable = 503;
// Longer than any command takes.
constexpr TimeMs kOwnTokenLife = kMsPerDay;
// Any user: the token is this machine's own.
const UserId kNobody{};

Failure FailureOf(int status) {
  switch (status) {
    case 401:
      return Failure::kUnauthenticated;
    case 403:
      return Failure::kForbidden;
    case 404:
      return Failure::kNotFound;
    case kServiceUnavailable:
      return Failure::kUnavailable;
    case 507:
      return Failure::kStorageFull;
    default:
      return Failure::kInternal;
  }
}

}  // namespace

Error RefusalOf(const HttpResponse& response) {
  if (const Result<boost::json::value> problem = ParseJson(response.body)) {
    JsonFields fields(*problem);
    Result<std::string> code = fields.RequireString("code");
    Result<std::string> detail = fields.RequireString("detail");
    if (code && detail) return Error{FailureOf(response.status), std::move(*code), std::move(*detail)};
  }
  return Error{FailureOf(response.status), "unexpected_answer",
               "The server answered " + std::to_string(response.status) +
                   " without a reason: check that the address is that of a Novafeed server."};
}

Result<AdminClient> AdminClient::Connect(const std::string& url, std::string token) {
  Result<HttpClient> http = HttpClient::Connect(url, kTimeout);
  if (!http) return tl::unexpected<Error>(http.error());
  return AdminClient(std::move(*http), std::move(token));
}

Result<AdminClient> AdminClient::ToServe(const std::string& directory, const ServeInfo& served) {
  const Result<KeyRing> keys = KeyRing::Open(served.keys_directory);
  if (!keys) return tl::unexpected<Error>(keys.error());
  return Connect(served.admin_url, SignToken(*keys, kNobody, Scope::kAdmin, DirectoryNow(directory), kOwnTokenLife));
}

Result<std::string> AdminClient::Send(Method method, std::string_view target, std::string_view body) {
  const Headers headers = {{"Authorization", "Bearer " + token_}, {"Content-Type", "application/json"}};
  for (int attempt = 1;; ++attempt) {
    Result<HttpResponse> response = http_.Send(method, target, headers, body);
    if (!response) return tl::unexpected<Error>(response.error());
    if (response->status == 200) return std::move(response->body);
    if (response->status != kServiceUnavailable || attempt == kAttempts) {
      return tl::unexpected<Error>(RefusalOf(*response));
    }
    std::this_thread::sleep_for(kBetweenAttempts);
  }
}

}  // namespace novafeed
