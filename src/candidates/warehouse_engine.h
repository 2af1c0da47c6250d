// Candidates from the warehouse: the statements of warehouse/sql, run at the same time, each with a deadline.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "candidates/candidates.h"
#include "candidates/warehouse_rows.h"
#include "runtime/blocking_pool.h"
#include "warehouse/olap.h"

namespace novafeed {

struct WarehouseEngineOptions {
  std::chrono::milliseconds source_deadline{1000};      // of each source of a ranking, and of mode=following
  std::chrono::milliseconds trending_deadline{2000};    // of the list that everybody shares
  std::chrono::milliseconds suggestion_deadline{2000};  // of each step of suggested users (WarehouseSuggestions)
  std::size_t query_threads = 8;                        // queries of rankings that run at a time
};

// Thread-safe; blocking, so it is called from a pool of its caller's. The lists of Find come from queries that run at
// the same time, not from one instant of the state: each holds at least what was applied before it was asked. What
// posts of the trending list count is the same for everybody, and read once for all who ask while nothing new is
// applied.
//
// A source that fails or is late gives nothing, is counted, and stands in CandidateSet::failed; so does kAffinity where
// it is not known whom the viewer interacts with. Where all fail, and from the other calls: kUnavailable
// "warehouse_unavailable".
class WarehouseEngine final : public CandidateEngine {
 public:
  // `applied` tells what of the log the warehouse's tables hold. `olap` and `metrics` outlive the engine.
  WarehouseEngine(Olap* olap, std::function<Position()> applied, const WarehouseEngineOptions& options,
                  Metrics* metrics);
  ~WarehouseEngine() override;

  std::string_view Name() const override { return "warehouse"; }
  Result<CandidateSet> Find(const CandidateQuery& query) override;
  Result<std::vector<TrendingCandidate>> FindTrending(TimeMs as_of, int hours) override;
  Result<std::vector<Candidate>> FindPosts(UserId viewer, TimeMs as_of, const std::vector<Candidate>& posts) override;
  Result<std::vector<Candidate>> FindFollowing(const FollowingQuery& query) override;

 private:
  using Instant = std::chrono::steady_clock::time_point;
  using Posts = std::vector<Candidate>;
  template <class T>
  class Running;  // a query that was sent
  struct Listed;  // the posts of a trending list

  struct SourceMetrics {
    Counter failures;
    Histogram seconds;
  };

  static SourceMetrics MetricsOf(std::string_view source, Metrics* metrics);
  const SourceMetrics& MetricsOf(Source source) const { return metrics_.at(static_cast<std::size_t>(source)); }
  template <class T>
  Running<T> StartTask(Instant deadline, std::function<Result<T>()> ask);
  Running<Posts> Start(Source source, std::string_view statement, OlapParams params);
  Running<Interactions> StartInteractions(OlapParams viewer);
  // Read when the warehouse held `applied`, or more.
  Running<Posts> StartListed(const std::shared_ptr<const TrendingList>& list, const Position& applied);
  // The rows of a source, empty where it failed, which is noted.
  Posts Take(Source source, const Running<Posts>& running, CandidateSet* set);
  Interactions TakeInteractions(const Running<Interactions>& running, CandidateSet* set);
  void NoteFailed(Source source, const Error& why, CandidateSet* set);
  // Their rows, as of `source`; the time that it takes is counted in `seconds`.
  Result<Posts> Ask(Source source, const Histogram& seconds, std::string_view statement, const OlapParams& params,
                    Instant deadline) const;

  Olap* const olap_;
  const std::function<Position()> applied_;
  const WarehouseEngineOptions options_;
  const std::array<SourceMetrics, 4> metrics_;  // by Source
  const SourceMetrics page_metrics_;            // of FindPosts
  LogGate failure_log_;
  std::mutex listed_mutex_;
  std::unique_ptr<Listed> listed_;  // guarded by listed_mutex_
  BlockingPool pool_;               // the last member: its tasks use the others
};

}  // namespace novafeed
