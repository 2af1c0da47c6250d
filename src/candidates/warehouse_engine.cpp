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
OlapParams ListParams(const Posts& posts) {
  return {{"posts", OlapIdArray(posts, [](const auto& post) { return post.id.value; })},
          {"authors", OlapIdArray(posts, [](const auto& post) { return post.author.value; })}};
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

// post_id, author_id, created_ms, likes, comments, shares, impressions.
std::vector<Candidate> ReadCandidates(OlapRows rows, Source source) {
  std::vector<Candidate> found;
  while (!rows.AtEnd()) {
    Candidate& candidate = found.emplace_back();
    candidate.id = PostId{rows.Id()};
    candidate.author = UserId{rows.Id()};
    candidate.created_at = rows.Int64();
    candidate.counters = ReadCounters(&rows);
    candidate.source = source;
  }
  return found;
}

// The same.
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

void SetInteractions(const Interactions& interactions, std::vector<Candidate>* candidates) {
  for (Candidate& candidate : *candidates) {
    const auto found = interactions.find(candidate.author);
    candidate.interactions = found == interactions.end() ? 0 : found->second;
  }
}

// What was read for everybody, without what this viewer is not shown then.
void LeaveOutUnseen(const UserId& viewer, TimeMs as_of, std::vector<Candidate>* candidates) {
  std::erase_if(*candidates, [&](const Candidate& c) { return c.author == viewer || c.created_at > as_of; });
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

template <class T>
class WarehouseEngine::Running {
 public:
  Running(Instant deadline, std::shared_future<Result<T>> found) : deadline_(deadline), found_(std::move(found)) {}

  Result<T> Wait() const {
    if (found_.wait_until(deadline_) == std::future_status::ready) return found_.get();
    return Fail(Failure::kUnavailable, "late", "no answer within the deadline");
  }
  bool HasFailed() const {
    return found_.wait_for(std::chrono::seconds(0)) == std::future_status::ready && !found_.get();
  }
  // The same answer, for one who waits from now on.
  Running Until(Instant deadline) const { return {deadline, found_}; }

 private:
  Instant deadline_;
  std::shared_future<Result<T>> found_;
};

struct WarehouseEngine::Listed {
  std::shared_ptr<const TrendingList> list;
  Position applied;
  Running<Posts> posts;
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

WarehouseEngine::~WarehouseEngine() = default;

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
  const Running<Posts> follow = Start(Source::kFollow, "f1_follow", viewer);
  const Running<Posts> affinity = Start(Source::kAffinity, "f3_affinity", viewer);
  const Running<Interactions> interactions = StartInteractions(viewer);
  const std::size_t asked = query.trending->posts.empty() ? 2 : 3;
  if (asked == 3) {
    set.trending = Take(Source::kTrending, StartListed(query.trending, set.position), &set);
    LeaveOutUnseen(query.viewer, query.as_of, &set.trending);
    OrderAsList(*query.trending, &set.trending);
  }
  set.follow = Take(Source::kFollow, follow, &set);
  set.affinity = Take(Source::kAffinity, affinity, &set);
  const Interactions given = TakeInteractions(interactions, &set);
  for (std::vector<Candidate>* posts : {&set.follow, &set.trending, &set.affinity}) SetInteractions(given, posts);
  std::erase_if(set.affinity, [](const Candidate& post) { return post.interactions == 0; });
  if (set.failed.size() == asked) {
    return WarehouseUnavailable({Failure::kUnavailable, "late", "no source gave its posts in time"});
  }
  if (NeedsFallback(set)) {
    set.fallback = Take(Source::kFallback, Start(Source::kFallback, "fallback", viewer), &set);
    SetInteractions(given, &set.fallback);
  }
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
  const Running<Interactions> interactions = StartInteractions(ViewerParams(viewer, as_of));
  Result<Posts> found = Ask(Source::kFollow, page_metrics_.seconds, "posts_of_list", ListParams(posts),
                            SteadyClock::now() + options_.source_deadline);
  const Result<Interactions> given = interactions.Wait();
  if (!found || !given) {
    page_metrics_.failures.Add();
    return WarehouseUnavailable(found ? given.error() : found.error());
  }
  LeaveOutUnseen(viewer, as_of, &*found);
  SetInteractions(*given, &*found);
  boost::unordered_flat_map<PostId, Source, StrongIdHash<PostId>> sources;
  for (const Candidate& post : posts) sources.emplace(post.id, post.source);
  for (Candidate& post : *found) post.source = sources.at(post.id);
  return found;
}

Result<std::vector<Candidate>> WarehouseEngine::FindFollowing(const FollowingQuery& query) {
  Result<Posts> found = Ask(Source::kFollow, MetricsOf(Source::kFollow).seconds, "following", PlaceParams(query),
                            SteadyClock::now() + options_.source_deadline);
  if (!found) return WarehouseUnavailable(found.error());
  return found;
}

template <class T>
WarehouseEngine::Running<T> WarehouseEngine::StartTask(Instant deadline, std::function<Result<T>()> ask) {
  auto task = std::make_shared<std::packaged_task<Result<T>()>>(std::move(ask));
  Running<T> running(deadline, task->get_future().share());
  if (pool_.Post([task] { (*task)(); })) return running;
  std::promise<Result<T>> refused;
  refused.set_value(Fail(Failure::kUnavailable, "overloaded", "too many queries wait"));
  return {deadline, refused.get_future().share()};
}

WarehouseEngine::Running<WarehouseEngine::Posts> WarehouseEngine::Start(Source source, std::string_view statement,
                                                                        OlapParams params) {
  const Instant deadline = SteadyClock::now() + options_.source_deadline;
  return StartTask<Posts>(deadline, [this, source, statement, params = std::move(params), deadline] {
    return Ask(source, MetricsOf(source).seconds, statement, params, deadline);
  });
}

WarehouseEngine::Running<Interactions> WarehouseEngine::StartInteractions(OlapParams viewer) {
  const Instant deadline = SteadyClock::now() + options_.source_deadline;
  return StartTask<Interactions>(deadline, [this, params = std::move(viewer), deadline] {
    return ReadOlapRows(olap_->Query(WarehouseSql("interactions"), params, CallUntil(deadline)), ReadInteractions);
  });
}

WarehouseEngine::Running<WarehouseEngine::Posts> WarehouseEngine::StartListed(
    const std::shared_ptr<const TrendingList>& list, const Position& applied) {
  const std::scoped_lock lock(listed_mutex_);
  if (!listed_ || listed_->list != list || listed_->applied != applied || listed_->posts.HasFailed()) {
    listed_ = std::make_unique<Listed>(
        Listed{list, applied, Start(Source::kTrending, "posts_of_list", ListParams(list->posts))});
  }
  return listed_->posts.Until(SteadyClock::now() + options_.source_deadline);
}

WarehouseEngine::Posts WarehouseEngine::Take(Source source, const Running<Posts>& running, CandidateSet* set) {
  Result<Posts> found = running.Wait();
  if (found) return *std::move(found);
  NoteFailed(source, found.error(), set);
  return {};
}

Interactions WarehouseEngine::TakeInteractions(const Running<Interactions>& running, CandidateSet* set) {
  Result<Interactions> found = running.Wait();
  if (found) return *std::move(found);
  // Without them there is no affinity, neither as a source nor in a score.
  NoteFailed(Source::kAffinity, found.error(), set);
  return {};
}

void WarehouseEngine::NoteFailed(Source source, const Error& why, CandidateSet* set) {
  if (std::ranges::find(set->failed, source) != set->failed.end()) return;
  MetricsOf(source).failures.Add();
  set->failed.push_back(source);
  if (failure_log_.Open()) {
    Log(LogLevel::kWarn, "source_failed",
        {{"source", std::string(SourceName(source))}, {"code", why.code}, {"reason", why.detail}});
  }
}

Result<WarehouseEngine::Posts> WarehouseEngine::Ask(Source source, const Histogram& seconds, std::string_view statement,
                                                    const OlapParams& params, Instant deadline) const {
  const Instant start = SteadyClock::now();
  Result<Posts> found = ReadOlapRows(olap_->Query(WarehouseSql(statement), params, CallUntil(deadline)),
                                     [source](OlapRows rows) { return ReadCandidates(std::move(rows), source); });
  seconds.Observe(std::chrono::duration<double>(SteadyClock::now() - start).count());
  return found;
}

}  // namespace novafeed
