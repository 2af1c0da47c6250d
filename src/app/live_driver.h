// Lets the people of a demo network act on a running server, through its public API, until it is told to stop.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "demo/live_network.h"
#include "http/client.h"

namespace novafeed {

// What has been done, for people to read.
struct LiveTally {
  std::array<std::int64_t, kLiveActs> steps{};
  std::int64_t impressions = 0;
  std::int64_t refused = 0;  // steps that the server did not take, or whose answer was lost
  std::int64_t waits = 0;    // times that the server was given a rest

  std::string Summary() const;  // "12 feeds read, 70 impressions, ..."
};

// How long to leave a server alone that cannot answer: as long as it says, else twice as long each time.
class LiveBackoff {
 public:
  // `retry_after`: in seconds, as the header of the answer says, or nothing.
  std::chrono::milliseconds Next(std::string_view retry_after);
  void Reset() { next_ = kFirst; }

  static constexpr std::chrono::milliseconds kFirst{1'000};
  static constexpr std::chrono::milliseconds kLongest{30'000};

 private:
  std::chrono::milliseconds next_ = kFirst;
};

struct LiveDriverOptions {
  std::string url;
  // Gives a token of service scope; empty: each person's own is taken from POST /demo/token.
  std::function<std::string()> service_token;
  LiveOptions network;
  std::function<void()> begun;                     // where the server knows the people, before their first step
  std::function<void(const LiveTally&)> progress;  // after each step; both on the thread of Run
};

// How much the people of a live network do now, for whoever waits for something to move: a sentence.
std::string DescribeLiveRate(double mean_rate, TimeMs now);

class LiveDriver {
 public:
  // `clock` outlives it, and dates the events.
  LiveDriver(LiveDriverOptions options, const Clock* clock);

  // Blocks until Stop. Errors: of HttpClient::Connect; kNotFound "no_demo_network" where the server does not know the
  // network's people; what the server says where it refuses one step after the other.
  Status Run();
  // From any thread; Run returns once a request that is on its way has ended (5 s at most, as often again where it
  // needs a token first).
  void Stop();
  // After Run.
  const LiveTally& tally() const { return tally_; }

 private:
  struct OwnToken {
    std::string token;
    TimeMs good_until = 0;
  };

  using TimePoint = std::chrono::steady_clock::time_point;

  // False where it was stopped meanwhile.
  bool WaitUntil(TimePoint due);
  Status Meet();
  Status Perform(const LiveStep& step);
  void Took(const LiveStep& step, const std::string& body);
  // The server's answer to `send` once it is one to go by, after as many rests as the server needs; empty where this
  // was stopped, or nobody knows what became of the request.
  std::optional<HttpResponse> SendPatiently(const std::function<Result<HttpResponse>()>& send);
  Result<HttpResponse> SendAs(const DemoPerson& person, Method method, std::string_view target, std::string_view body);
  // The headers that make a request this person's; or the answer by which that was refused.
  Result<tl::expected<Headers, HttpResponse>> Authorize(const DemoPerson& person);

  const LiveDriverOptions options_;
  const Clock* const clock_;
  LiveNetwork network_;
  std::optional<HttpClient> client_;
  boost::unordered_flat_map<Uuid, OwnToken, UuidHash> tokens_;  // by person
  LiveBackoff backoff_;
  LiveTally tally_;
  int refusals_ = 0;  // one after the other
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
};

}  // namespace novafeed
