#include "app/live_driver.h"

#include <algorithm>
#include <boost/json/value.hpp>
#include <charconv>
#include <cmath>
#include <span>
#include <utility>

#include "app/admin_client.h"
#include "app/live_api.h"
#include "base/json.h"
#include "demo/rhythm.h"

namespace novafeed {
namespace {

constexpr std::chrono::seconds kDeadline{5};
constexpr std::chrono::seconds kMostBehind{1};
constexpr int kMostRefusals = 20;
constexpr std::size_t kMet = 5;                         // people who are looked for: one of them may be erased
constexpr TimeMs kRenewBefore = 5 * 60 * kMsPerSecond;  // before a token's end
constexpr std::array<std::string_view, kLiveActs> kDone{"feeds read", "looks",    "views",         "shares",
                                                        "likes",      "comments", "posts written", "discoveries",
                                                        "follows",    "unfollows"};

bool IsBusy(int status) {
  return status == 429 || status == 503;
}

std::string_view HeaderOf(const HttpResponse& response, std::string_view name) {
  const auto found =
      std::ranges::find_if(response.headers, [name](const auto& header) { return SameHeaderName(header.first, name); });
  return found == response.headers.end() ? std::string_view() : std::string_view(found->second);
}

std::chrono::steady_clock::time_point Deadline() {
  return std::chrono::steady_clock::now() + kDeadline;
}

}  // namespace

std::string LiveTally::Summary() const {
  std::string summary;
  for (std::size_t act = 0; act < kLiveActs; ++act) {
    const bool seen = act == static_cast<std::size_t>(LiveAct::kSee);
    summary += std::to_string(seen ? impressions : steps[act]) + " " + (seen ? "impressions" : std::string(kDone[act]));
    summary += ", ";
  }
  return summary + std::to_string(refused) + " refused, " + std::to_string(waits) + " waits";
}

std::chrono::milliseconds LiveBackoff::Next(std::string_view retry_after) {
  const std::chrono::milliseconds own = std::exchange(next_, std::min(2 * next_, kLongest));
  int seconds = 0;
  const auto [end, error] = std::from_chars(retry_after.data(), retry_after.data() + retry_after.size(), seconds);
  if (error != std::errc() || end != retry_after.data() + retry_after.size() || seconds < 0) return own;
  return std::clamp<std::chrono::milliseconds>(std::chrono::seconds(seconds), kFirst, kLongest);
}

std::string DescribeLiveRate(double mean_rate, TimeMs now) {
  const auto a_minute = [](double a_second) { return std::to_string(std::lround(60 * a_second)); };
  return "Its people do about " + a_minute(LiveRateAt(mean_rate, now)) + " things a minute at this hour (UTC), " +
         a_minute(BusiestLiveRate(mean_rate)) + " in the busiest one.";
}

LiveDriver::LiveDriver(LiveDriverOptions options, const Clock* clock)
    : options_(std::move(options)), clock_(clock), network_(options_.network) {}

void LiveDriver::Stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
}

bool LiveDriver::WaitUntil(TimePoint due) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_until(lock, due, [this] { return stopping_; });
}

Status LiveDriver::Run() {
  Result<HttpClient> client = HttpClient::Connect(options_.url, kDeadline);
  if (!client) return tl::unexpected<Error>(client.error());
  client_ = std::move(*client);
  if (Status met = Meet(); !met) return met;
  if (options_.begun) options_.begun();
  TimePoint due = TimePoint::clock::now();
  while (true) {
    // By the clock, so that the time of a request takes nothing from the rate; after a rest, people do not catch up.
    due = std::max(due + network_.Pause(clock_->Now()), TimePoint::clock::now() - kMostBehind);
    if (!WaitUntil(due)) return {};
    if (Status performed = Perform(network_.Next()); !performed) return performed;
    if (options_.progress) options_.progress(tally_);
  }
}

