#include "candidates/warehouse_engine.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "candidates/warehouse_rows.h"
#include "warehouse/sql.h"

namespace novafeed {
namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kQueuedQueries = 1000;
constexpr std::int64_t kFailureLogMs = 1000;

OlapParams ViewerParams(const UserId& viewer, TimeMs as_of) {
  return {{"viewer", viewer.ToString()}, {"as_of", std::to_string(as_of)}};
}

// `posts`: of a trending list, or of a page.
template <class Posts>
OlapParams ListParams(const UserId& viewer, TimeMs as_of, const Posts& posts) {
  OlapParams params = ViewerParams(viewer, as_of);
  params.emplace_back("posts", OlapIdArray(posts, [](const auto& post) { return post.id.value; }));
  params.emplace_back("authors", OlapIdArray(posts, [](const auto& post) { return post.author.value; }));
  return params;
}

OlapParams PlaceParams(const FollowingQuery& query) {
  OlapParams params = ViewerParams(query.viewer, query.as_of);
  // Without a place: just after all that may be shown.
  const auto [after_ms, after_id] = query.after.value_or(std::pair(query.as_of + 1, PostId()));
  params.emplace_back("after_ms", std::to_string(after_ms));
  params.emplace_back("after_id", after_id.ToString());
  params.emplace_back("limit", std::to_string(query.limit));
  return params;
}

Counters ReadCounters(OlapRows* rows) {
  Counters counters;
  counters.likes = rows->Int64();
  counters.comments = rows->Int64();
  counters.shares = rows->Int64();
  counters.impressions = rows->Int64();
  return counters;
}

// post_id, author_id, created_ms, likes, comments, shares, impressions, interaction_count.
std::vector<Candidate> ReadCandidates(OlapRows rows, Source source) {
  std::vector<Candidate> found;
  while (!rows.AtEnd()) {
    Candidate& candidate = found.emplace_back();
    candidate.id = PostId{rows.Id()};
    candidate.author = UserId{rows.Id()};
    candidate.created_at = rows.Int64();
    candidate.counters = ReadCounters(&rows);
    candidate.interactions = rows.Int64();
    candidate.source = source;
  }
  return found;
}

// The same without the interactions.
std::vector<TrendingCandidate> ReadTrending(OlapRows rows) {
  std::vector<TrendingCandidate> found;
  while (!rows.AtEnd()) {
    TrendingCandidate& candidate = found.emplace_back();
    candidate.id = PostId{rows.Id()};
    candidate.author = UserId{rows.Id()};
    candidate.created_at = rows.Int64();
    candidate.window = ReadCounters(&rows);
  }
  return found;
}

// Of what is left until the deadline; at least a moment, which is then too late.
OlapCall CallUntil(SteadyClock::time_point deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - SteadyClock::now());
  return ReadingCall(std::max(left, milliseconds(1)));
}

// In the order of the list.
void OrderAsList(const TrendingList& list, std::vector<Candidate>* candidates) {
  boost::unordered_flat_map<PostId, std::size_t, StrongIdHash<PostId>> places;
  for (std::size_t place = 0; place < list.posts.size(); ++place) places.emplace(list.posts[place].id, place);
  std::erase_if(*candidates, [&](const Candidate& candidate) { return !places.contains(candidate.id); });
  std::sort(candidates->begin(), candidates->end(),
            [&](const Candidate& a, const Candidate& b) { return places.at(a.id) < places.at(b.id); });
}

}  // namespace

class WarehouseEngine::Running {
 public:
  Running(Source source, Instant deadline, std::future<Found> found)
      : source_(source), deadline_(deadline), found_(std::move(found)) {}

  Source source() const { return source_; }
  Found Wait() {
    if (found_.wait_until(deadline_) == std::future_status::ready) return found_.get();
    return Fail(Failure::kUnavailable, "late", "no answer within the deadline");
  }

 private:
  Source source_;
  Instant deadline_;
  std::future<Found> found_;
};

WarehouseEngine::WarehouseEngine(Olap* olap, std::function<Position()> applied, const WarehouseEngineOptions& options,
                                 Metrics* metrics)
    : olap_(olap),
      applied_(std::move(applied)),
      options_(options),
      metrics_{MetricsOf(SourceName(Source::kFollow), metrics), MetricsOf(SourceName(Source::kTrending), metrics),
               MetricsOf(SourceName(Source::kAffinity), metrics), MetricsOf(SourceName(Source::kFallback), metrics)},
      page_metrics_(MetricsOf("page", metrics)),
      failure_log_(kFailureLogMs),
      pool_("warehouse_query", options.query_threads, kQueuedQueries, metrics) {}

