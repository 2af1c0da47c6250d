// Candidates from the in-memory index: exact, and at once.
#pragma once

#include <string_view>
#include <vector>

#include "candidates/candidates.h"
#include "index/feed_index.h"

namespace novafeed {

// Thread-safe; holds nothing of its own.
class IndexEngine final : public CandidateEngine {
 public:
  // `index` outlives the engine.
  explicit IndexEngine(const FeedIndex* index) : index_(index) {}

  std::string_view Name() const override { return "index"; }
  Result<CandidateSet> Find(const CandidateQuery& query) override;
  Result<std::vector<TrendingCandidate>> FindTrending(TimeMs as_of, int hours) override;
  Result<std::vector<Candidate>> FindPosts(UserId viewer, TimeMs as_of, const std::vector<Candidate>& posts) override;
  Result<std::vector<Candidate>> FindFollowing(const FollowingQuery& query) override;

 private:
  const FeedIndex* index_;
};

}  // namespace novafeed