// Whether this is the network whose people are to act.
Status LiveDriver::Meet() {
  std::optional<HttpResponse> answer;
  for (const DemoPerson& person : std::span(network_.people()).first(kMet)) {
    const std::string target = "/api/v1/users/" + person.id.id.ToString();
    do {  // an answer that was lost tells nothing
      answer = SendPatiently([&] { return SendAs(person, Method::kGet, target, ""); });
    } while (!answer && WaitUntil(TimePoint::clock::now()));
    if (!answer || answer->status == 200) return {};
    if (answer->status != 404) return tl::unexpected<Error>(RefusalOf(*answer));
  }
  const std::string code = RefusalOf(*answer).code;
  if (!options_.service_token && code != "unknown_user") {
    return Fail(
        Failure::kNotFound, "no_demo",
        "The server is no demo, so that nobody may act as anybody: give a token of service scope with --token.");
  }
  return Fail(Failure::kNotFound, "no_demo_network",
              "The server does not know @" + network_.people().front().handle +
                  ", so the demo network of this --seed is not there: make "
                  "it with novafeed demo --url, or name the seed that it was made with.");
}

Status LiveDriver::Perform(const LiveStep& step) {
  const auto answer = SendPatiently([&] {
    const LiveCall call = CallFor(step, clock_->Now());
    return SendAs(*step.person, call.method, call.target, call.body);
  });
  if (!answer) return {};
  if (answer->status >= 200 && answer->status < 300) {
    refusals_ = 0;
    Took(step, answer->body);
    return {};
  }
  ++tally_.refused;
  if (answer->status >= 500) {  // the disk is full, say: neither the step's fault, nor for ever
    WaitUntil(TimePoint::clock::now() + LiveBackoff::kFirst);
    return {};
  }
  if (++refusals_ >= kMostRefusals) return tl::unexpected<Error>(RefusalOf(*answer));
  return {};
}

void LiveDriver::Took(const LiveStep& step, const std::string& body) {
  ++tally_.steps[static_cast<std::size_t>(step.act)];
  tally_.impressions += static_cast<std::int64_t>(step.posts.size());
  if (step.act == LiveAct::kReadFeed) network_.SawFeed(ReadFeedItems(body));
  if (step.act == LiveAct::kDiscover) network_.SawSuggestions(ReadSuggestions(body));
}

std::optional<HttpResponse> LiveDriver::SendPatiently(const std::function<Result<HttpResponse>()>& send) {
  while (true) {
    Result<HttpResponse> answer = send();
    if (answer && !IsBusy(answer->status)) {
      backoff_.Reset();
      return std::move(*answer);
    }
    ++tally_.waits;
    const auto rest = backoff_.Next(answer ? HeaderOf(*answer, "Retry-After") : "");
    if (!WaitUntil(TimePoint::clock::now() + rest)) return std::nullopt;
    // The server may have taken what it did not answer: sent again, a post would be there twice.
    if (!answer && answer.error().code != "cannot_connect") {
      ++tally_.refused;
      return std::nullopt;
    }
  }
}

Result<HttpResponse> LiveDriver::SendAs(const DemoPerson& person, Method method, std::string_view target,
                                        std::string_view body) {
  auto authorized = Authorize(person);
  if (!authorized) return tl::unexpected<Error>(authorized.error());
  if (!*authorized) return std::move(authorized->error());
  Headers headers = std::move(**authorized);
  if (!body.empty()) headers.emplace_back("Content-Type", "application/json");
  Result<HttpResponse> answer = client_->SendOnce(method, target, headers, body, Deadline());
  if (answer && answer->status == 401) tokens_.erase(person.id.id);
  return answer;
}

Result<tl::expected<Headers, HttpResponse>> LiveDriver::Authorize(const DemoPerson& person) {
  using Authorized = tl::expected<Headers, HttpResponse>;
  const std::string id = person.id.id.ToString();
  if (options_.service_token) {
    return Authorized(Headers{{"Authorization", "Bearer " + options_.service_token()}, {"Novafeed-User", id}});
  }
  OwnToken& own = tokens_[person.id.id];
  if (own.good_until - kRenewBefore < clock_->Now()) {
    Result<HttpResponse> answer =
        client_->SendOnce(Method::kPost, "/demo/token", {{"Content-Type", "application/json"}},
                          R"({"user_id":")" + id + R"("})", Deadline());
    if (!answer) return tl::unexpected<Error>(answer.error());
    if (answer->status != 200) return Authorized(tl::unexpect, std::move(*answer));
    const Result<boost::json::value> document = ParseJson(answer->body);
    if (!document) return tl::unexpected<Error>(document.error());
    JsonFields fields(*document);
    own = {fields.RequireString("token").value_or(""), fields.RequireInt("expires_at").value_or(0)};
  }
  return Authorized(Headers{{"Authorization", "Bearer " + own.token}});
}

}  // namespace novafeed