WarehouseEngine::SourceMetrics WarehouseEngine::MetricsOf(std::string_view source, Metrics* metrics) {
  const Metrics::Labels labels{{"source", std::string(source)}};
  return {metrics->AddCounter("novafeed_source_failures_total",
                              "Times a source of candidates failed or was late, and gave nothing.", labels),
          metrics->AddHistogram("novafeed_source_seconds", "How long a source of candidates took in the warehouse.",
                                {0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 1, 3}, labels)};
}

Result<CandidateSet> WarehouseEngine::Find(const CandidateQuery& query) {
  CandidateSet set;
  set.position = applied_();
  const OlapParams viewer = ViewerParams(query.viewer, query.as_of);
  Running follow = Start(Source::kFollow, "f1_follow", viewer);
  Running affinity = Start(Source::kAffinity, "f3_affinity", viewer);
  const std::size_t asked = query.trending->posts.empty() ? 2 : 3;
  if (asked == 3) {
    set.trending = Take(
        Start(Source::kTrending, "posts_of_list", ListParams(query.viewer, query.as_of, query.trending->posts)), &set);
    OrderAsList(*query.trending, &set.trending);
  }
  set.follow = Take(std::move(follow), &set);
  set.affinity = Take(std::move(affinity), &set);
  if (set.failed.size() == asked) {
    return WarehouseUnavailable({Failure::kUnavailable, "late", "no source gave its posts in time"});
  }
  if (NeedsFallback(set)) set.fallback = Take(Start(Source::kFallback, "fallback", viewer), &set);
  return set;
}

Result<std::vector<TrendingCandidate>> WarehouseEngine::FindTrending(TimeMs as_of, int hours) {
  const OlapParams params{{"as_of", std::to_string(as_of)}, {"hours", std::to_string(hours)}};
  const OlapCall call = CallUntil(SteadyClock::now() + options_.trending_deadline);
  auto found = ReadOlapRows(olap_->Query(WarehouseSql("f2_trending"), params, call), ReadTrending);
  if (!found) return WarehouseUnavailable(found.error());
  return found;
}

Result<std::vector<Candidate>> WarehouseEngine::FindPosts(UserId viewer, TimeMs as_of,
                                                          const std::vector<Candidate>& posts) {
  Found found = Ask(Source::kFollow, page_metrics_.seconds, "posts_of_list", ListParams(viewer, as_of, posts),
                    SteadyClock::now() + options_.source_deadline);
  if (!found) {
    page_metrics_.failures.Add();
    return WarehouseUnavailable(found.error());
  }
  boost::unordered_flat_map<PostId, Source, StrongIdHash<PostId>> sources;
  for (const Candidate& post : posts) sources.emplace(post.id, post.source);
  for (Candidate& post : *found) post.source = sources.at(post.id);
  return found;
}

Result<std::vector<Candidate>> WarehouseEngine::FindFollowing(const FollowingQuery& query) {
  Found found = Ask(Source::kFollow, MetricsOf(Source::kFollow).seconds, "following", PlaceParams(query),
                    SteadyClock::now() + options_.source_deadline);
  if (!found) return WarehouseUnavailable(found.error());
  return found;
}

WarehouseEngine::Running WarehouseEngine::Start(Source source, std::string_view statement, OlapParams params) {
  const Instant deadline = SteadyClock::now() + options_.source_deadline;
  auto task =
      std::make_shared<std::packaged_task<Found()>>([this, source, statement, params = std::move(params), deadline] {
        return Ask(source, MetricsOf(source).seconds, statement, params, deadline);
      });
  Running running(source, deadline, task->get_future());
  if (pool_.Post([task] { (*task)(); })) return running;
  std::promise<Found> refused;
  refused.set_value(Fail(Failure::kUnavailable, "overloaded", "too many queries wait"));
  return {source, deadline, refused.get_future()};
}

std::vector<Candidate> WarehouseEngine::Take(Running running, CandidateSet* set) {
  Found found = running.Wait();
  if (found) return *std::move(found);
  MetricsOf(running.source()).failures.Add();
  set->failed.push_back(running.source());
  if (failure_log_.Open()) {
    Log(LogLevel::kWarn, "source_failed",
        {{"source", std::string(SourceName(running.source()))},
         {"code", found.error().code},
         {"reason", found.error().detail}});
  }
  return {};
}

WarehouseEngine::Found WarehouseEngine::Ask(Source source, const Histogram& seconds, std::string_view statement,
                                            const OlapParams& params, Instant deadline) const {
  const Instant start = SteadyClock::now();
  Found found = ReadOlapRows(olap_->Query(WarehouseSql(statement), params, CallUntil(deadline)),
                             [source](OlapRows rows) { return ReadCandidates(std::move(rows), source); });
  seconds.Observe(std::chrono::duration<double>(SteadyClock::now() - start).count());
  return found;
}

}  // namespace novafeed
