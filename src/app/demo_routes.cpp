#include "app/demo_routes.h"

#include <boost/asio/awaitable.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/parameters.h"
#include "api/problem.h"
#include "api/render.h"
#include "base/json.h"
#include "runtime/await.h"
#include "social/ids.h"

namespace novafeed {
namespace {

constexpr TimeMs kDemoTokenLife = kMsPerDay;
constexpr std::size_t kSearchedUsers = 10'000;  // a demo has hundreds

using Work = Result<std::string> (*)(const DemoDependencies&, const HttpRequest&);

// Of the letters of ASCII: a demo's names have no others.
std::string InLowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// Whether a word of the text begins with these letters.
bool HasWord(std::string_view text, std::string_view beginning) {
  while (!text.starts_with(beginning)) {
    const std::size_t blank = text.find(' ');
    if (blank == text.npos) return false;
    text.remove_prefix(blank + 1);
  }
  return true;
}

Result<std::string> ListUsers(const DemoDependencies& dependencies, const HttpRequest& request) {
  const Result<QueryParams> query = ParseQuery(request);
  if (!query) return tl::unexpected<Error>(query.error());
  const Result<std::size_t> limit = LimitParam(*query);
  if (!limit) return tl::unexpected<Error>(limit.error());
  std::vector<User> users = dependencies.graph->ListUsers("", kSearchedUsers);
  std::erase_if(users, [prefix = InLowerCase(query->Get("prefix").value_or(""))](const User& user) {
    return !InLowerCase(user.handle).starts_with(prefix) && !HasWord(InLowerCase(user.name), prefix);
  });
  if (users.size() > *limit) users.resize(*limit);

  std::string body;
  EntityWriter writer(&body);
  writer.json().BeginObject().Key("users").BeginArray();
  for (const User& user : users) writer.Write(user, dependencies.counts(user.id));
  writer.json().EndArray().EndObject();
  return body;
}

Result<std::string> MakeToken(const DemoDependencies& dependencies, const HttpRequest& request) {
  const Result<boost::json::value> document = JsonBody(request);
  if (!document) return tl::unexpected<Error>(document.error());
  JsonFields fields(*document);
  const Result<std::string> text = fields.RequireString("user_id");
  if (!text) return tl::unexpected<Error>(text.error());
  if (const Status others = fields.RefuseOthers(); !others) return tl::unexpected<Error>(others.error());
  const Result<UserId> user = PathIdAs<UserId>(IdKind::kUser, *text);
  if (!user) return tl::unexpected<Error>(user.error());
  if (!dependencies.graph->GetUser(*user)) {
    return Fail(Failure::kNotFound, "unknown_user", "There is no such user in this demo: take one of GET /demo/users.");
  }

  const TimeMs now = dependencies.clock->Now();
  std::string body;
  JsonWriter json(&body);
  json.BeginObject().Key("token").String(SignToken(*dependencies.keys, *user, Scope::kUser, now, kDemoTokenLife));
  json.Key("expires_at").Int(now + kDemoTokenLife).EndObject();
  return body;
}

boost::asio::awaitable<HttpResponse> Serve(DemoDependencies dependencies, Work work, const HttpRequest* request) {
  std::function<Result<std::string>()> call = [&dependencies, work, request] { return work(dependencies, *request); };
  const Result<std::string> done = co_await AwaitResult(dependencies.readers, std::move(call));
  if (!done) co_return ProblemOf(done.error(), request->request_id);
  co_return JsonAnswer(200, *done);
}

}  // namespace

void AddDemoRoutes(ApiService* api, const DemoDependencies& dependencies) {
  const auto add = [&](Method method, const std::string& pattern, Work work) {
    api->Add(method, pattern, [dependencies, work](const HttpRequest& request, const PathParams&) {
      return Serve(dependencies, work, &request);
    });
  };
  add(Method::kGet, "/demo/users", &ListUsers);
  add(Method::kPost, "/demo/token", &MakeToken);
}

}  // namespace novafeed
