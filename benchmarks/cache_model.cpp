// The cache in simulated time: the product's own feed service and cache, 10,000 requests a second, and in the place of
// the warehouse an engine that answers at once. What it shows is the hit rate, which depends on who comes when, and on
// what fits into the cache; how long hits and misses take is measured on a real server.
//
// Viewers come by Zipf's law, read three pages one after the other, with some seconds between them, and go. Whom they
// follow posts now and then, as in the standard data set, and the warmer runs for who comes most. After the first
// minute, which fills the cache, it counts for three. Prints one JSON object.
#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "cache/keys.h"
#include "cache/memory_cache.h"
#include "dataset.h"
#include "timeline/feed_service.h"
#include "timeline/hot_posts.h"
#include "zipf.h"

namespace novafeed::bench {
namespace {

constexpr double kRequestsPerSecond = 10'000;
constexpr int kPagesPerVisit = 3;
constexpr TimeMs kMinuteMs = 60'000;
constexpr TimeMs kReadingMs = 5000;  // a page
constexpr TimeMs kWarmEveryMs = 2 * kMinuteMs;
constexpr std::uint32_t kWarmed = 100;
// What the viewers of the standard data set find by whom they follow, in 72 hours: 300 posts by the median, 2,000 by
// P95.
constexpr double kPostsPerMs = 300.0 / (72 * kMsPerHour);
constexpr double kPostsSpread = 1.153;  // of its logarithm
constexpr TimeMs kLagMs = 1000;         // of the counters that can be looked up
constexpr const char* kGeneration = "model";
constexpr TimeMs kStart = 1'700'000'000'000;
constexpr std::size_t kCacheBytes = 256UL << 20;  // the default of cache.max_bytes

UserId Viewer(std::uint32_t number) {
  return UserId{*ParseUuid(NumberedId('u', number))};
}

// When whom a viewer follows has posted last.
class NewPosts {
 public:
  TimeMs LastBefore(UserId viewer, TimeMs now) {
    Times& times = by_viewer_[viewer];
    if (times.rate == 0) {
      times.rate = kPostsPerMs * std::exp(kPostsSpread * std::normal_distribution<double>()(random_));
      times.next = kStart + Wait(times.rate);
    }
    while (times.next <= now) {
      times.last = times.next;
      times.next += Wait(times.rate);
    }
    return times.last;
  }

 private:
  struct Times {
    double rate = 0;  // posts a millisecond
    TimeMs last = 0;
    TimeMs next = 0;
  };
  TimeMs Wait(double rate) { return 1 + static_cast<TimeMs>(std::exponential_distribution<double>(rate)(random_)); }

  std::mt19937_64 random_{kSeed};
  boost::unordered_flat_map<UserId, Times, StrongIdHash<UserId>> by_viewer_;
};

// Ranks eighty posts for everybody.
class PromptEngine final : public CandidateEngine, public LogProgress {
 public:
  explicit PromptEngine(const Clock* clock) : clock_(clock) {
    for (std::uint32_t number = 0; number < 80; ++number) {
      Candidate& post = posts_.emplace_back();
      post.id = PostId{*ParseUuid(NumberedId('p', number))};
      post.author = UserId{*ParseUuid(NumberedId('u', number * 7))};
      post.created_at = kStart - number * 60'000;
      post.counters = {number * 37 % 200, number * 11 % 50, number % 9, 3000};
    }
  }

  std::string_view Name() const override { return "model"; }
  Result<CandidateSet> Find(const CandidateQuery&) override {
    CandidateSet set;
    set.position = Applied();
    set.follow = posts_;
    return set;
  }
  Result<std::vector<TrendingCandidate>> FindTrending(TimeMs, int) override { return std::vector<TrendingCandidate>(); }
  Result<std::vector<Candidate>> FindPosts(UserId, TimeMs, const std::vector<Candidate>& posts) override {
    return posts;
  }
  Result<std::vector<Candidate>> FindFollowing(const FollowingQuery& query) override {
    Candidate newest = posts_.front();
    newest.created_at = new_posts_.LastBefore(query.viewer, clock_->Now() - kLagMs);
    return std::vector<Candidate>{newest};
  }

  Position Applied() const override { return {kGeneration, 0, {}}; }
  void WaitFor(const Position&, std::int64_t, std::function<void(bool)> done) override { done(true); }
  TimeMs CountersAsOf() const override { return clock_->Now() - kLagMs; }

