// For tests: an engine in front of another that counts what it is asked for, and fails where it is told to.
#pragma once

#include <atomic>
#include <functional>
#include <string_view>
#include <vector>

#include "candidates/candidates.h"

namespace novafeed::testing {

class TestEngine final : public CandidateEngine {
 public:
  explicit TestEngine(CandidateEngine* behind) : behind_(behind) {}

  std::string_view Name() const override { return "test"; }
  Result<CandidateSet> Find(const CandidateQuery& query) override {
    ++rankings;
    if (on_ranking) on_ranking();
    if (broken) return Unavailable();
    Result<CandidateSet> set = behind_->Find(query);
    set->failed = failed;
    return set;
  }
  Result<std::vector<TrendingCandidate>> FindTrending(TimeMs as_of, int hours) override {
    ++lists;
    if (no_trending) return Unavailable();
    return behind_->FindTrending(as_of, hours);
  }
  Result<std::vector<Candidate>> FindPosts(UserId viewer, TimeMs as_of, const std::vector<Candidate>& posts) override {
    if (broken) return Unavailable();
    return behind_->FindPosts(viewer, as_of, posts);
  }
  Result<std::vector<Candidate>> FindFollowing(const FollowingQuery& query) override {
    return behind_->FindFollowing(query);
  }

  std::atomic<int> rankings{0};      // asked for
  std::atomic<int> lists{0};         // trending lists asked for
  std::function<void()> on_ranking;  // at each
  bool broken = false;               // finds neither rankings nor posts
  bool no_trending = false;
  std::vector<Source> failed;  // of each ranking

 private:
  static tl::unexpected<Error> Unavailable() {
    return Fail(Failure::kUnavailable, "warehouse_unavailable", "Nobody answers.");
  }

  CandidateEngine* const behind_;
};

}  // namespace novafeed::testing