 private:
  const Clock* clock_;
  std::vector<Candidate> posts_;
  NewPosts new_posts_;
};

class PromptContents final : public PostContents {
 public:
  std::vector<std::optional<PostContent>> Of(std::span<const PostId> posts) const override {
    std::vector<std::optional<PostContent>> contents;
    for (const PostId& id : posts) contents.emplace_back(PostContent{id, std::nullopt, "text", true});
    return contents;
  }
};

struct Visit {
  UserId viewer;
  std::optional<std::string> cursor;
  int pages = 0;
  TimeMs due = 0;
};

class Model {
 public:
  void Run() {
    TimeMs warm_at = kStart;
    for (double at = 0; at < 4.0 * kMinuteMs; at += 1000 / kRequestsPerSecond) {
      clock_.Set(kStart + static_cast<TimeMs>(at));
      if (clock_.Now() >= warm_at) {
        Warm();
        warm_at += kWarmEveryMs;
      }
      Ask(NextVisit(), at >= kMinuteMs);
    }
  }

  // An hour of the list of hot posts, made by its job every minute and read ten times a second.
  void RunHotPosts() {
    for (int tenth = 0; tenth < 36'000; ++tenth) {
      clock_.Advance(100);
      if (tenth % 600 == 0) static_cast<void>(hot_posts_.Refresh());
      static_cast<void>(hot_posts_.Current());
    }
  }

  void Print() const {
    std::printf("{\"viewers\":%u,\"requests\":%llu,\"hit_rate\":%.4f,\"oldest_counters_ms\":%lld,", Sizes().users,
                static_cast<unsigned long long>(requests_), static_cast<double>(hits_) / static_cast<double>(requests_),
                static_cast<long long>(oldest_counters_));
    const double hot_hits = Metric("novafeed_cache_hits_total{kind=\"hot\"}");
    std::printf("\"hot_hit_rate\":%.4f,\"cache_bytes\":%.0f,\"evictions\":%.0f}\n",
                hot_hits / (hot_hits + Metric("novafeed_cache_misses_total{kind=\"hot\"}")),
                Metric("novafeed_cache_bytes"), Metric("novafeed_cache_evictions_total"));
  }

 private:
  void Warm() {
    for (std::uint32_t rank = 0; rank < kWarmed; ++rank) {
      const FullRanking full = ranker_.Rank(Viewer(rank), clock_.Now(), trending_.Current()).value();
      pages_.Keep(Viewer(rank), FeedRequest().limit, full, engine_.CountersAsOf(), kWarmedPageTtl);
    }
  }

  // Whoever has read a page and wants the next one, or else somebody new.
  Visit NextVisit() {
    if (!reading_.empty() && reading_.front().due <= clock_.Now()) {
      Visit visit = std::move(reading_.front());
      reading_.pop_front();
      return visit;
    }
    return Visit{Viewer(zipf_.Draw(random_)), std::nullopt, 0, 0};
  }

  void Ask(Visit visit, bool counts) {
    FeedRequest request;
    request.viewer = visit.viewer;
    request.cursor = visit.cursor;
    const FeedPage page = service_.Page(service_.Open(std::move(request)).value(), false).value();
    if (counts) {
      ++requests_;
      hits_ += page.cached ? 1 : 0;
      oldest_counters_ = std::max(oldest_counters_, clock_.Now() - page.counters_as_of);
    }
    visit.cursor = page.next_cursor;
    visit.due = clock_.Now() + kReadingMs;
    if (++visit.pages < kPagesPerVisit) reading_.push_back(std::move(visit));
  }

  double Metric(const std::string& name) const {
    const std::string text = metrics_.Render();
    const std::size_t line = text.find("\n" + name + " ");
    return line == std::string::npos ? 0 : std::strtod(text.c_str() + line + name.size() + 2, nullptr);
  }

  const Zipf zipf_{Sizes().users};
  std::mt19937_64 random_{kSeed};
  ManualClock clock_{kStart};
  Metrics metrics_;
  MemoryCache cache_{&clock_, kCacheBytes, &metrics_};
  OwnFollows follows_{&cache_, kGeneration};
  PromptEngine engine_{&clock_};
  PageCache pages_{&clock_, &cache_, &follows_, [this] { return std::vector<LiveEngine>{{&engine_, &engine_}}; },
                   &metrics_};
  TrendingBoard trending_{&clock_, &engine_, &metrics_};
  Ranker ranker_{&engine_, &trending_, &metrics_};
  PromptContents contents_;
  FeedService service_{&clock_,
                       {&engine_, &ranker_, &contents_, &engine_, true, &pages_},
                       CursorCodec(std::string(32, 'k'), kGeneration),
                       &metrics_};
  HotPosts hot_posts_{&clock_, &cache_, [this] { return std::vector<CandidateEngine*>{&engine_}; }, &metrics_};
  std::deque<Visit> reading_;
  std::uint64_t requests_ = 0;
  std::uint64_t hits_ = 0;
  TimeMs oldest_counters_ = 0;
};

}  // namespace
}  // namespace novafeed::bench

int main() {
  novafeed::bench::Model model;
  model.Run();
  model.RunHotPosts();
  model.Print();
  return 0;
}
